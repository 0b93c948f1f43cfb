//! The query string of the user list: filter, time zone, order and place, so that a list can be
//! bookmarked and shared.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use rollcall_domain::{Cursor, Filter, Selection, SelectionError, SortKey, TelegramId, UserSort};
use rollcall_service::AudienceError;

use super::{invalid_filter::InvalidFilter, sort::written_sort};
use crate::{
    App,
    page::{Failure, text::quoted},
    request::query_string,
};

/// The names in the query string.
const NAMES: [&str; 4] = ["filter", "zone", "sort", "at"];

/// The query string, understood. An unknown order or place is ignored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Query {
    /// The filter as it was typed. Links and forms are written from it, also where it is invalid, so
    /// that none of them leaves it out.
    pub(crate) text: String,
    /// The filter. While it is an error, no user is listed.
    pub(crate) filter: Result<Filter, InvalidFilter>,
    /// Whose days the filter means; `None` for those of the viewer.
    pub(crate) zone: Option<Tz>,
    pub(crate) sort: UserSort,
    pub(crate) at: Option<Cursor>,
}

impl Default for Query {
    fn default() -> Self {
        Self::of_filter(String::new())
    }
}

impl Query {
    /// The first page of the users that a filter selects.
    pub(crate) fn of_filter(text: String) -> Self {
        let filter = text.parse().map_err(InvalidFilter::from);
        Self { text, filter, zone: None, sort: UserSort::default(), at: None }
    }

