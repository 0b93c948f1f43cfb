//! The connections that bots call over, each of which can be made to misbehave below HTTP.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

/// Accepts connections as [`Wire`]s.
pub(crate) struct Wires(pub(crate) TcpListener);

impl Listener for Wires {
    type Io = Wire;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Wire, SocketAddr) {
        loop {
            match self.0.accept().await {
                Ok((stream, address)) => {
                    if let Err(error) = stream.set_nodelay(true) {
                        log::debug!("a connection stays without TCP_NODELAY: {error}");
                    }
                    return (Wire { stream, sabotage: Sabotage::default() }, address);
                }
                Err(error) => {
                    // Out of file descriptors, most likely: they come back when others close.
                    log::warn!("a connection could not be accepted: {error}");
                    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                }
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

/// Tells a connection what to send instead of its next answer, after which it is closed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sabotage(Arc<Mutex<Option<Script>>>);

impl Sabotage {
    /// Closes the connection instead of answering.
    pub(crate) fn close(&self) {
        self.play(Script::default());
    }

    /// Sends the head of an answer that promises more bytes than `body` has, and `body`.
    pub(crate) fn cut_off(&self, body: &str) {
        let head = head(u64::try_from(body.len()).unwrap_or(0).saturating_mul(2));
        self.play(Script { start: format!("{head}{body}").into_bytes(), ..Script::default() });
    }

    /// Sends an empty result that is padded with blanks to `bytes` bytes.
    pub(crate) fn huge(&self, bytes: u64) {
        let (open, end) = ("{\"ok\":true,\"result\":[", "]}");
        let length = u64::try_from(open.len() + end.len()).unwrap_or(0);
        self.play(Script {
            start: format!("{}{open}", head(bytes.max(length))).into_bytes(),
            blanks: bytes.saturating_sub(length),
            end: end.into(),
            sent: 0,
        });
    }

    fn play(&self, script: Script) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(script);
    }
}

impl Connected<IncomingStream<'_, Wires>> for Sabotage {
    fn connect_info(stream: IncomingStream<'_, Wires>) -> Self {
        stream.io().sabotage.clone()
    }
}

/// One connection of a bot.
pub(crate) struct Wire {
    stream: TcpStream,
    sabotage: Sabotage,
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let sabotage = self.sabotage.clone();
        let mut script = sabotage.0.lock().unwrap_or_else(PoisonError::into_inner);
        match script.as_mut() {
            None => Pin::new(&mut self.stream).poll_write(context, bytes),
            Some(script) => {
                ready!(script.poll(&mut self.stream, context))?;
                Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()))
            }
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

/// Bytes to send instead of an answer: a start, blanks, and an end.
#[derive(Debug, Default)]
struct Script {
    start: Vec<u8>,
    blanks: u64,
    end: Vec<u8>,
    sent: u64,
}

impl Script {
    fn poll(&mut self, stream: &mut TcpStream, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            let rest = self.rest();
            if rest.is_empty() {
                return Poll::Ready(Ok(()));
            }
            let written = ready!(Pin::new(&mut *stream).poll_write(context, rest))?;
            self.sent += u64::try_from(written).unwrap_or(0);
        }
    }

    /// The next piece to send, taken from the part that `sent` has reached.
    fn rest(&self) -> &[u8] {
        let start = u64::try_from(self.start.len()).unwrap_or(0);
        let blanks_end = start + self.blanks;
        if self.sent < start {
            after(&self.start, self.sent)
        } else if self.sent < blanks_end {
            let left = usize::try_from(blanks_end - self.sent).unwrap_or(usize::MAX);
            BLANKS.get(..left.min(BLANKS.len())).unwrap_or_default()
        } else {
            after(&self.end, self.sent - blanks_end)
        }
    }
}

static BLANKS: [u8; 65_536] = [b' '; 65_536];

fn after(bytes: &[u8], sent: u64) -> &[u8] {
    usize::try_from(sent).ok().and_then(|sent| bytes.get(sent..)).unwrap_or_default()
}

fn head(length: u64) -> String {
    format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n")
}
