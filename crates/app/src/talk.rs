//! One connection of a client: its requests are answered, one after another.
//!
//! A request is often answered before its body is read, for example because it is too large. Then the
//! connection cannot be used again, and the response says so (RFC 9112, section 9.6). A server that closes
//! a connection while data arrives on it resets it, and the client may lose the response. So the rest of
//! the body is read first, within limits, and thrown away.

use std::{
    convert::Infallible,
    error::Error,
    pin::{Pin, pin},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use hyper::{
    Request, Response,
    body::{Body, Bytes, Frame, Incoming, SizeHint},
    header::{CONNECTION, HeaderValue},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    time::timeout,
};

/// The most of a client's data that is thrown away before its connection is closed.
const REST_BYTES: usize = 64 << 20;
/// How long that may take.
const REST_TIME: Duration = Duration::from_secs(30);
/// How long the client may send nothing meanwhile.
const REST_PAUSE: Duration = Duration::from_secs(5);

/// Answers the requests of one connection until the client ends it, or until `stopping` resolves and the
/// present request is answered.
///
/// # Errors
/// If the connection breaks, or the client sends something that is not HTTP.
pub(crate) async fn talk<S, A, F, B>(
    mut stream: S,
    http: &http1::Builder,
    answer: A,
    stopping: impl Future<Output = ()>,
) -> hyper::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
    A: Fn(Request<Watched>) -> F,
    F: Future<Output = Response<B>>,
    B: Body + 'static,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    let is_read = Arc::new(AtomicBool::new(true));
    let service = service_fn(|request: Request<Incoming>| {
        let answered = answer(request.map(|body| Watched::new(body, Arc::clone(&is_read))));
        let is_read = Arc::clone(&is_read);
        async move {
            let mut response = answered.await;
            if !is_read.load(Ordering::Relaxed) {
                response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            }
            Ok::<_, Infallible>(response)
        }
    });
    let mut stopping = pin!(stopping);
    let talked = {
        let mut connection = pin!(http.serve_connection(TokioIo::new(&mut stream), service));
        tokio::select! {
            talked = connection.as_mut() => talked,
            () = stopping.as_mut() => {
                connection.as_mut().graceful_shutdown();
                return connection.await;
            }
        }
    };
    // What is not HTTP has been answered too.
    if talked.as_ref().err().is_none_or(hyper::Error::is_parse) {
        tokio::select! {
            () = drain(&mut stream) => {}
            () = stopping => {}
        }
    }
    talked
}

/// Reads what the client still sends, until it closes the connection or a limit is reached.
async fn drain(stream: &mut (impl AsyncRead + AsyncWrite + Unpin)) {
    // Shows the client the end of the response.
    if stream.shutdown().await.is_err() {
        return;
    }
    let mut buffer = vec![0; 16 << 10];
    let mut rest_bytes = REST_BYTES;
    let reading = async {
        while let Ok(Ok(bytes)) = timeout(REST_PAUSE, stream.read(&mut buffer)).await {
            rest_bytes = rest_bytes.saturating_sub(bytes);
            if bytes == 0 || rest_bytes == 0 {
                break;
            }
        }
    };
    if timeout(REST_TIME, reading).await.is_err() {
        log::debug!("a client still sent the body of a request that was answered");
    }
}

/// The body of a request, which notes when all of it was read.
pub(crate) struct Watched {
    body: Incoming,
    is_read: Arc<AtomicBool>,
}

impl Watched {
    fn new(body: Incoming, is_read: Arc<AtomicBool>) -> Self {
        is_read.store(body.is_end_stream(), Ordering::Relaxed);
        Self { body, is_read }
    }
}

impl Body for Watched {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<hyper::Result<Frame<Bytes>>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        if frame.is_none() || self.body.is_end_stream() {
            self.is_read.store(true, Ordering::Relaxed);
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{DuplexStream, duplex},
        time::{Instant, sleep},
    };

    use super::*;

    /// Every body is refused unread.
    fn serve(stream: DuplexStream) -> tokio::task::JoinHandle<hyper::Result<()>> {
        tokio::spawn(async move {
            let refuse = |_| async { Response::new("too large".to_owned()) };
            talk(stream, &http1::Builder::new(), refuse, std::future::pending()).await
        })
    }

    const HEAD: &[u8] = b"POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 999999999\r\n\r\n";

    #[tokio::test(start_paused = true)]
    async fn a_client_that_sends_on_gets_the_response() {
        let (client, server) = duplex(4096);
        let served = serve(server);
        let (mut reader, mut writer) = tokio::io::split(client);
        writer.write_all(HEAD).await.unwrap();
        writer.write_all(&[b' '; 1 << 20]).await.unwrap();
        let mut response = String::new();
        reader.read_to_string(&mut response).await.unwrap();
        assert!(response.contains("connection: close"), "{response}");
        assert!(response.ends_with("too large"), "{response}");
        drop((reader, writer));
        served.await.unwrap().unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn neither_endless_nor_slow_bodies_are_read_for_ever() {
        // As fast as it can.
        let (mut client, server) = duplex(64 << 10);
        let served = serve(server);
        client.write_all(HEAD).await.unwrap();
        let sent = client.write_all(&vec![b' '; 2 * REST_BYTES]).await;
        assert!(sent.is_err());
        served.await.unwrap().unwrap();
        // A little now and then, and nothing.
        for (pause, expected) in
            [(Duration::from_secs(1), REST_TIME), (Duration::from_secs(60), REST_PAUSE)]
        {
            let (mut client, server) = duplex(4096);
            let served = serve(server);
            client.write_all(HEAD).await.unwrap();
            let started = Instant::now();
            tokio::spawn(async move {
                while client.write_all(b" ").await.is_ok() {
                    sleep(pause).await;
                }
            });
            served.await.unwrap().unwrap();
            assert_eq!(started.elapsed().as_secs(), expected.as_secs());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_was_read_ends_nothing() {
        let (mut client, server) = duplex(4096);
        tokio::spawn(async move {
            let answer = |request: Request<Watched>| async move {
                let mut body = pin!(request.into_body());
                while std::future::poll_fn(|it| body.as_mut().poll_frame(it)).await.is_some() {}
                Response::new(String::new())
            };
            talk(server, &http1::Builder::new(), answer, std::future::pending()).await
        });
        let sized = "POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 2\r\n\r\nab";
        let chunked =
            "POST / HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n";
        let without = "GET / HTTP/1.1\r\nhost: h\r\n\r\n";
        for request in [sized, chunked, without, sized] {
            client.write_all(request.as_bytes()).await.unwrap();
            let mut buffer = [0; 1024];
            let bytes = client.read(&mut buffer).await.unwrap();
            let response = String::from_utf8_lossy(&buffer[..bytes]);
            assert!(response.starts_with("HTTP/1.1 200 "), "{request}: {response}");
            assert!(!response.contains("close"), "{request}: {response}");
        }
    }
}
