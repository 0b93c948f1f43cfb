//! The broadcast that an address names, and addresses that lead to it.

use rollcall_domain::{Broadcast, BroadcastPlan};
use rollcall_service::BroadcastError;

use crate::{
    App,
    page::{Failure, text},
    users::query::Query,
};

/// The broadcast of a number in an address.
pub(super) async fn find(app: &App, id: &str) -> Result<Broadcast, Failure> {
    let number = id.parse().map_err(|_| missing(id))?;
    app.broadcasts.find(number).await.map_err(refusal)
}

fn missing(id: &str) -> Failure {
    let text = format!("There is no broadcast “{}”.", text::quoted(id));
    Failure::Missing("Broadcast not found", text)
}

/// An error of a broadcast as a page.
pub(super) fn refusal(error: BroadcastError) -> Failure {
    match error {
        BroadcastError::Missing(id) => missing(&id.to_string()),
        BroadcastError::Service(error) => error.into(),
        error => Failure::invalid(text::sentence(&error.to_string())),
    }
}

/// The list of the users that a filter selects, which means the days of the plan's zone.
pub(super) fn users_of(app: &App, plan: &BroadcastPlan) -> String {
    let query = Query { zone: Some(plan.zone), ..Query::of_filter(plan.filter.to_string()) };
    query.beside(&format!("{}/users", app.base))
}

/// The page of a broadcast.
pub(super) fn page_of(app: &App, id: i64) -> String {
    format!("{}/broadcasts/{id}", app.base)
}
