//! A fleet behind a listener.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;
use tokio::time::Sleep;
use tokio_rustls::TlsAcceptor;

use crate::authentication::certificate_user;
use crate::certificates::CertificateError;
use crate::{Authority, Fleet};

/// Most open connections. One costs a task and two buffers, about 64 KiB with TLS.
const CONNECTIONS_MAX: usize = 10_000;

/// A client has this long to complete the TLS handshake, and then to send each head.
const HANDSHAKE_TIME_MAX: Duration = Duration::from_secs(10);

/// A client that takes nothing off its connection for this long is cut off.
const STALL_TIME_MAX: Duration = Duration::from_secs(60);

/// Requests under way get this long to end when the server stops; watches do not end by themselves.
const DRAIN_TIME_MAX: Duration = Duration::from_secs(2);

/// Where and how to listen.
pub struct ServerOptions {
    /// Address; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Who signs the server's certificate and whose client certificates count; `None`: plain HTTP.
    pub authority: Option<Arc<Authority>>,
    /// Further names and addresses in the server's certificate.
    pub names: Vec<String>,
}

/// Why a server does not start.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The address cannot be listened on.
    #[error("cannot listen on {address}")]
    Listen {
        /// Which address.
        address: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// There is no certificate to show.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
}

/// A running listener; ends when dropped.
pub struct Server {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Server {
    /// Starts to listen. Has to be called inside a tokio runtime.
    ///
    /// # Errors
    /// [`ServerError`].
    pub async fn start(fleet: Arc<Fleet>, options: ServerOptions) -> Result<Self, ServerError> {
        let failed = |source| ServerError::Listen {
            address: options.listen,
            source,
        };
        let tls = match &options.authority {
            Some(authority) => Some(server_config(authority, &options)?),
            None => None,
        };
        let listener = TcpListener::bind(options.listen).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let (stop, stopped) = watch::channel(false);
        let task = tokio::spawn(accept(listener, fleet, tls, stopped));
        Ok(Self {
            address,
            stop,
            task,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Takes no further connections, lets requests end, cuts watches.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        let _ = self.task.await;
    }
}

fn server_config(
    authority: &Authority,
    options: &ServerOptions,
) -> Result<Arc<ServerConfig>, CertificateError> {
    let mut names: Vec<String> = [
        "localhost",
        "127.0.0.1",
        "::1",
        "kubernetes",
        "kubernetes.default",
        "kubernetes.default.svc",
    ]
    .map(str::to_owned)
    .to_vec();
    names.push(options.listen.ip().to_string());
    names.extend(options.names.iter().cloned());
    names.sort();
    names.dedup();
    authority.server_config(&authority.server(&names)?)
}

async fn accept(
    listener: TcpListener,
    fleet: Arc<Fleet>,
    tls: Option<Arc<ServerConfig>>,
    mut stop: watch::Receiver<bool>,
) {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let (alive, mut all_gone) = tokio::sync::mpsc::channel::<Infallible>(1);
    loop {
        let place = tokio::select! {
            _ = stop.wait_for(|stop| *stop) => break,
            place = places.clone().acquire_owned() => place,
        };
        let accepted = tokio::select! {
            _ = stop.wait_for(|stop| *stop) => break,
            accepted = listener.accept() => accepted,
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) => {
                // Out of file descriptors, most likely: wait for some to come back.
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        let (fleet, tls, stop, alive) = (fleet.clone(), tls.clone(), stop.clone(), alive.clone());
        tokio::spawn(async move {
            if let Err(error) = connection(stream, fleet, tls, stop).await {
                tracing::debug!(%error, "a connection ended early");
            }
            drop((place, alive));
        });
    }
    drop(alive);
    let _ = tokio::time::timeout(DRAIN_TIME_MAX, all_gone.recv()).await;
}

type BoxError = Box<dyn std::error::Error + Send + Sync>;

async fn connection(
    stream: TcpStream,
    fleet: Arc<Fleet>,
    tls: Option<Arc<ServerConfig>>,
    stop: watch::Receiver<bool>,
) -> Result<(), BoxError> {
    stream.set_nodelay(true)?;
    let stream = StallGuard::new(stream);
    match tls {
        None => exchange(stream, None, fleet, stop).await,
        Some(tls) => {
            let handshake = TlsAcceptor::from(tls).accept(stream);
            let stream = tokio::time::timeout(HANDSHAKE_TIME_MAX, handshake).await??;
            let certificates = stream.get_ref().1.peer_certificates();
            let user = certificates.and_then(|chain| certificate_user(chain.first()?));
            exchange(stream, user, fleet, stop).await
        }
    }
}

async fn exchange<IO>(
    stream: IO,
    user: Option<apimachine::User>,
    fleet: Arc<Fleet>,
    mut stop: watch::Receiver<bool>,
) -> Result<(), BoxError>
where
    IO: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let user = Arc::new(user);
    let service = service_fn(move |request| {
        let (fleet, user) = (fleet.clone(), user.clone());
        async move { Ok::<_, Infallible>(fleet.serve(request, user.as_ref().as_ref()).await) }
    });
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HANDSHAKE_TIME_MAX);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(1_000)
        .keep_alive_interval(Some(Duration::from_secs(30)))
        .keep_alive_timeout(Duration::from_secs(15));
    let connection = builder.serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    tokio::select! {
        result = connection.as_mut() => return result,
        _ = stop.wait_for(|stop| *stop) => connection.as_mut().graceful_shutdown(),
    }
    tokio::time::timeout(DRAIN_TIME_MAX, connection)
        .await
        .unwrap_or(Ok(()))
}

/// A connection whose writes fail when the other side takes nothing for too long.
struct StallGuard {
    stream: TcpStream,
    waiting: Option<Pin<Box<Sleep>>>,
}

impl StallGuard {
    fn new(stream: TcpStream) -> Self {
        Self {
            stream,
            waiting: None,
        }
    }

    fn guard<T>(
        &mut self,
        context: &mut Context<'_>,
        poll: Poll<std::io::Result<T>>,
    ) -> Poll<std::io::Result<T>> {
        if poll.is_ready() {
            self.waiting = None;
            return poll;
        }
        let waiting = self
            .waiting
            .get_or_insert_with(|| Box::pin(tokio::time::sleep(STALL_TIME_MAX)));
        match waiting.as_mut().poll(context) {
            Poll::Ready(()) => Poll::Ready(Err(std::io::ErrorKind::TimedOut.into())),
            Poll::Pending => Poll::Pending,
        }
    }
}

impl AsyncRead for StallGuard {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for StallGuard {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        let poll = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.guard(context, poll)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[std::io::IoSlice<'_>],
    ) -> Poll<std::io::Result<usize>> {
        let poll = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.guard(context, poll)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<std::io::Result<()>> {
        let poll = Pin::new(&mut self.stream).poll_flush(context);
        self.guard(context, poll)
    }

    fn poll_shutdown(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
