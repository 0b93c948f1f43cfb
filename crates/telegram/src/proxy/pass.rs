//! Passes calls and files on to Telegram, and the responses back.

use hyper::{
    HeaderMap, Request, Response, StatusCode,
    body::{Body as _, Bytes},
    header::{CONTENT_LENGTH, CONTENT_TYPE, HOST, HeaderValue},
};
use reqwest::Body;
use rollcall_service::UserService;

use super::{
    body::{Peeked, read_all},
    learn::learn,
    params::Params,
    response::{refuse, refuse_for, remove_of_connection},
    sending::sends,
};
use crate::{
    client::{CallError, Client},
    outbox::Outbox,
};

/// The largest body of a request or of an error that is read whole.
const SMALL_BYTES: u64 = 64 << 10;

/// What passes calls on.
pub(super) struct Passing {
    client: Client,
    outbox: Outbox,
    users: UserService,
}

/// What is known of the parameters of a call.
struct Given {
    query: String,
    content_type: String,
    /// The beginning of the body.
    head: Bytes,
}

impl Given {
    /// The chat of the call, if it is given by its id.
    fn chat_id(&self) -> Option<i64> {
        let params = Params::read(&self.query, &self.content_type, &self.head).ok()?;
        params.number("chat_id").or_else(|| params.number("user_id"))
    }
}

impl Passing {
    pub(super) fn new(client: Client, outbox: Outbox, users: UserService) -> Self {
        Self { client, outbox, users }
    }

    /// Passes a call of a method on, in its turn if it sends something.
    pub(super) async fn call(&self, method: &str, request: Request<Body>) -> Response<Body> {
        let (parts, body) = request.into_parts();
        let name = method.to_ascii_lowercase();
        let sends = sends(&name);
        let query = parts.uri.query().unwrap_or_default();
        let place = match query {
            "" => format!("/bot{}/{method}", self.client.token().secret()),
            query => format!("/bot{}/{method}?{query}", self.client.token().secret()),
        };
        let is_small = body.size_hint().exact().is_some_and(|bytes| bytes <= SMALL_BYTES);
        let mut given = Given {
            query: query.to_owned(),
            content_type: text(parts.headers.get(CONTENT_TYPE)),
            head: Bytes::new(),
        };
        let body = if is_small || sends {
            let Ok(peeked) = Peeked::read(body).await else { return cut_off() };
            given.head = peeked.head();
            peeked.into_body()
        } else {
            body
        };
        if sends && let Err(wait) = self.outbox.pass(given.chat_id()).await {
            return refuse_for(wait);
        }
        match self.relay(parts.method, &place, parts.headers, body).await {
            Ok(response) => self.read_error(response, &given).await,
            Err(response) => response,
        }
    }

    /// Passes the request for a file on.
    pub(super) async fn file(&self, path: &str, request: Request<Body>) -> Response<Body> {
        let (parts, body) = request.into_parts();
        let place = format!("/file/bot{}/{path}", self.client.token().secret());
        let relayed = self.relay(parts.method, &place, parts.headers, body).await;
        relayed.unwrap_or_else(|response| response)
    }

    /// Sends a request on. Returns the response, or what to respond instead.
    async fn relay(
        &self,
        method: hyper::Method,
        place: &str,
        mut headers: HeaderMap,
        body: Body,
    ) -> Result<Response<Body>, Response<Body>> {
        headers.remove(HOST);
        remove_of_connection(&mut headers);
        let response = match self.client.relay(method, place, headers, body).await {
            Ok(response) => response,
            Err(error) => return Err(unreachable(&error)),
        };
        let status = response.status();
        if status.is_redirection() && status != StatusCode::NOT_MODIFIED {
            log::warn!("the Bot API server redirects elsewhere, which is not followed");
            let description = "Bad Gateway: the Bot API server redirects elsewhere";
            return Err(refuse(StatusCode::BAD_GATEWAY, description));
        }
        let mut response = Response::<Body>::from(response);
        remove_of_connection(response.headers_mut());
        Ok(response)
    }

    /// Learns from the response if it is an error, and returns it as it was.
    async fn read_error(&self, response: Response<Body>, given: &Given) -> Response<Body> {
        let status = response.status();
        let is_small = response.body().size_hint().exact().is_some_and(|it| it <= SMALL_BYTES);
        if !(status.is_client_error() || status.is_server_error()) || !is_small {
            return response;
        }
        let (parts, body) = response.into_parts();
        let limit = usize::try_from(SMALL_BYTES).unwrap_or(usize::MAX);
        let Ok(Some(bytes)) = read_all(body, limit).await else {
            let description = "Bad Gateway: the response of the Bot API server was cut off";
            return refuse(StatusCode::BAD_GATEWAY, description);
        };
        let (client, outbox, users) = (&self.client, &self.outbox, &self.users);
        learn(client, outbox, users, given.chat_id(), (status.as_u16(), &bytes));
        Response::from_parts(parts, Body::from(bytes))
    }
}

/// The response to a request whose body did not come whole, which nobody may read any more.
fn cut_off() -> Response<Body> {
    refuse(StatusCode::BAD_REQUEST, "Bad Request: the body of the request was cut off")
}

/// The response while the Bot API server cannot be reached.
fn unreachable(error: &CallError) -> Response<Body> {
    log::debug!(error = rollcall_domain::error_chain(error); "a call of the bot behind did not pass");
    let description = "Bad Gateway: the Bot API server cannot be reached";
    let mut response = refuse(StatusCode::BAD_GATEWAY, description);
    response.headers_mut().remove(CONTENT_LENGTH);
    response
}

fn text(header: Option<&HeaderValue>) -> String {
    header.and_then(|header| header.to_str().ok()).unwrap_or_default().to_owned()
}
