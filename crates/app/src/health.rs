//! Monitoring of the bot: `/metrics`, `/healthz` and `/readyz`.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use anyhow::Context;
use axum::{Router, extract::State, http::StatusCode, routing::get};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use rollcall_domain::error_chain;
use rollcall_repository_diesel::{Database, MigrationState};
use rollcall_service::UserService;
use rollcall_telegram::Readiness;
use tokio::time::timeout;

/// The paths. A webhook cannot use them.
pub(crate) const PATHS: [&str; 3] = ["/metrics", "/healthz", "/readyz"];
/// How long the database may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);
/// How often measurements are added up; they take memory until then.
const ADD_UP_EVERY: Duration = Duration::from_secs(5);

/// Bounds of the histograms of durations, in seconds: from a fast commit to a hopeless one.
const SECONDS: [f64; 12] =
    [0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2.0, 10.0];
/// Bounds of the histogram of batches, in interactions.
const INTERACTIONS: [f64; 9] = [1.0, 2.0, 5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 1000.0];

/// The state of the bot for monitoring. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Health {
    metrics: PrometheusHandle,
    parts: Arc<OnceLock<Parts>>,
}

/// The parts to look at once the bot has started.
struct Parts {
    database: Database,
    users: UserService,
    readiness: Readiness,
}

impl Health {
    /// Installs the recorder of metrics. Call it once, before the first metric.
    pub(crate) fn new() -> anyhow::Result<Self> {
        let metrics = PrometheusBuilder::new()
            .set_buckets_for_metric(Matcher::Suffix("_seconds".into()), &SECONDS)?
            .set_buckets_for_metric(Matcher::Suffix("_interactions".into()), &INTERACTIONS)?
            .install_recorder()
            .context("cannot install the metrics recorder")?;
        describe();
        metrics::gauge!("rollcall_build_info", "version" => env!("CARGO_PKG_VERSION")).set(1);
        let adding = metrics.clone();
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(ADD_UP_EVERY).await;
                adding.run_upkeep();
            }
        });
        Ok(Self { metrics, parts: Arc::default() })
    }

    /// Notes that the bot has started.
    pub(crate) fn started(&self, database: Database, users: UserService, readiness: Readiness) {
        // It starts once.
        let _first = self.parts.set(Parts { database, users, readiness });
    }

    pub(crate) fn router(self) -> Router {
        let [metrics, healthz, readyz] = PATHS;
        Router::new()
            .route(metrics, get(async |State(health): State<Self>| health.render()))
            .route(healthz, get(async || "alive\n"))
            .route(readyz, get(async |State(health): State<Self>| health.ready().await))
            .with_state(self)
    }

    /// All metrics, in Prometheus' text format.
    fn render(&self) -> String {
        if let Some(parts) = self.parts.get() {
            let (idle, busy) = parts.database.connections();
            metrics::gauge!("rollcall_database_connections", "state" => "idle").set(idle);
            metrics::gauge!("rollcall_database_connections", "state" => "busy").set(busy);
            let queued = u32::try_from(parts.users.queued()).unwrap_or(u32::MAX);
            metrics::gauge!("rollcall_queued_interactions").set(queued);
        }
        self.metrics.render()
    }

    async fn ready(&self) -> (StatusCode, String) {
        match self.problem().await {
            None => (StatusCode::OK, "ready\n".to_owned()),
            Some(why) => (StatusCode::SERVICE_UNAVAILABLE, format!("not ready: {why}\n")),
        }
    }

    /// The reason why the bot is not ready, if there is one.
    async fn problem(&self) -> Option<String> {
        let Some(Parts { database, users, readiness }) = self.parts.get() else {
            return Some("starting: Telegram or the database has not answered yet".to_owned());
        };
        if let Some(under_way) = users.stalled() {
            let seconds = under_way.as_secs();
            return Some(format!(
                "the database has not answered a registration for {seconds} seconds"
            ));
        }
        let migrations = match timeout(PATIENCE, database.migrations()).await {
            Ok(Ok(migrations)) => migrations,
            Ok(Err(error)) => return Some(error_chain(&error)),
            Err(_) => return Some("the database does not answer".to_owned()),
        };
        if migrations.iter().any(|(_, state)| *state == MigrationState::Pending) {
            return Some("the database lacks migrations".to_owned());
        }
        readiness.problem()
    }
}

