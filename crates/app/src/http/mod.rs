//! The HTTP server: what is behind [`LISTEN_ADDR`](crate::settings).

mod connections;
mod descriptors;
mod paced;
mod security_txt;
mod webhook;

use std::{net::SocketAddr, pin::pin, sync::Arc, time::Duration};

use anyhow::Context;
use axum::{Router, extract::ConnectInfo};
use hyper::{server::conn::http1, service::Service};
use hyper_util::{rt::TokioTimer, service::TowerToHyperService};
use ipnet::IpNet;
use tokio::{
    net::{TcpListener, TcpSocket, TcpStream},
    task::JoinSet,
    time::{sleep, timeout},
};

pub(crate) use self::{
    connections::Ticket,
    security_txt::{SECURITY_TXT, SecurityContact, security_txt},
    webhook::webhook,
};
use self::{
    connections::{Connections, Limits},
    paced::Paced,
};
use crate::{shutdown::Shutdown, talk};

/// How long a request's head may take to come, and a connection to do nothing.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);
/// The most of a request that is held before it is looked at: its head, or a piece of its body.
const BUFFER_BYTES: usize = 32 * 1024;
/// The most of an answer that the kernel holds for a client: what is on its way at 20 Mbit/s and a
/// tenth of a second. By itself the kernel would hold up to 4 MiB for each.
const SEND_BUFFER_BYTES: u32 = 256 * 1024;
/// How many connections may wait to be accepted.
const BACKLOG: u32 = 1024;
/// Pause where no connection can be accepted, such as for want of file descriptors.
const PAUSE: Duration = Duration::from_secs(1);
/// How long requests that are under way may take when the server ends.
const LAST_REQUESTS: Duration = Duration::from_secs(3);

/// Binds the address of a setting, such as `LISTEN_ADDR`.
///
/// # Errors
/// When it is taken, or is none of this machine's.
pub(crate) fn listen(setting: &str, address: SocketAddr) -> anyhow::Result<TcpListener> {
    let bind = || {
        let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        socket.set_reuseaddr(true)?;
        // The connections that it accepts inherit this.
        socket.set_send_buffer_size(SEND_BUFFER_BYTES)?;
        socket.bind(address)?;
        socket.listen(BACKLOG)
    };
    bind().with_context(|| format!("{setting}: cannot listen on {address}"))
}

/// Serves until the process is to end; then accepts nothing more, and answers what is under way.
///
/// Not axum's own server, which gives requests all the time in the world.
pub(crate) async fn serve(
    listener: TcpListener,
    router: Router,
    trusted_proxies: Vec<IpNet>,
    shutdown: Shutdown,
) {
    let limits = Limits::new(descriptors::room_for_connections(), trusted_proxies);
    let open = Connections::new(limits);
    let mut stopping = pin!(shutdown.clone().requested());
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            () = &mut stopping => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                // Where there is no room, the client sees the connection closed.
                if let Some(ticket) = open.admit(peer.ip()) {
                    connections.spawn(talk(stream, peer, ticket, router.clone(), shutdown.clone()));
                }
            }
            Err(error) => {
                log::warn!(error:% = error; "cannot accept a connection");
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
        log::warn!("unanswered webhook updates will be redelivered");
        // From here on nothing is confirmed.
        connections.shutdown().await;
    }
}

/// Answers the requests of one connection, one after the other. Each is given the peer's address and
/// the connection's ticket.
async fn talk(
    stream: TcpStream,
    peer: SocketAddr,
    ticket: Ticket,
    router: Router,
    shutdown: Shutdown,
) {
    let ticket = Arc::new(ticket);
    let router = TowerToHyperService::new(router);
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT).max_buf_size(BUFFER_BYTES);
    let answer = |mut request: hyper::Request<talk::Watched>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        request.extensions_mut().insert(Arc::clone(&ticket));
        let answered = router.call(request);
        async move { answered.await.unwrap_or_else(|error| match error {}) }
    };
    let talked = tokio::select! {
        talked = talk::talk(Paced::new(stream), &http, answer, shutdown.requested()) => talked,
        () = ticket.closed() => return,
    };
    if let Err(error) = talked {
        log::debug!(error:% = error; "a connection ended with an error");
    }
}
