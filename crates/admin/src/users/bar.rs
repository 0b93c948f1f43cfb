//! The filter bar above the list: the text, what is wrong with it, its parts to remove one by one, and
//! what it completes.

use chrono_tz::Tz;
use rollcall_service::ServiceError;

use super::{
    completion::{Completion, completions},
    invalid_filter::{InvalidFilter, Marked},
    query::Query,
};
use crate::{App, page::time_zone, request::query_string};

/// What the bar shows beside the text.
pub(crate) struct Bar {
    pub(crate) wrong: Option<Wrong>,
    pub(crate) chips: Vec<Chip>,
    /// The list without a filter, in the same order.
    pub(crate) clear: String,
    /// The form that saves the filter as a segment; `None` if it is invalid or selects everyone.
    pub(crate) save: Option<String>,
    /// Whose days the filter means, if it has any.
    pub(crate) days_of: Option<String>,
    pub(crate) completions: Vec<Completion>,
}

/// What is wrong with the filter, and where.
pub(crate) struct Wrong {
    pub(crate) message: String,
    pub(crate) place: Option<Marked>,
}

/// A part of the filter, with the list without it.
pub(crate) struct Chip {
    pub(crate) text: String,
    /// `None` for parts beyond the first [`REMOVABLE`].
    pub(crate) without: Option<String>,
}

/// How many parts have a link. Each link has the rest of the filter, which may be long.
const REMOVABLE: usize = 50;

impl Bar {
    /// The bar of a list whose filter means the days of a zone.
    pub(super) async fn of(
        app: &App,
        query: &Query,
        zone: Tz,
        invalid: Option<&InvalidFilter>,
    ) -> Result<Self, ServiceError> {
        let list =
            |filter: String| query.with_filter(filter).beside(&format!("{}/users", app.base));
        let filter = query.filter.as_ref().ok();
        let parts = filter.map(|filter| filter.parts()).unwrap_or_default();
        let chip = |(place, part): (usize, &rollcall_domain::FilterNode)| Chip {
            text: part.to_string(),
            without: filter
                .filter(|_| place < REMOVABLE)
                .map(|it| list(it.without_part(place).to_string())),
        };
        let save = filter.filter(|it| !it.is_everyone() && invalid.is_none()).map(|filter| {
            let pairs = [("filter", filter.to_string()), ("zone", zone.name().to_owned())];
            let pairs = pairs.each_ref().map(|(name, value)| (*name, value.as_str()));
            format!("{}/segments/new?{}", app.base, query_string(pairs))
        });
        Ok(Self {
            save,
            wrong: invalid.map(|invalid| Wrong {
                message: invalid.message(),
                place: invalid.marked(&query.text),
            }),
            chips: parts.iter().enumerate().map(chip).collect(),
            clear: list(String::new()),
            days_of: query.days_of(zone).map(time_zone::name),
            completions: completions(app).await?,
        })
    }
}
