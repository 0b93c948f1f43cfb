//! The HTTP server: what is behind [`LISTEN_ADDR`](crate::settings).

use std::{
    net::SocketAddr,
    pin::pin,
    sync::{Arc, OnceLock},
    time::Duration,
};

use anyhow::Context;
use axum::{
    Router,
    body::Bytes,
    extract::{ConnectInfo, DefaultBodyLimit, FromRequest, Request, State},
    http::{HeaderValue, StatusCode},
    response::{IntoResponse, Response},
    routing::post,
};
use hyper::{
    server::conn::http1,
    service::{Service, service_fn},
};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use rollcall_telegram::Receiver;
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinSet,
    time::{sleep, timeout},
};

use crate::shutdown::Shutdown;

/// The header that shows that a request comes from Telegram (Bot API, "setWebhook").
const SECRET: &str = "x-telegram-bot-api-secret-token";
/// The largest body that is read. An update is a few KiB.
const LARGEST_BODY_BYTES: usize = 1 << 20;
/// How long a request's head may take to come, and a connection to do nothing.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);
/// How long a request's body may take to come.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);
/// Pause where no connection can be accepted, such as for want of file descriptors.
const PAUSE: Duration = Duration::from_secs(1);
/// How long requests that are under way may take when the server ends.
const LAST_REQUESTS: Duration = Duration::from_secs(3);

/// Binds the address of the setting `LISTEN_ADDR`.
///
/// # Errors
/// When it is taken, or is none of this machine's.
pub(crate) async fn listen(address: SocketAddr) -> anyhow::Result<TcpListener> {
    let listener = TcpListener::bind(address).await;
    listener.with_context(|| format!("LISTEN_ADDR: cannot listen on {address}"))
}

/// Takes updates at `path` and hands them to `receiver`, once it is there.
pub(crate) fn webhook(path: &str, receiver: Arc<OnceLock<Receiver>>) -> Router {
    Router::new()
        // A colon is a letter like any other; braces do not occur, since URLs encode them.
        .without_v07_checks()
        .route(path, post(take_update))
        .layer(DefaultBodyLimit::max(LARGEST_BODY_BYTES))
        .with_state(receiver)
}

async fn take_update(
    State(receiver): State<Arc<OnceLock<Receiver>>>,
    request: Request,
) -> Response {
    // Of a bot that still starts; Telegram tries again.
    let Some(receiver) = receiver.get() else {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    };
    // Before the body is read: strangers are not to fill the memory.
    if !receiver.admits(request.headers().get(SECRET).map(HeaderValue::as_bytes)) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    match timeout(BODY_TIMEOUT, Bytes::from_request(request, &())).await {
        Err(_) => StatusCode::REQUEST_TIMEOUT.into_response(),
        Ok(Err(rejection)) => rejection.into_response(),
        Ok(Ok(body)) => match receiver.receive(body).await {
            Ok(()) => StatusCode::OK.into_response(),
            // Telegram brings again what was answered with anything but 2xx.
            Err(_) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
        },
    }
}

/// Serves until the process is to end; then accepts nothing more, and answers what is under way.
///
/// Not axum's own server, which gives requests all the time in the world.
pub(crate) async fn serve(listener: TcpListener, router: Router, shutdown: Shutdown) {
    let mut stopping = pin!(shutdown.clone().requested());
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            () = &mut stopping => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                connections.spawn(talk(stream, peer, router.clone(), shutdown.clone()));
            }
            Err(error) => {
                log::warn!(error:% = error; "a connection was not accepted");
                sleep(PAUSE).await;
            }
        }
        // Those that have ended are forgotten.
        while connections.try_join_next().is_some() {}
    }
    drop(listener);
    log::info!("stopping: no more requests are accepted");
    let ended = async { while connections.join_next().await.is_some() {} };
    if timeout(LAST_REQUESTS, ended).await.is_err() {
        log::warn!("some requests were not answered in time; what they brought comes again");
        // From here on nothing is confirmed.
        connections.shutdown().await;
    }
}

/// Answers the requests of one connection, one after the other. Each is told whose it is.
async fn talk(stream: TcpStream, peer: SocketAddr, router: Router, shutdown: Shutdown) {
    let router = TowerToHyperService::new(router);
    let service = service_fn(move |mut request: hyper::Request<hyper::body::Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        router.call(request)
    });
    let mut connection = pin!(
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_TIMEOUT)
            .serve_connection(TokioIo::new(stream), service)
    );
    let talked = tokio::select! {
        talked = connection.as_mut() => talked,
        () = shutdown.requested() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = talked {
        log::debug!(error:% = error; "a connection ended badly");
    }
}
