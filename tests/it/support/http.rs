//! A real HTTP listener that records what it is sent and answers from a closure: a webhook endpoint, or a stand-in
//! for Stripe.

use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, Method, Request, Response, Uri};
use tokio::sync::oneshot;

/// One request, as it came.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub(crate) method: Method,
    pub(crate) uri: Uri,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// What to answer: a status, a body, and headers of its own.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: String,
    pub(crate) headers: Vec<(&'static str, String)>,
}

impl Answer {
    pub(crate) fn new(status: u16, body: impl Into<String>) -> Self {
        Self { status, body: body.into(), headers: Vec::new() }
    }

    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

/// Listens on a free port of 127.0.0.1, on a thread of its own, until it is dropped.
pub(crate) struct Listener {
    base: String,
    received: Arc<Mutex<Vec<Received>>>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Listener {
    pub(crate) fn start(answer: impl Fn(&Received) -> Answer + Send + Sync + 'static) -> Self {
        let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        socket.set_nonblocking(true).unwrap();
        let base = format!("http://{}", socket.local_addr().unwrap());
        let received = Arc::new(Mutex::new(Vec::new()));
        let (stop, stopped) = oneshot::channel();
        let router = router(Arc::new(answer), Arc::clone(&received));
        let thread = std::thread::spawn(move || {
            tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
                let socket = tokio::net::TcpListener::from_std(socket).unwrap();
                tokio::select! {
                    served = axum::serve(socket, router) => served.unwrap(),
                    _ = stopped => {}
                }
            });
        });
        Self { base, received, stop: Some(stop), thread: Some(thread) }
    }

    /// The address of `path` (with its leading slash) at this listener.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// Everything received so far, in order.
    pub(crate) fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn router(answer: Arc<dyn Fn(&Received) -> Answer + Send + Sync>, received: Arc<Mutex<Vec<Received>>>) -> Router {
    Router::new().fallback(move |request: Request<Body>| {
        let (answer, received) = (Arc::clone(&answer), Arc::clone(&received));
        async move {
            let (parts, body) = request.into_parts();
            let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
            let request = Received { method: parts.method, uri: parts.uri, headers: parts.headers, body };
            let Answer { status, body, headers } = answer(&request);
            received.lock().unwrap().push(request);
            let mut response = Response::builder().status(status).header("content-type", "application/json");
            for (name, value) in headers {
                response = response.header(name, value);
            }
            response.body(Body::from(body)).unwrap()
        }
    })
}
