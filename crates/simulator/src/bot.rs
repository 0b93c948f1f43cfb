//! The smallest bot, for this crate's own tests: it calls methods over HTTP.

use std::io;

use serde_json::Value;

use crate::http::{Connection, HttpUrl, Reply};
use crate::simulator::Simulator;

#[derive(Clone, Debug)]
pub(crate) struct Bot {
    server: String,
    token: String,
}

impl Bot {
    pub(crate) fn of(telegram: &Simulator) -> Self {
        Self { server: telegram.url(), token: telegram.token().to_owned() }
    }

    pub(crate) fn with_token(&self, token: &str) -> Self {
        Self { server: self.server.clone(), token: token.to_owned() }
    }

    /// Calls a method and answers the HTTP status and the body.
    pub(crate) async fn call(&self, method: &str, params: Value) -> (u16, Value) {
        let reply = self.try_call(method, params).await.unwrap();
        (reply.status, serde_json::from_slice(&reply.body).unwrap())
    }

    pub(crate) async fn try_call(&self, method: &str, params: Value) -> io::Result<Reply> {
        let url = HttpUrl::parse(&format!("{}/bot{}/{method}", self.server, self.token)).unwrap();
        Connection::open(&url).await?.post(&url, "", &params.to_string()).await
    }

    /// Calls getUpdates, which has to succeed.
    pub(crate) async fn updates(&self, params: Value) -> Vec<Value> {
        let (status, mut answer) = self.call("getUpdates", params).await;
        assert_eq!(status, 200, "{answer}");
        serde_json::from_value(answer["result"].take()).unwrap()
    }
}
