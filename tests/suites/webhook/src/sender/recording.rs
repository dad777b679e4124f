//! Servers of this suite's own, which keep what arrives.

use super::text;
use axum::{Router, body::Bytes};
use http::{HeaderMap, Method, Response, Uri};
use std::{
    net::Ipv4Addr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::{net::TcpListener, task::JoinHandle};

/// One request, as it arrived.
pub struct Arrived {
    pub method: Method,
    pub uri: Uri,
    pub headers: HeaderMap,
    pub body: String,
}

impl Arrived {
    pub fn field(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

/// A server that answers as it is told, until it is dropped.
pub struct Recording {
    pub base: String,
    arrived: Arc<Mutex<Vec<Arrived>>>,
    task: JoinHandle<()>,
}

impl Recording {
    pub async fn open(
        answer: impl Fn(&Arrived) -> Response<String> + Clone + Send + Sync + 'static,
    ) -> Result<Self, String> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(text)?;
        let address = listener.local_addr().map_err(text)?;
        let arrived = Arc::<Mutex<Vec<Arrived>>>::default();
        let kept = Arc::clone(&arrived);
        let handler = move |method: Method, uri: Uri, headers: HeaderMap, body: Bytes| async move {
            let body = String::from_utf8_lossy(&body).into_owned();
            let request = Arrived { method, uri, headers, body };
            let answer = answer(&request);
            locked(&kept).push(request);
            answer
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

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
