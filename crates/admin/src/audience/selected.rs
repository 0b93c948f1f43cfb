//! The users that a request names by a filter.

use chrono_tz::Tz;
use rollcall_domain::{Filter, Selection};

use crate::{
    App,
    page::{Failure, time_zone},
    users::query::Query,
};

/// A filter, and whose days it means.
#[derive(Clone, Debug)]
pub(super) struct Selected {
    query: Query,
    /// That of the request, else the viewer's.
    pub(super) zone: Tz,
}

impl Selected {
    /// Reads the fields of a request; `viewer` is the time zone if it names none.
    pub(super) fn read(pairs: &[(String, String)], viewer: Tz) -> Self {
        let query = Query::read(pairs);
        let zone = query.zone.unwrap_or(viewer);
        Self { query, zone }
    }

    /// The filter, unless it is invalid.
    pub(super) fn filter(&self) -> Option<&Filter> {
        self.query.filter.as_ref().ok()
    }

    /// The users it selects now, or why it selects none.
    pub(super) async fn selection(&self, app: &App) -> Result<Result<Selection, String>, Failure> {
        let selection = self.query.selection(app, self.zone, app.clock.now()).await?;
        Ok(selection.map_err(|invalid| invalid.message()))
    }

    /// The filter as it was typed.
    pub(super) fn text(&self) -> &str {
        &self.query.text
    }

    /// The query string of its list.
    pub(super) fn query(&self) -> String {
        self.query.first_page().url()
    }

    /// The name of the time zone that the request names.
    pub(super) fn own_zone(&self) -> Option<&'static str> {
        self.query.zone.map(|zone| zone.name())
    }

    /// The time zone whose days the filter means, where that matters.
    pub(super) fn days(&self) -> Option<String> {
        self.query.days_of(self.zone).map(time_zone::name)
    }
}
