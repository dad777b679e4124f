//! Servers of this suite's own, which write down all that arrives.

use crate::ours::text;
use axum::{Router, body::Bytes};
use base64::{Engine, engine::general_purpose::STANDARD};
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

    /// The parameters of a body that is a form.
    pub fn form(&self) -> Vec<(String, String)> {
        let kind = self.header("content-type").unwrap_or_default();
        let is_form = kind.starts_with("application/x-www-form-urlencoded");
        if is_form { pairs(&self.body) } else { Vec::new() }
    }

    /// Its header fields, a line each.
    pub fn fields(&self) -> String {
        let fields = self.headers.iter().map(|(name, value)| {
            format!("{name}: {}\n", String::from_utf8_lossy(value.as_bytes()))
        });
        fields.collect()
    }

    /// What its query, its body and its Basic credentials say, decoded.
    pub fn decoded(&self) -> String {
        let basic = self.header("authorization").and_then(|field| field.strip_prefix("Basic "));
        let basic = basic.and_then(|pair| STANDARD.decode(pair).ok()).unwrap_or_default();
        let basic = String::from_utf8_lossy(&basic).into_owned();
        let read = pairs(format!("x={basic}").as_bytes());
        let sent = [self.query(), self.form(), read].concat();
        let sent = sent.into_iter().map(|(name, value)| format!("{name}={value}\n"));
        format!("{}{basic}", sent.collect::<String>())
    }

    /// All of it as text, to look for what should not be there.
    pub fn whole(&self) -> String {
        let (fields, body) = (self.fields(), String::from_utf8_lossy(&self.body));
        format!("{} {}\n{fields}\n{body}\n{}", self.method, self.uri, self.decoded())
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
