//! A minimal bot for this crate's own tests: it calls methods over HTTP.

use axum::http::HeaderMap;
use serde_json::Value;

use crate::http::client::{HttpClient, PostError, Response, parse_url};
use crate::simulator::Simulator;

#[derive(Clone, Debug)]
pub(crate) struct Bot {
    client: HttpClient,
    server: String,
    token: String,
}

impl Bot {
    pub(crate) fn of(telegram: &Simulator) -> Self {
        let (server, token) = (telegram.url(), telegram.token().to_owned());
        Self { client: HttpClient::new(), server, token }
    }

    pub(crate) fn with_token(&self, token: &str) -> Self {
        Self { token: token.to_owned(), ..self.clone() }
    }

    /// Calls a method and returns the HTTP status and the body.
    pub(crate) async fn call(&self, method: &str, params: Value) -> (u16, Value) {
        let response = self.try_call(method, params).await.unwrap();
        (response.status.as_u16(), serde_json::from_slice(&response.body).unwrap())
    }

    pub(crate) async fn try_call(
        &self,
        method: &str,
        params: Value,
    ) -> Result<Response, PostError> {
        let url = parse_url(&format!("{}/bot{}/{method}", self.server, self.token)).unwrap();
        self.client.post_json(&url, &HeaderMap::new(), &params.to_string()).await
    }

    /// Calls getUpdates, which has to succeed.
    pub(crate) async fn updates(&self, params: Value) -> Vec<Value> {
        let (status, mut answer) = self.call("getUpdates", params).await;
        assert_eq!(status, 200, "{answer}");
        serde_json::from_value(answer["result"].take()).unwrap()
    }
}
