//! What goes wrong between the engine and its API server.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full};
use tokio::sync::Notify;
use tower::{Service, ServiceExt as _};

type BoxError = Box<dyn std::error::Error + Send + Sync>;
type Answer = Response<UnsyncBoxBody<Bytes, BoxError>>;

/// A request on its way.
#[derive(Clone, Debug)]
pub struct Asked {
    pub method: Method,
    pub path: String,
    pub query: String,
    /// Who asks, when it is not the engine itself.
    pub user: String,
    /// Which mutating request this is, from one; zero for those that change nothing.
    pub write: usize,
}

impl Asked {
    pub fn is_watch(&self) -> bool {
        self.query.contains("watch=true")
    }

    /// `PATCH /api/v1/namespaces/apps`, with `/status` where it is one.
    pub fn shown(&self) -> String {
        format!("{} {}", self.method, self.path)
    }
}

/// What becomes of a request.
#[derive(Clone, Debug)]
pub enum Fate {
    /// It arrives and is answered.
    Pass,
    /// It is answered with this status and reason, and nothing is done.
    Refuse(u16, &'static str),
    /// It is done, and answered with 500.
    FailAfter,
    /// It is done, and the connection breaks before the answer.
    LoseAnswer,
    /// The connection breaks before it is done.
    Lose,
    /// It arrives late.
    Late(Duration),
    /// Every piece of the answer comes so much later.
    Slowly(Duration),
    /// It is done, and nothing is heard of it.
    HangAfter,
    /// Nothing is heard of it.
    Hang,
}

type Decide = Box<dyn FnMut(&Asked) -> Fate + Send>;

/// Decides about every request, and remembers them.
#[derive(Clone)]
pub struct Faults(Arc<State>);

struct State {
    inner: Mutex<Inner>,
    /// The process has to die now.
    died: Notify,
}

struct Inner {
    decide: Decide,
    log: Vec<Asked>,
    writes: usize,
    on: bool,
}

impl Faults {
    pub fn none() -> Self {
        Self(Arc::new(State {
            inner: Mutex::new(Inner {
                decide: Box::new(|_| Fate::Pass),
                log: Vec::new(),
                writes: 0,
                on: false,
            }),
            died: Notify::new(),
        }))
    }

    /// Decides about requests from now on; mutating ones are counted from one again.
    pub fn decide(&self, decide: impl FnMut(&Asked) -> Fate + Send + 'static) {
        let mut inner = self.lock();
        inner.decide = Box::new(decide);
        inner.writes = 0;
        inner.on = true;
    }

    /// Whether something may go wrong.
    pub fn is_on(&self) -> bool {
        self.lock().on
    }

    /// Nothing goes wrong from now on.
    pub fn end(&self) {
        self.decide(|_| Fate::Pass);
        self.lock().on = false;
    }

    /// Lets the process die at the write with this number: it gets no answers after that, and
    /// [`Faults::died`] returns.
    pub fn crash_at(&self, number: usize, outcome: Fate) {
        let state = Arc::downgrade(&self.0);
        let mut dead = false;
        self.decide(move |asked| {
            if dead {
                return Fate::Hang;
            }
            if asked.write != number {
                return Fate::Pass;
            }
            dead = true;
            if let Some(state) = state.upgrade() {
                state.died.notify_one();
            }
            outcome.clone()
        });
    }

    /// Waits until the process has to die.
    pub async fn died(&self) {
        self.0.died.notified().await;
    }

    /// Requests seen since the last call.
    pub fn take_log(&self) -> Vec<Asked> {
        std::mem::take(&mut self.lock().log)
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.inner.lock().expect("no test panics while deciding")
    }

    fn fate<B>(&self, request: &Request<B>) -> Fate {
        let mut inner = self.lock();
        let query = request.uri().query().unwrap_or_default().to_owned();
        let path = request.uri().path().to_owned();
        let reads = request.method() == Method::GET || query.contains("dryRun=All");
        // Events are told on the side; nothing depends on them.
        let changes = !reads && !path.ends_with("/events");
        inner.writes += usize::from(changes);
        let user = request.headers().get("impersonate-user");
        let asked = Asked {
            method: request.method().clone(),
            path,
            query,
            user: user
                .and_then(|user| user.to_str().ok())
                .unwrap_or_default()
                .to_owned(),
            write: if changes { inner.writes } else { 0 },
        };
        let fate = (inner.decide)(&asked);
        inner.log.push(asked);
        fate
    }
}

/// A service behind faults.
#[derive(Clone)]
pub struct Faulty<S> {
    pub service: S,
    pub faults: Faults,
}

impl<S, B, A> Service<Request<B>> for Faulty<S>
where
    S: Service<Request<B>, Response = Response<A>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
    B: Send + 'static,
    A: http_body::Body<Data = Bytes> + Send + 'static,
    A::Error: Into<BoxError>,
{
    type Response = Answer;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Answer, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let service = self.service.clone();
        let fate = self.faults.fate(&request);
        if matches!(fate, Fate::Slowly(_)) {
            // Only text comes in pieces.
            request.extensions_mut().remove::<handover::Offer>();
        }
        Box::pin(async move {
            let send = async {
                let answer = service.oneshot(request).await?;
                Ok(answer.map(|body| body.map_err(Into::into).boxed_unsync()))
            };
            match fate {
                Fate::Pass => send.await,
                Fate::Refuse(status, reason) => Ok(refusal(status, reason)),
                Fate::FailAfter => {
                    let _: Answer = send.await?;
                    Ok(refusal(500, "InternalError"))
                }
                Fate::LoseAnswer => {
                    let _: Answer = send.await?;
                    Ok(broken())
                }
                Fate::Lose => Ok(broken()),
                Fate::Late(by) => {
                    tokio::time::sleep(by).await;
                    send.await
                }
                Fate::Slowly(by) => Ok(send.await?.map(|body| slowly(body, by))),
                Fate::HangAfter => {
                    let _: Answer = send.await?;
                    std::future::pending().await
                }
                Fate::Hang => std::future::pending().await,
            }
        })
    }
}

/// A Status object as API servers send it.
fn refusal(status: u16, reason: &str) -> Answer {
    let body = format!(
        r#"{{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"{reason}","message":"{reason} by test","code":{status}}}"#
    );
    let body = Full::new(Bytes::from(body)).map_err(Into::into);
    let mut answer = Response::new(body.boxed_unsync());
    *answer.status_mut() = http::StatusCode::from_u16(status).expect("a status");
    if status == 429 {
        let seconds = http::HeaderValue::from_static("1");
        answer.headers_mut().insert("retry-after", seconds);
    }
    answer
}

/// A body that lags behind.
fn slowly(body: UnsyncBoxBody<Bytes, BoxError>, by: Duration) -> UnsyncBoxBody<Bytes, BoxError> {
    let frames = futures::stream::unfold(body, move |mut body| async move {
        let frame = body.frame().await?;
        tokio::time::sleep(by).await;
        Some((frame, body))
    });
    UnsyncBoxBody::new(http_body_util::StreamBody::new(frames))
}

/// A connection that breaks before the body.
fn broken() -> Answer {
    Response::new(UnsyncBoxBody::new(Broken))
}

struct Broken;

impl http_body::Body for Broken {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, BoxError>>> {
        Poll::Ready(Some(Err("connection reset by peer".into())))
    }
}
