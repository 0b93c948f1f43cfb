//! A connection whose client has to take what it asked for.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, Sleep, sleep_until},
};

/// How much a client has to take within how long, while there is more to send. A file of exported
/// users over the slowest mobile network is a hundred times as fast.
const LEAST_BYTES: usize = 16 * 1024;
const WINDOW: Duration = Duration::from_secs(30);

/// A stream whose writing fails with [`io::ErrorKind::TimedOut`] when the peer takes less than
/// [`LEAST_BYTES`] in a [`WINDOW`]. Reading is as it was.
pub(crate) struct Paced<S> {
    stream: S,
    /// Runs while a write waits for the peer.
    window: Option<Pin<Box<Sleep>>>,
    taken_bytes: usize,
}

impl<S> Paced<S> {
    pub(crate) fn new(stream: S) -> Self {
        Self { stream, window: None, taken_bytes: 0 }
    }

    /// Judges a write that took some bytes, or has to wait.
    fn judge(
        &mut self,
        context: &mut Context<'_>,
        written: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        match written {
            Poll::Ready(Ok(bytes)) => {
                self.taken_bytes = self.taken_bytes.saturating_add(bytes);
                Poll::Ready(Ok(bytes))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending => {
                ready!(self.wait(context))?;
                Poll::Pending
            }
        }
    }

    /// Pending while the peer may take its time.
    fn wait(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            let taken_bytes = &mut self.taken_bytes;
            let window = self.window.get_or_insert_with(|| {
                *taken_bytes = 0;
                Box::pin(sleep_until(Instant::now() + WINDOW))
            });
            ready!(window.as_mut().poll(context));
            if self.taken_bytes < LEAST_BYTES {
                metrics::counter!("rollcall_http_connections_closed_total", "reason" => "slow")
                    .increment(1);
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
            self.window = None;
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Paced<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Paced<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.judge(context, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.judge(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(context);
        if flushed.is_ready() {
            // All of it was taken: the next wait is a new one.
            self.window = None;
        }
        flushed
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt, duplex},
        time::{sleep, timeout},
    };

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_client_that_takes_nothing_is_cut_off() {
        let (server, _client) = duplex(1024);
        let mut server = Paced::new(server);
        let error = timeout(WINDOW * 2, server.write_all(&[0; 4096])).await.unwrap().unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test(start_paused = true)]
    async fn so_is_one_that_takes_a_byte_now_and_then() {
        let (server, mut client) = duplex(1024);
        tokio::spawn(async move {
            loop {
                sleep(Duration::from_secs(1)).await;
                if client.read_exact(&mut [0; 100]).await.is_err() {
                    break;
                }
            }
        });
        let mut server = Paced::new(server);
        let error = timeout(WINDOW * 2, server.write_all(&[0; 1 << 20])).await.unwrap();
        assert_eq!(error.unwrap_err().kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_client_gets_all_of_a_long_file() {
        let (server, mut client) = duplex(1024);
        let reading = tokio::spawn(async move {
            let mut total_bytes = 0;
            loop {
                sleep(Duration::from_secs(1)).await;
                match client.read(&mut [0; 1024]).await.unwrap() {
                    0 => return total_bytes,
                    bytes => total_bytes += bytes,
                }
            }
        });
        let mut server = Paced::new(server);
        server.write_all(&[0; 1 << 20]).await.unwrap();
        drop(server);
        assert_eq!(reading.await.unwrap(), 1 << 20);
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_may_rest_between_two_answers() {
        let (server, mut client) = duplex(1024);
        let mut server = Paced::new(server);
        for _ in 0..3 {
            let reading = async {
                sleep(WINDOW - Duration::from_secs(1)).await;
                client.read_exact(&mut [0; 2048]).await.unwrap();
            };
            let (written, _) = tokio::join!(server.write_all(&[0; 2048]), reading);
            written.unwrap();
            server.flush().await.unwrap();
            sleep(WINDOW * 2).await;
        }
    }
}