/// Describes each metric.
fn describe() {
    use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};
    describe_counter!("rollcall_events_total", "Events of users for EVENTS_URL, by outcome");
    describe_gauge!(
        "rollcall_events_longest_wait_seconds",
        Unit::Seconds,
        "How long the oldest event has waited for its delivery"
    );
    describe_counter!("rollcall_updates_total", "Updates received, by kind and outcome");
    describe_counter!(
        "rollcall_registrations_total",
        "Interactions registered, by whether they created their user"
    );
    describe_counter!(
        "rollcall_set_aside_total",
        "Updates quarantined because they could not be read or registered"
    );
    describe_counter!(
        "rollcall_api_refused_total",
        "Requests to the API with an unknown or revoked key"
    );
    describe_counter!("rollcall_sends_total", "Messages sent, by outcome");
    describe_counter!("rollcall_send_waits_total", "How often Telegram asked to wait (429)");
    describe_counter!(
        "rollcall_broadcast_messages_total",
        "Recipients of broadcasts that were sent to, by outcome"
    );
    describe_counter!(
        "rollcall_commands_unanswered_total",
        "Commands and buttons left unanswered, by the limit that was reached"
    );
    describe_counter!("rollcall_errors_total", "Errors, by class");
    describe_counter!("rollcall_presses_total", "Buttons pressed, by outcome");
    describe_counter!(
        "rollcall_refreshes_total",
        "Refreshes of the schedule and the scores, by outcome"
    );
    describe_counter!("rollcall_games_fetched_total", "Games fetched, by the change they caused");
    describe_counter!(
        "rollcall_slow_database_work_total",
        "Database work that took longer than half a second"
    );
    describe_counter!(
        "rollcall_proxy_refused_total",
        "Requests of the bot behind with another token"
    );
    describe_counter!(
        "rollcall_webhook_refused_total",
        "Webhook requests with a wrong or missing secret"
    );
    describe_counter!(
        "rollcall_sign_in_attempts_total",
        "Attempts to sign in to the web admin with a password, link or second factor, by outcome"
    );
    describe_counter!(
        "rollcall_new_devices_total",
        "Sign-ins to the web admin on an unknown device"
    );
    describe_counter!(
        "rollcall_http_connections_closed_total",
        "HTTP connections closed at a limit, by the limit"
    );
    describe_counter!(
        "rollcall_made_up_updates_total",
        "Commands and buttons in another person's private chat, which Telegram never sends"
    );
    describe_histogram!("rollcall_batch_interactions", "Interactions in a transaction");
    describe_histogram!("rollcall_commit_seconds", Unit::Seconds, "Duration of a transaction");
    describe_histogram!(
        "rollcall_handler_seconds",
        Unit::Seconds,
        "Duration of a command or button press, including the sending of its answer"
    );
    describe_gauge!("rollcall_queued_interactions", "Interactions queued or being registered");
    describe_gauge!(
        "rollcall_update_lag_seconds",
        Unit::Seconds,
        "Age of the latest update when it was received"
    );
    describe_gauge!("rollcall_database_connections", "Connections to the database, by state");
    describe_gauge!("rollcall_replica_up", "Whether the replica can be read (1) or not (0)");
    describe_gauge!(
        "rollcall_replica_lag_seconds",
        Unit::Seconds,
        "How far the replica is behind the primary"
    );
    describe_counter!(
        "rollcall_replica_failed_reads_total",
        "Reads that failed on the replica and were done on the primary"
    );
    describe_gauge!("rollcall_build_info", "The running version");
}
