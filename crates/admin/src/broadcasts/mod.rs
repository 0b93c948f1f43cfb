//! Broadcasts: writing them, their list, a page each with what became of the recipients, and starting,
//! pausing and ending them.

pub(crate) mod change;
pub(crate) mod compose;
mod draft;
pub(crate) mod list;
mod message;
pub(crate) mod one;
mod pace;
mod preview;
pub(crate) mod progress;
pub(crate) mod recipients;
pub(crate) mod send_test;
pub(crate) mod start;
mod words;

use rollcall_domain::{Broadcast, BroadcastPlan};
use rollcall_service::BroadcastError;

use crate::{
    App,
    page::{Failure, text},
    users::query::Query,
};

pub(crate) use pace::Paces;

/// The broadcast of a number in an address.
async fn find(app: &App, id: &str) -> Result<Broadcast, Failure> {
    let number = id.parse().map_err(|_| missing(id))?;
    app.broadcasts.find(number).await.map_err(refusal)
}

fn missing(id: &str) -> Failure {
    let text = format!("There is no broadcast “{}”.", text::quoted(id));
    Failure::Missing("Broadcast not found", text)
}

/// An error of a broadcast as a page.
fn refusal(error: BroadcastError) -> Failure {
    match error {
        BroadcastError::Missing(id) => missing(&id.to_string()),
        BroadcastError::Service(error) => error.into(),
        error => Failure::invalid(text::sentence(&error.to_string())),
    }
}

/// The list of the users that a filter selects, which means the days of the plan's zone.
fn users_of(app: &App, plan: &BroadcastPlan) -> String {
    let query = Query { zone: Some(plan.zone), ..Query::of_filter(plan.filter.to_string()) };
    query.beside(&format!("{}/users", app.base))
}

/// The page of a broadcast.
fn page_of(app: &App, id: i64) -> String {
    format!("{}/broadcasts/{id}", app.base)
}
