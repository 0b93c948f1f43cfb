//! The server behind `API_PROXY_ADDR`: a Bot API server for the bot behind.

use std::{pin::pin, sync::Arc, time::Duration};

use hyper::server::conn::http1;
use hyper_util::rt::TokioTimer;
use rollcall_telegram::ApiProxy;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    task::JoinSet,
    time::{sleep, timeout},
};

use crate::{shutdown::Shutdown, talk};

/// How many connections may be open. Further ones wait until others close.
const MOST_CONNECTIONS: usize = 1000;
/// How long a request's head may take to come, and a connection to do nothing.
const HEAD_TIMEOUT: Duration = Duration::from_secs(90);
/// The pause after a connection could not be accepted, for example because too many files are open.
const PAUSE: Duration = Duration::from_secs(1);
/// How long calls that are under way may take when the process stops.
const LAST_CALLS: Duration = Duration::from_secs(3);

/// Serves until the process should stop. Then it accepts nothing more, and finishes what is under way.
pub(crate) async fn serve(listener: TcpListener, proxy: ApiProxy, shutdown: Shutdown) {
    let mut stopping = pin!(shutdown.clone().requested());
    let open = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    let mut connections = JoinSet::new();
    loop {
        let accept = async {
            // The semaphore is never closed.
            let place = Arc::clone(&open).acquire_owned().await.ok();
            (listener.accept().await, place)
        };
        let (accepted, place) = tokio::select! {
            () = &mut stopping => break,
            accepted = accept => accepted,
        };
        match accepted {
            Ok((stream, _)) => {
                let talk = talk(stream, proxy.clone(), shutdown.clone());
                connections.spawn(async move {
                    talk.await;
                    drop(place);
                });
            }
            Err(error) => {
                log::warn!(error:% = error; "cannot accept a connection at API_PROXY_ADDR");
                sleep(PAUSE).await;
            }
        }
        // Those that have ended are dropped, so that the set stays small.
        while connections.try_join_next().is_some() {}
    }
    drop(listener);
    proxy.behind().end_pulls();
    let ended = async { while connections.join_next().await.is_some() {} };
    if timeout(LAST_CALLS, ended).await.is_err() {
        log::warn!("some calls of the bot behind are not finished");
    }
}

/// Answers the requests of one connection, one after another.
async fn talk(stream: TcpStream, proxy: ApiProxy, shutdown: Shutdown) {
    if let Err(error) = stream.set_nodelay(true) {
        log::debug!(error:%; "cannot send small packets at once");
    }
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT);
    let answer = |request| {
        let proxy = proxy.clone();
        async move { proxy.answer(request).await }
    };
    let talked = talk::talk(stream, &http, answer, shutdown.requested()).await;
    if let Err(error) = talked {
        log::debug!(error:%; "a connection of the bot behind ended with an error");
    }
}
