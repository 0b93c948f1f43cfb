//! The parameters of requests. Unknown ones are refused, because a filter with a wrong name would
//! select everyone.

use axum::{
    extract::{FromRequestParts, Query},
    http::request::Parts,
};
use chrono_tz::Tz;
use rollcall_domain::{Cursor, Filter, LabelName, TelegramId, UserFilter, UserSort};
use rollcall_service::MAX_PAGE_SIZE;
use serde::{Deserialize, de::DeserializeOwned, de::IgnoredAny};

use super::refusal;
use crate::error::ApiError;

/// How many users a page has by default.
const USERS: u32 = 100;

/// The parameters in the query.
pub(crate) struct Parameters<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Parameters<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        match Query::from_request_parts(parts, state).await {
            Ok(Query(parameters)) => Ok(Self(parameters)),
            Err(rejection) => Err(ApiError::invalid(rejection.body_text())),
        }
    }
}

/// A page of a list of users.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Page {
    filter: Option<String>,
    zone: Option<String>,
    sort: Option<String>,
    limit: Option<u32>,
    after: Option<String>,
    /// Checked with the key.
    #[serde(rename = "bot_id")]
    _bot_id: Option<IgnoredAny>,
}

impl Page {
    /// The filter, which leaves out bots unless it names them.
    pub(super) fn filter(&self) -> Result<Filter, ApiError> {
        let all = Filter::from(&UserFilter::new());
        let Some(text) = &self.filter else { return Ok(all) };
        let filter: Filter = text.parse().map_err(|error| refusal::filter(&error))?;
        Ok(all.and(filter))
    }

    pub(super) fn zone(&self) -> Result<Tz, ApiError> {
        zone(self.zone.as_deref())
    }

    pub(super) fn sort(&self) -> Result<UserSort, ApiError> {
        let Some(name) = &self.sort else { return Ok(UserSort::default()) };
        let names = || UserSort::NAMED.map(|(name, _)| name).join(", ");
        UserSort::from_name(name)
            .ok_or_else(|| ApiError::invalid(format!("sort: expected one of {}", names())))
    }

    pub(super) fn limit(&self) -> Result<u32, ApiError> {
        let limit = self.limit.unwrap_or(USERS);
        if (1..=MAX_PAGE_SIZE).contains(&limit) {
            return Ok(limit);
        }
        Err(ApiError::invalid(format!("limit: expected 1 to {MAX_PAGE_SIZE}")))
    }

    /// Where the page begins. It has to be of a list with the same order.
    pub(super) fn after(&self, sort: UserSort) -> Result<Option<Cursor>, ApiError> {
        let Some(text) = &self.after else { return Ok(None) };
        let cursor = text.parse::<Cursor>().ok();
        let cursor = cursor.filter(|it| !it.backwards && it.key == sort.key);
        let expected = "after: expected `next` of a page with the same sort";
        cursor.map(Some).ok_or_else(|| ApiError::invalid(expected))
    }
}

/// A time zone; UTC if there is none.
pub(super) fn zone(name: Option<&str>) -> Result<Tz, ApiError> {
    let expected = |_| ApiError::invalid("zone: expected a time zone such as Europe/Berlin");
    name.map_or(Ok(Tz::UTC), |name| name.parse().map_err(expected))
}

/// The id of a user in a path.
pub(super) fn user_id(text: &str) -> Result<TelegramId, ApiError> {
    text.parse().map_err(|_| ApiError::invalid("expected a Telegram id such as 123456789"))
}

/// The name of a tag or a segment in a path.
pub(super) fn name(text: &str) -> Result<LabelName, ApiError> {
    text.parse()
        .map_err(|error: rollcall_domain::InvalidLabelName| ApiError::invalid(error.to_string()))
}
