//! Request bodies on their way in, response bodies on their way out.

use std::fmt;
use std::fs::File;
use std::io::{self, Write};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use flate2::write::GzDecoder;
use http::StatusCode;
use http_body::{Body as HttpBody, Frame, SizeHint};
use http_body_util::BodyExt as _;
use tokio::runtime::Handle;
use tokio::sync::mpsc;

use super::Refusal;
use crate::Repository;
use crate::repository::Quarantine;

/// Bytes of response collected before they are handed on.
const PIECE_BYTES: usize = 32 * 1024;

/// How long a client may refuse to take a piece, or to send the next one.
const STALL_MAX: Duration = Duration::from_secs(30);

/// The body of a response.
#[derive(Debug)]
pub struct Body(Content);

#[derive(Debug)]
enum Content {
    Full(Option<Bytes>),
    Stream(mpsc::Receiver<Bytes>, mpsc::Receiver<()>),
}

impl Body {
    pub(super) fn full(bytes: Vec<u8>) -> Self {
        Self(Content::Full(Some(bytes.into())))
    }
}

impl HttpBody for Body {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        match &mut self.0 {
            Content::Full(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Content::Stream(pieces, end) => match pieces.poll_recv(cx) {
                Poll::Pending => Poll::Pending,
                Poll::Ready(Some(piece)) => Poll::Ready(Some(Ok(Frame::data(piece)))),
                // Without the sign of a proper end the client must not take this for one.
                Poll::Ready(None) => match end.try_recv() {
                    Ok(()) => {
                        self.0 = Content::Full(None);
                        Poll::Ready(None)
                    }
                    Err(_) => {
                        self.0 = Content::Full(None);
                        Poll::Ready(Some(Err(io::ErrorKind::BrokenPipe.into())))
                    }
                },
            },
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Content::Full(bytes) => {
                SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64))
            }
            Content::Stream(..) => SizeHint::default(),
        }
    }
}

/// Writes a response body from a thread that may block.
pub(super) struct ChannelWriter {
    pieces: mpsc::Sender<Bytes>,
    end: mpsc::Sender<()>,
    buffer: Vec<u8>,
    handle: Handle,
}

impl ChannelWriter {
    /// A writer and the body that carries what is written. Call from within the runtime.
    pub(super) fn new() -> (Self, Body) {
        let (pieces, receiver) = mpsc::channel(4);
        let (end, ended) = mpsc::channel(1);
        let writer = Self {
            pieces,
            end,
            buffer: Vec::with_capacity(PIECE_BYTES),
            handle: Handle::current(),
        };
        (writer, Body(Content::Stream(receiver, ended)))
    }

    /// Sends the rest and marks the end.
    pub(super) fn finish(mut self) -> io::Result<()> {
        self.flush()?;
        self.end.try_send(()).map_err(io::Error::other)
    }
}

impl Write for ChannelWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() >= PIECE_BYTES {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        let piece = std::mem::replace(&mut self.buffer, Vec::with_capacity(PIECE_BYTES));
        let send = self.pieces.send_timeout(piece.into(), STALL_MAX);
        self.handle
            .block_on(send)
            .map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))
    }
}

/// A request body, received whole: in memory, or in a repository's quarantine.
pub(super) enum Inbox {
    Memory(Vec<u8>),
    File(File, Quarantine),
}

impl Inbox {
    /// Receives a body of at most `limit` bytes, both as sent and unpacked.
    pub(super) async fn receive<B>(
        body: B,
        gzip: bool,
        limit: u64,
        repository: Option<Repository>,
    ) -> Result<Self, Refusal>
    where
        B: HttpBody<Data = Bytes>,
        B::Error: fmt::Display,
    {
        let target = match repository {
            None => Self::Memory(Vec::new()),
            Some(repository) => {
                let quarantine = Quarantine::new(&repository);
                let quarantine = quarantine.map_err(|error| Refusal::internal(&error))?;
                let file = File::options()
                    .read(true)
                    .write(true)
                    .create_new(true)
                    .open(quarantine.pack().with_extension("request"))
                    .map_err(|error| Refusal::internal(&error))?;
                Self::File(file, quarantine)
            }
        };
        let counted = Counted {
            inner: target,
            left: limit,
        };
        let mut sink = match gzip {
            true => Sink::Gzip(Box::new(GzDecoder::new(counted))),
            false => Sink::Plain(counted),
        };
        let mut body = std::pin::pin!(body);
        let mut received = 0_u64;
        loop {
            let next = tokio::time::timeout(STALL_MAX, body.frame()).await;
            let frame = match next {
                Err(_) => {
                    return Err(Refusal::new(
                        StatusCode::REQUEST_TIMEOUT,
                        "the request stalls",
                    ));
                }
                Ok(None) => break,
                Ok(Some(Err(error))) => {
                    let message = format!("the request cannot be read: {error}");
                    return Err(Refusal::new(StatusCode::BAD_REQUEST, message));
                }
                Ok(Some(Ok(frame))) => frame,
            };
            let Ok(data) = frame.into_data() else {
                continue;
            };
            received += data.len() as u64;
            // Writing goes to the page cache; a thread of its own for each piece would cost more.
            let written = sink.write_all(&data);
            if received > limit || written.as_ref().is_err_and(|e| e.kind() == TOO_LARGE) {
                return Err(Refusal::new(
                    StatusCode::PAYLOAD_TOO_LARGE,
                    format!("the request is larger than the limit of {limit} bytes"),
                ));
            }
            written.map_err(|error| unreadable(&error, gzip))?;
        }
        let counted = match sink {
            Sink::Plain(counted) => Ok(counted),
            Sink::Gzip(decoder) => decoder.finish(),
        };
        Ok(counted.map_err(|error| unreadable(&error, gzip))?.inner)
    }
}

fn unreadable(error: &io::Error, gzip: bool) -> Refusal {
    let damaged = [
        io::ErrorKind::InvalidInput,
        io::ErrorKind::InvalidData,
        io::ErrorKind::UnexpectedEof,
    ];
    if gzip && damaged.contains(&error.kind()) {
        return Refusal::new(
            StatusCode::BAD_REQUEST,
            "the request's gzip data is damaged",
        );
    }
    tracing::error!(%error, "cannot store a git request");
    Refusal::new(
        StatusCode::INSUFFICIENT_STORAGE,
        "the request cannot be stored",
    )
}

/// The error kind that stands for "more than the limit".
const TOO_LARGE: io::ErrorKind = io::ErrorKind::FileTooLarge;

struct Counted {
    inner: Inbox,
    left: u64,
}

enum Sink {
    Plain(Counted),
    Gzip(Box<GzDecoder<Counted>>),
}

impl Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.left = match self.left.checked_sub(bytes.len() as u64) {
            Some(left) => left,
            None => return Err(TOO_LARGE.into()),
        };
        match &mut self.inner {
            Inbox::Memory(memory) => memory.write(bytes),
            Inbox::File(file, _) => file.write_all(bytes).map(|()| bytes.len()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(counted) => counted.write(bytes),
            Self::Gzip(decoder) => decoder.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(counted) => counted.flush(),
            Self::Gzip(decoder) => decoder.flush(),
        }
    }
}
