//! The HTTP client that delivers updates to webhooks.

use std::error::Error as StdError;
use std::io;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderValue, Request, StatusCode, Uri, header};
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;

/// Longer response bodies are an error.
const LONGEST_RESPONSE_BYTES: usize = 16 << 20;

/// Sends POST requests and keeps its connections open. Clones share the connections.
#[derive(Clone, Debug)]
pub(crate) struct HttpClient(Client<HttpConnector, Body>);

/// The response to a POST request.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: StatusCode,
    pub(crate) body: Bytes,
}

/// Why there is no response. getWebhookInfo shows these messages.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PostError {
    #[error("Connection refused")]
    Refused,
    #[error("Connection closed")]
    Closed(#[source] Box<dyn StdError + Send + Sync>),
}

impl HttpClient {
    pub(crate) fn new() -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        Self(Client::builder(TokioExecutor::new()).build(connector))
    }

    /// Sends a JSON body.
    pub(crate) async fn post_json(
        &self,
        url: &Uri,
        headers: &HeaderMap,
        json: &str,
    ) -> Result<Response, PostError> {
        let request = Request::post(url).body(Body::from(json.to_owned()));
        let mut request = request.map_err(PostError::new)?;
        request.headers_mut().clone_from(headers);
        let json = HeaderValue::from_static("application/json");
        request.headers_mut().insert(header::CONTENT_TYPE, json);
        let response = self.0.request(request).await.map_err(PostError::new)?;
        let status = response.status();
        let body = axum::body::to_bytes(Body::new(response.into_body()), LONGEST_RESPONSE_BYTES);
        Ok(Response { status, body: body.await.map_err(PostError::new)? })
    }
}

impl PostError {
    fn new(error: impl StdError + Send + Sync + 'static) -> Self {
        let mut cause: Option<&(dyn StdError + 'static)> = Some(&error);
        while let Some(error) = cause {
            let io = error.downcast_ref::<io::Error>();
            if io.is_some_and(|io| io.kind() == io::ErrorKind::ConnectionRefused) {
                return Self::Refused;
            }
            cause = error.source();
        }
        Self::Closed(error.into())
    }
}

/// Parses an absolute `http://` URL; `None` for anything else.
pub(crate) fn parse_url(url: &str) -> Option<Uri> {
    let url: Uri = url.parse().ok()?;
    (url.scheme_str() == Some("http") && url.authority().is_some()).then_some(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_http_urls_are_accepted() {
        for url in ["http://127.0.0.1:8080/hook?a=1", "http://bot.test", "http://[::1]/x"] {
            assert!(parse_url(url).is_some(), "{url}");
        }
        for url in ["https://bot.test/", "http://bot.test/a b", "bot.test", "/hook", ""] {
            assert_eq!(parse_url(url), None, "{url}");
        }
    }
}
