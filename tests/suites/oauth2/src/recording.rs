//! Servers of this suite's own, which write down all that arrives.

use crate::ours::text;
use axum::{Router, body::Bytes};
use http::{HeaderMap, Method, Response, Uri};
use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::{net::TcpListener, task::JoinHandle};
use url::form_urlencoded;

/// One request, as it arrived.
#[derive(Clone)]
pub struct Arrived {
    pub method: Method,
    pub uri: Uri,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Arrived {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    pub fn query(&self) -> Vec<(String, String)> {
        pairs(self.uri.query().unwrap_or_default().as_bytes())
    }

    pub fn form(&self) -> Vec<(String, String)> {
        pairs(&self.body)
    }

    /// All of it as text, to look for what should not be there.
    pub fn whole(&self) -> String {
        let fields = self.headers.iter().map(|(name, value)| {
            format!("{name}: {}\n", String::from_utf8_lossy(value.as_bytes()))
        });
        let (fields, body) = (fields.collect::<String>(), String::from_utf8_lossy(&self.body));
        format!("{} {}\n{fields}\n{body}", self.method, self.uri)
    }
}

fn pairs(text: &[u8]) -> Vec<(String, String)> {
    form_urlencoded::parse(text).into_owned().collect()
}

/// A server that answers as it is told, until it is dropped.
pub struct Recording {
    pub base: String,
    arrived: Arc<Mutex<Vec<Arrived>>>,
    task: JoinHandle<()>,
}

impl Recording {
    /// Begins to listen on this machine.
    pub async fn open(
        answer: impl Fn(&Arrived) -> Response<Vec<u8>> + Clone + Send + Sync + 'static,
    ) -> Result<Self, String> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(text)?;
        let address: SocketAddr = listener.local_addr().map_err(text)?;
        let arrived = Arc::<Mutex<Vec<Arrived>>>::default();
        let kept = Arc::clone(&arrived);
        let handler = move |method: Method, uri: Uri, headers: HeaderMap, body: Bytes| async move {
            let request = Arrived { method, uri, headers, body: body.to_vec() };
            let answer = answer(&request);
            locked(&kept).push(request);
            answer.map(axum::body::Body::from)
        };
        let app = Router::new().fallback(handler);
        let task = tokio::spawn(async move {
            let _ = axum::serve(listener, app).await;
        });
        Ok(Self { base: format!("http://{address}"), arrived, task })
    }

    /// What arrived since it was last asked.
    pub fn arrived(&self) -> Vec<Arrived> {
        std::mem::take(&mut *locked(&self.arrived))
    }
}

impl Drop for Recording {
    fn drop(&mut self) {
        self.task.abort();
    }
}

pub fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
