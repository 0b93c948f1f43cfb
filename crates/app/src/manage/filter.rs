//! The filter of a command: `--filter` and `--zone`.

use chrono_tz::Tz;
use clap::Args;
use rollcall_domain::{Filter, Selection, UserFilter};
use rollcall_service::{AudienceError, AudienceService};

use super::output::safe;

/// Which users a command is about.
#[derive(Args, Debug)]
pub(super) struct FilterArgument {
    /// The filter, such as 'lang:de reachable seen<14d -tag:test'; without one, everyone but
    /// bots is counted. See docs/filters.md
    #[arg(
        long,
        value_name = "FILTER",
        default_value = "",
        hide_default_value = true,
        value_parser = read_filter,
        allow_hyphen_values = true
    )]
    filter: Filter,
    #[command(flatten)]
    zone: ZoneArgument,
}

/// Which users a command is about, beside its other options.
#[derive(Args, Debug)]
pub(super) struct FurtherFilter {
    /// Users that this filter selects, such as 'lang:de seen<14d -tag:test'; bots only if it says
    /// `bot`. See docs/filters.md
    #[arg(long, value_name = "FILTER", value_parser = read_filter, allow_hyphen_values = true)]
    filter: Option<Filter>,
    /// The time zone whose days the filter means, such as Europe/Berlin, instead of UTC
    #[arg(long, value_name = "ZONE", requires = "filter", value_parser = read_zone)]
    zone: Option<Tz>,
}

impl FurtherFilter {
    /// The filter, if one is given.
    pub(super) fn filter(&self) -> Option<&Filter> {
        self.filter.as_ref()
    }

    /// Whether its days are those of another zone than UTC.
    pub(super) fn has_other_days(&self) -> bool {
        self.zone.is_some_and(|zone| zone != Tz::UTC)
    }

    /// The same filter as options of a command.
    pub(super) fn options(&self) -> String {
        let Some(filter) = &self.filter else { return String::new() };
        let zone = self.zone.map(|zone| format!(" --zone={zone}")).unwrap_or_default();
        format!(" --filter={}{zone}", quoted(&safe(&filter.to_string())))
    }

    /// The users that meet the other options and the filter.
    pub(super) async fn selection(
        &self,
        audience: &AudienceService,
        options: &UserFilter,
    ) -> Result<Selection, AudienceError> {
        match &self.filter {
            None => Ok(Selection::from(options)),
            Some(filter) => {
                let filter = Filter::from(options).and(filter.clone());
                audience.selection(&filter, self.zone.unwrap_or(Tz::UTC)).await
            }
        }
    }
}

/// A word for a POSIX shell (POSIX, "Quoting").
pub(super) fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "@._-".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// Whose days a filter means.
#[derive(Args, Debug)]
pub(super) struct ZoneArgument {
    /// The time zone whose days the filter means, such as Europe/Berlin
    #[arg(long, value_name = "ZONE", default_value = "UTC", value_parser = read_zone)]
    zone: Tz,
}

impl FilterArgument {
    /// The users that the filter selects now.
    pub(super) async fn selection(
        &self,
        audience: &AudienceService,
    ) -> Result<Selection, AudienceError> {
        audience.selection(&self.filter, self.zone.zone).await
    }
}

/// Parses a filter; the error points at its place.
pub(super) fn read_filter(text: &str) -> Result<Filter, String> {
    text.parse().map_err(|error: rollcall_domain::FilterError| {
        let picture = error.picture(text);
        format!("{error}\n\n  {}", picture.replace('\n', "\n  "))
    })
}

/// Parses the name of a time zone.
pub(super) fn read_zone(text: &str) -> Result<Tz, &'static str> {
    text.parse().map_err(|_| "expected a time zone such as Europe/Berlin, or UTC")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_filter_is_shown_around_its_place() {
        let shown = |text: &str| read_filter(text).unwrap_err();
        let message = "unknown field 'langg'; did you mean 'lang'?";
        assert_eq!(shown("langg:de"), format!("character 1: {message}\n\n  langg:de\n  ^"));
        assert_eq!(shown("é\tlangg:de"), format!("character 3: {message}\n\n  é langg:de\n    ^"));
        let long = format!("{}langg:de {}", "a ".repeat(50), "b ".repeat(50));
        let (before, after) = ("a ".repeat(20), "b ".repeat(10) + "b");
        assert_eq!(
            shown(&long),
            format!(
                "character 101: {message}\n\n  …{before}langg:de {after}…\n  {}^",
                " ".repeat(41)
            )
        );
    }
}
