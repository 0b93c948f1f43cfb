//! Connections on which a fault below HTTP can be injected.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

/// Accepts [`FaultyConnection`]s.
pub(crate) struct FaultyListener(pub(crate) TcpListener);

impl Listener for FaultyListener {
    type Io = FaultyConnection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (FaultyConnection, SocketAddr) {
        loop {
            match self.0.accept().await {
                Ok((stream, address)) => {
                    if let Err(error) = stream.set_nodelay(true) {
                        log::debug!("could not set TCP_NODELAY: {error}");
                    }
                    return (
                        FaultyConnection { stream, fault: ConnectionFault::default() },
                        address,
                    );
                }
                Err(error) => {
                    // Most likely out of file descriptors: wait until other connections close.
                    log::warn!("could not accept a connection: {error}");
                    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                }
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

/// Replaces the next response of a connection, which is then closed.
#[derive(Clone, Debug, Default)]
pub(crate) struct ConnectionFault(Arc<Mutex<Option<RawResponse>>>);

impl ConnectionFault {
    /// Closes the connection without a response.
    pub(crate) fn close(&self) {
        self.set(RawResponse::default());
    }

    /// Sends `body` with a `Content-Length` twice its length.
    pub(crate) fn cut_off(&self, body: &str) {
        let head = head(u64::try_from(body.len()).unwrap_or(0).saturating_mul(2));
        self.set(RawResponse {
            start: format!("{head}{body}").into_bytes(),
            ..RawResponse::default()
        });
    }

    /// Sends an empty result, padded with spaces to `bytes` bytes.
    pub(crate) fn huge(&self, bytes: u64) {
        let (open, end) = ("{\"ok\":true,\"result\":[", "]}");
        let length = u64::try_from(open.len() + end.len()).unwrap_or(0);
        self.set(RawResponse {
            start: format!("{}{open}", head(bytes.max(length))).into_bytes(),
            spaces: bytes.saturating_sub(length),
            end: end.into(),
            sent: 0,
        });
    }

    fn set(&self, response: RawResponse) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(response);
    }
}

impl Connected<IncomingStream<'_, FaultyListener>> for ConnectionFault {
    fn connect_info(stream: IncomingStream<'_, FaultyListener>) -> Self {
        stream.io().fault.clone()
    }
}

/// A connection that a bot opened.
pub(crate) struct FaultyConnection {
    stream: TcpStream,
    fault: ConnectionFault,
}

impl AsyncRead for FaultyConnection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for FaultyConnection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let fault = self.fault.clone();
        let mut response = fault.0.lock().unwrap_or_else(PoisonError::into_inner);
        match response.as_mut() {
            None => Pin::new(&mut self.stream).poll_write(context, bytes),
            Some(response) => {
                ready!(response.poll(&mut self.stream, context))?;
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

/// The bytes to send: a start, spaces, and an end.
#[derive(Debug, Default)]
struct RawResponse {
    start: Vec<u8>,
    spaces: u64,
    end: Vec<u8>,
    sent: u64,
}

impl RawResponse {
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

    /// The next bytes to send.
    fn rest(&self) -> &[u8] {
        let start = u64::try_from(self.start.len()).unwrap_or(0);
        let spaces_end = start + self.spaces;
        if self.sent < start {
            after(&self.start, self.sent)
        } else if self.sent < spaces_end {
            let left = usize::try_from(spaces_end - self.sent).unwrap_or(usize::MAX);
            SPACES.get(..left.min(SPACES.len())).unwrap_or_default()
        } else {
            after(&self.end, self.sent - spaces_end)
        }
    }
}

static SPACES: [u8; 65_536] = [b' '; 65_536];

fn after(bytes: &[u8], sent: u64) -> &[u8] {
    usize::try_from(sent).ok().and_then(|sent| bytes.get(sent..)).unwrap_or_default()
}

fn head(length: u64) -> String {
    format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n")
}
