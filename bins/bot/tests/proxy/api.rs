//! The Bot API as the bot behind sees it.

use std::{collections::BTreeMap, net::SocketAddr, time::Duration};

use reqwest::{Client, Response};
use rollcall_simulator::Simulator;
use rollcall_testkit::ThrowAwayDatabase;
use serde_json::{Value, json};
use tokio::{sync::watch, task::JoinHandle, time::timeout};

use super::{behind::free_address, running::RunningBot};

const PATIENCE: Duration = Duration::from_secs(60);

/// A Bot API server, and the token that the bot behind uses there.
#[derive(Clone)]
pub(crate) struct Api {
    pub(crate) address: SocketAddr,
    pub(crate) token: String,
    pub(crate) http: Client,
}

impl Api {
    /// A place for the server, where nothing runs yet.
    pub(crate) async fn new(telegram: &Simulator) -> Self {
        let http = Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        Self { address: free_address().await, token: telegram.token().to_owned(), http }
    }

    /// Starts Rollcall as this server, and waits until it takes updates.
    pub(crate) async fn serve(
        &self,
        telegram: &Simulator,
        database: &ThrowAwayDatabase,
        settings: &[(&str, &str)],
    ) -> RunningBot {
        let bot = self.launch(telegram, database, settings);
        bot.said("ready: @").await;
        bot
    }

    /// The same without waiting.
    pub(crate) fn launch(
        &self,
        telegram: &Simulator,
        database: &ThrowAwayDatabase,
        settings: &[(&str, &str)],
    ) -> RunningBot {
        let address = self.address.to_string();
        let own = [("API_PROXY_ADDR", address.as_str())];
        RunningBot::launch(telegram, database, &[&own, settings].concat())
    }

    pub(crate) fn url(&self, method: &str) -> String {
        format!("http://{}/bot{}/{method}", self.address, self.token)
    }

    /// Calls a method; `Err` if there is no response.
    pub(crate) async fn try_call(
        &self,
        method: &str,
        parameters: &Value,
    ) -> reqwest::Result<Value> {
        let sent: Response = self.http.post(self.url(method)).json(parameters).send().await?;
        sent.json().await
    }

    pub(crate) async fn call(&self, method: &str, parameters: Value) -> Value {
        self.try_call(method, &parameters).await.unwrap()
    }

    /// The ids in the answer to a getUpdates.
    pub(crate) async fn updates(&self, parameters: Value) -> Vec<i64> {
        let answer = self.call("getUpdates", parameters).await;
        let updates = answer["result"].as_array().unwrap_or_else(|| panic!("{answer}"));
        updates.iter().map(|update| update["update_id"].as_i64().unwrap()).collect()
    }
}

/// A bot that polls, as a framework does.
pub(crate) struct Poller {
    api: Api,
    counts: watch::Sender<BTreeMap<i64, u64>>,
    running: JoinHandle<()>,
}

impl Poller {
    pub(crate) fn start(api: &Api) -> Self {
        let counts = watch::Sender::new(BTreeMap::new());
        let running = tokio::spawn(poll(api.clone(), counts.clone()));
        Self { api: api.clone(), counts, running }
    }

    /// Ends at once, as a killed process does.
    pub(crate) fn kill(&self) {
        self.running.abort();
    }

    /// Runs again, and has forgotten its offset.
    pub(crate) fn resume(&mut self) {
        self.kill();
        self.running = tokio::spawn(poll(self.api.clone(), self.counts.clone()));
    }

    /// How often it got each update.
    pub(crate) fn counts(&self) -> BTreeMap<i64, u64> {
        self.counts.borrow().clone()
    }

    /// Waits until it has got so many updates.
    pub(crate) async fn has_got(&self, number: usize) {
        let mut counts = self.counts.subscribe();
        let got = timeout(PATIENCE, counts.wait_for(|counts| counts.len() >= number)).await;
        assert!(matches!(got, Ok(Ok(_))), "{} instead of {number}", self.counts().len());
    }
}

impl Drop for Poller {
    fn drop(&mut self) {
        self.kill();
    }
}

async fn poll(api: Api, counts: watch::Sender<BTreeMap<i64, u64>>) {
    let mut offset = 0;
    loop {
        let parameters = json!({"offset": offset, "timeout": 20});
        let answer = api.try_call("getUpdates", &parameters).await.unwrap_or_default();
        let Some(updates) = answer["result"].as_array() else {
            // Rollcall is away, as a framework would see it.
            tokio::time::sleep(Duration::from_millis(20)).await;
            continue;
        };
        for update in updates {
            let id = update["update_id"].as_i64().unwrap();
            counts.send_modify(|counts| *counts.entry(id).or_default() += 1);
            offset = offset.max(id + 1);
        }
    }
}
