//! Answers the requests of the bot behind.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use hyper::{Request, Response, StatusCode, body::Bytes, header::CONTENT_TYPE};
use reqwest::Body;
use rollcall_domain::LogPace;
use rollcall_service::{SubscriptionService, UserService};

use super::{
    body::read_all,
    params::Params,
    pass::Passing,
    response::refuse,
    route::{Route, route},
    updates::Updates,
};
use crate::{behind::Behind, client::Client, error::BotError, outbox::Outbox};

/// The largest body of a method that is answered here.
const MOST_BYTES: usize = 1 << 20;

/// A Bot API server for another bot with the same token, which gets its updates here and whose other calls
/// go on to Telegram. Cheap to clone.
#[derive(Clone)]
pub struct ApiProxy {
    shared: Arc<Shared>,
}

struct Shared {
    client: Client,
    passing: Passing,
    updates: Updates,
    wrong_tokens: Mutex<LogPace>,
}

impl ApiProxy {
    pub(crate) async fn open(
        client: Client,
        outbox: Outbox,
        behind: Behind,
        users: UserService,
        subscriptions: SubscriptionService,
    ) -> Result<Self, BotError> {
        let updates = Updates::open(client.clone(), behind, subscriptions).await?;
        let passing = Passing::new(client.clone(), outbox, users);
        let shared = Shared { client, passing, updates, wrong_tokens: Mutex::default() };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// The bot behind, which is to get the updates.
    pub fn behind(&self) -> Behind {
        self.shared.updates.behind().clone()
    }

    /// Answers a request of the bot behind. Bodies stream through in both directions.
    pub async fn answer<B>(&self, request: Request<B>) -> Response<Body>
    where
        B: hyper::body::Body<Data = Bytes, Error = hyper::Error> + Send + Sync + 'static,
    {
        let request = request.map(Body::wrap);
        let path = request.uri().path().to_owned();
        match route(&path, self.shared.client.token()) {
            Route::Method(method) => self.call(method, request).await,
            Route::File(file) => self.shared.passing.file(file, request).await,
            Route::WrongToken => self.refuse_token(),
            Route::Unknown => refuse(StatusCode::NOT_FOUND, "Not Found"),
        }
    }

    async fn call(&self, method: &str, request: Request<Body>) -> Response<Body> {
        let updates = &self.shared.updates;
        let name = method.to_ascii_lowercase();
        match name.as_str() {
            "getupdates" | "setwebhook" | "deletewebhook" | "getwebhookinfo" => {}
            "logout" | "close" => {
                log::warn!(
                    method = name;
                    "the bot behind calls a method that ends the bot at this Bot API server, and so \
                     Rollcall's connection too"
                );
                return self.shared.passing.call(method, request).await;
            }
            _ => return self.shared.passing.call(method, request).await,
        }
        let params = match read(request).await {
            Ok(params) => params,
            Err(response) => return response,
        };
        match name.as_str() {
            "getupdates" => updates.get(&params).await,
            "setwebhook" => updates.set_webhook(&params).await,
            "deletewebhook" => updates.delete_webhook(&params).await,
            _ => updates.webhook_info().await,
        }
    }

    /// Refuses a request with another token, as Telegram does, and without asking it.
    fn refuse_token(&self) -> Response<Body> {
        metrics::counter!("rollcall_proxy_refused_total").increment(1);
        let mut pace = self.shared.wrong_tokens.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(requests) = pace.note(Instant::now()) {
            log::warn!(requests; "refused requests at API_PROXY_ADDR with another token");
        }
        refuse(StatusCode::UNAUTHORIZED, "Unauthorized")
    }
}

impl fmt::Debug for ApiProxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiProxy(…)")
    }
}

/// Reads the parameters of a method that is answered here.
async fn read(request: Request<Body>) -> Result<Params, Response<Body>> {
    let (parts, body) = request.into_parts();
    let kind = parts.headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let kind = kind.unwrap_or_default().to_owned();
    let body = match read_all(body, MOST_BYTES).await {
        Ok(Some(body)) => body,
        Ok(None) => {
            return Err(refuse(StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large"));
        }
        Err(_) => {
            let description = "Bad Request: the body of the request was cut off";
            return Err(refuse(StatusCode::BAD_REQUEST, description));
        }
    };
    Params::read(parts.uri.query().unwrap_or_default(), &kind, &body)
        .map_err(|_| refuse(StatusCode::BAD_REQUEST, "Bad Request: can't parse JSON object"))
}