    /// Reads the names and values of a query string.
    pub(crate) fn read(pairs: &[(String, String)]) -> Self {
        let values = |name: &'static str| {
            let values = pairs.iter().filter(move |(key, _)| key == name);
            values.map(|(_, value)| value.trim()).filter(|value| !value.is_empty())
        };
        let value = |name| values(name).next();
        let mut query = Self::of_filter(value("filter").unwrap_or_default().to_owned());
        query.sort = value("sort").and_then(UserSort::from_name).unwrap_or_default();
        query.at = value("at").and_then(|at| at.parse().ok());
        match value("zone").map(|name| name.parse().map_err(|_| name)) {
            None => {}
            Some(Ok(zone)) => query.zone = Some(zone),
            Some(Err(name)) => query.filter = Err(InvalidFilter::zone(name)),
        }
        for name in ["filter", "zone"] {
            if values(name).nth(1).is_some() {
                query.filter = Err(InvalidFilter::repeated(name));
            }
        }
        query
    }

    /// Reads them for something that is done to all matching users. What is invalid or unknown is an
    /// error then, because more users would match without it. Names in `also` belong to the form.
    pub(crate) fn read_strictly(
        pairs: &[(String, String)],
        also: &[&str],
    ) -> Result<Self, Failure> {
        let query = Self::read(pairs);
        if let Err(invalid) = &query.filter {
            return Err(invalid.clone().into());
        }
        Self::refuse_unknown(pairs, also)?;
        for (name, value) in pairs {
            if name == "at" && !value.is_empty() && value.trim().parse::<Cursor>().is_err() {
                return Err(Failure::invalid("This is not a place in the list.".to_owned()));
            }
        }
        Ok(query)
    }

    /// Refuses names that are neither of a list nor in `also`: a misspelt filter would be all users.
    pub(crate) fn refuse_unknown(pairs: &[(String, String)], also: &[&str]) -> Result<(), Failure> {
        let is_known = |name: &str| NAMES.contains(&name) || also.contains(&name);
        match pairs.iter().find(|(name, _)| !is_known(name)) {
            None => Ok(()),
            Some((name, _)) => Err(Failure::invalid(format!(
                "There is no field “{}”; expected the users as a filter, such as filter=lang:de.",
                quoted(name)
            ))),
        }
    }

    /// The users that the filter selects at a moment; else why it selects none. Without a time zone
    /// of its own, it means the days of the viewer's.
    pub(crate) async fn selection(
        &self,
        app: &App,
        viewer: Tz,
        at: DateTime<Utc>,
    ) -> Result<Result<Selection, InvalidFilter>, Failure> {
        let filter = match &self.filter {
            Ok(filter) => filter,
            Err(invalid) => return Ok(Err(invalid.clone())),
        };
        match app.audience.selection_at(filter, self.zone.unwrap_or(viewer), at).await {
            Ok(selection) => Ok(Ok(selection)),
            Err(AudienceError::Service(error)) => Err(error.into()),
            Err(error) => {
                let message = error.to_string();
                Ok(Err(match &error {
                    AudienceError::UnknownLabel(kind, name) => {
                        InvalidFilter::unknown_name(&self.text, kind.name(), name.as_str(), message)
                    }
                    AudienceError::UnknownBroadcast(id) => {
                        InvalidFilter::unknown_broadcast(&self.text, *id, message)
                    }
                    AudienceError::Selection(SelectionError::UnknownSegment(name)) => {
                        InvalidFilter::unknown_name(&self.text, "segment", name.as_str(), message)
                    }
                    _ => InvalidFilter::whole(message),
                }))
            }
        }
    }

    /// The same for something that is done to all of them.
    pub(crate) async fn selection_strictly(
        &self,
        app: &App,
        viewer: Tz,
        at: DateTime<Utc>,
    ) -> Result<Selection, Failure> {
        self.selection(app, viewer, at).await?.map_err(Failure::from)
    }

    /// Whether it selects everyone but bots.
    pub(crate) fn is_everyone(&self) -> bool {
        self.filter.as_ref().is_ok_and(Filter::is_everyone)
    }

    /// The filter for the audit log, without names.
    pub(crate) fn summary(&self, viewer: Tz) -> String {
        let summary = self.filter.as_ref().map(Filter::summary).unwrap_or_default();
        match self.zone.unwrap_or(viewer) {
            Tz::UTC => summary,
            _ if !self.depends_on_days() => summary,
            zone => format!("{summary} (days of {zone})"),
        }
    }

    /// The same users for every viewer: with this viewer's time zone. UTC is not left out, because the
    /// viewer's may be known by the time that the form is sent.
    #[must_use]
    pub(crate) fn in_zone_of(&self, viewer: Tz) -> Self {
        Self { zone: Some(self.zone.unwrap_or(viewer)), ..self.clone() }
    }

    /// Whose days the filter means, if it depends on days.
    pub(crate) fn days_of(&self, viewer: Tz) -> Option<Tz> {
        let zone = self.zone.unwrap_or(viewer);
        self.filter.as_ref().is_ok_and(Filter::depends_on_days).then_some(zone)
    }

    /// The filter and the time zone, for the hidden fields of a form.
    pub(crate) fn filter_pairs(&self) -> Vec<(String, String)> {
        self.first_page().list_pairs().into_iter().filter(|(name, _)| name != "sort").collect()
    }

    /// The filter, the time zone, the order and the place, for the hidden fields of a form that leads
    /// back to this page of the list.
    pub(crate) fn list_pairs(&self) -> Vec<(String, String)> {
        let pairs = self.pairs().into_iter().filter(|(_, value)| !value.is_empty());
        pairs.map(|(name, value)| (name.to_owned(), value)).collect()
    }

    /// The same list, if its URL shows that the filter is invalid. A repeated field would be lost.
    pub(crate) fn still_invalid(self) -> Result<Self, Failure> {
        match &self.filter {
            Err(invalid) if self.text.parse::<Filter>().is_ok() => Err(invalid.clone().into()),
            _ => Ok(self),
        }
    }

    /// The same list from its first page.
    #[must_use]
    pub(crate) fn first_page(&self) -> Self {
        Self { at: None, ..self.clone() }
    }

    /// The order as the query string has it; "" for the default one.
    pub(crate) fn sort_name(&self) -> String {
        written_sort(self.sort)
    }

    /// The first page of another filter, in the same order and time zone.
    pub(crate) fn with_filter(&self, text: String) -> Self {
        Self { zone: self.zone, sort: self.sort, ..Self::of_filter(text) }
    }

    /// A page that belongs to this list: its path with the list as the query string.
    pub(crate) fn beside(&self, path: &str) -> String {
        match self.url() {
            url if url.is_empty() => path.to_owned(),
            url => format!("{path}?{url}"),
        }
    }

    /// The query string of this list.
    pub(crate) fn url(&self) -> String {
        let pairs = self.pairs();
        query_string(pairs.each_ref().map(|(name, value)| (*name, value.as_str())))
    }

    /// The query string of the same list in another order: what the head of a column links to.
    pub(crate) fn url_sorted_by(&self, key: SortKey) -> String {
        let descending = self.sort.key != key || !self.sort.descending;
        Self { sort: UserSort { key, descending }, ..self.first_page() }.url()
    }

    /// The query string of another page of the same list.
    pub(crate) fn url_at(&self, at: Cursor) -> String {
        Self { at: Some(at), ..self.clone() }.url()
    }

    /// Whether its users may be others in another time zone.
    fn depends_on_days(&self) -> bool {
        self.filter.as_ref().map_or(true, Filter::depends_on_days)
    }

    fn pairs(&self) -> [(&'static str, String); 4] {
        let at = self.at.map(|at| at.to_string());
        let zone = self.zone.filter(|_| self.depends_on_days());
        let zone = zone.map(|zone| zone.name().to_owned());
        let values =
            [self.text.clone(), zone.unwrap_or_default(), self.sort_name(), at.unwrap_or_default()];
        let [filter, zone, sort, at] = values;
        let [name, zone_name, sort_name, at_name] = NAMES;
        [(name, filter), (zone_name, zone), (sort_name, sort), (at_name, at)]
    }
}

/// The id in the path of a user's page.
pub(crate) fn read_id(text: &str) -> Result<TelegramId, Failure> {
    text.parse().map_err(|_| Failure::no_id(text))
}
