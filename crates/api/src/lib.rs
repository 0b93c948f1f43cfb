//! Rollcall's HTTP API. A bot in any language sends its updates to `POST /ingest`, and programs read and
//! change what is stored under `/api/v1`.
//!
//! [`Api::router`] returns an axum router. One table, `routes.rs`, lists what is served, and the scope that a
//! key needs for it. `docs/api.md` describes each request.
//!
//! To add a request, write its handler in a module named for what it is about, and its line in that
//! table. Without that line it is not served.
//!
//! [`OutgoingWebhooks`] notifies a program outside of events.
//!
//! Every response is JSON, also those of errors: see `error.rs`.

mod access;
mod app;
mod body;
mod buckets;
mod client;
mod error;
mod ingest;
mod outgoing;
mod routes;
mod services;
mod v1;

use axum::Router;

pub use client::Client;
pub use error::not_ready;
pub use outgoing::{
    EventsSecret, EventsUrl, InvalidEventsSecret, InvalidEventsUrl, OutgoingWebhooks,
};
pub use services::{Reads, Services};
pub use v1::json::{stats as stats_as_json, user as user_as_json};

use app::App;

/// The paths that the API needs below its prefix. A webhook cannot use them.
pub const PATHS: [&str; 2] = ["/ingest", "/api"];

/// The API. Cheap to clone.
#[derive(Clone)]
pub struct Api(App);

impl Api {
    /// The API on these services.
    pub fn new(services: Services) -> Self {
        Self(App::new(services))
    }

    /// The same API, with its limits, whose lists and figures come from elsewhere.
    #[must_use]
    pub fn reading(&self, reads: Reads) -> Self {
        let App { services, shared } = self.0.clone();
        Self(App { services: Services { reads, ..services }, shared })
    }

    /// A router with every request, under the prefix.
    ///
    /// The server should add a [`Client`] to the extensions of each request, because wrong keys are
    /// counted by address.
    pub fn router(&self, prefix: &str) -> Router {
        routes::router(prefix, self.0.clone())
    }
}
