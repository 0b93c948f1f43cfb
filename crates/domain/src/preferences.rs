//! The preferences of a user.

use std::{collections::BTreeSet, str::FromStr};

use chrono_tz::{TZ_VARIANTS, Tz};

/// The most favourite teams of a user. The NHL has fewer teams than that.
pub const MAX_FAVOURITES: u32 = 64;

/// A language that the bot speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Language {
    /// English.
    English,
    /// Russian.
    Russian,
    /// German.
    German,
}

impl Language {
    /// Every language; the default is the first.
    pub const ALL: [Self; 3] = [Self::English, Self::Russian, Self::German];

    /// The ISO 639-1 code, as it is stored.
    pub fn code(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Russian => "ru",
            Self::German => "de",
        }
    }

    /// The language with this code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|language| language.code() == code)
    }

    /// The language of an IETF tag such as `de-AT`, which Telegram sends.
    pub fn from_tag(tag: &str) -> Option<Self> {
        let code = tag.split(['-', '_']).next().unwrap_or_default();
        Self::from_code(&code.to_ascii_lowercase())
    }
}

/// The regions in the IANA's names of time zones.
pub const ZONE_REGIONS: [&str; 9] = [
    "America",
    "Europe",
    "Asia",
    "Africa",
    "Australia",
    "Pacific",
    "Atlantic",
    "Indian",
    "Antarctica",
];

/// The time zones of a region, sorted by name.
pub fn zones_of(region: &str) -> Vec<Tz> {
    let is_of = |zone: &&Tz| region_of(**zone) == Some(region);
    let mut zones: Vec<Tz> = TZ_VARIANTS.iter().filter(is_of).copied().collect();
    zones.sort_by_key(|zone| zone.name());
    zones
}

/// The region in the name of a time zone, if users can choose the zone.
pub fn region_of(zone: Tz) -> Option<&'static str> {
    let (region, _) = zone.name().split_once('/')?;
    ZONE_REGIONS.into_iter().find(|known| *known == region)
}

/// Parses the name of a time zone that users can choose, such as `Europe/Berlin`.
pub fn zone_of_name(name: &str) -> Option<Tz> {
    Tz::from_str(name).ok().filter(|zone| region_of(*zone).is_some() && zone.name() == name)
}

/// The choices of a user. Where the user chose nothing, the default applies.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Preferences {
    /// The language; `None` means the language of the user's Telegram client.
    pub language: Option<Language>,
    /// The time zone; `None` means UTC.
    pub time_zone: Option<Tz>,
    /// The NHL's numbers of the favourite teams.
    pub favourite_teams: BTreeSet<i64>,
}

impl Preferences {
    /// The language for messages to a user whose Telegram client has the language `client`.
    pub fn language_or(&self, client: Option<&str>) -> Language {
        let of_client = || client.and_then(Language::from_tag);
        self.language.or_else(of_client).unwrap_or(Language::English)
    }

    /// The time zone in which times are shown.
    pub fn zone(&self) -> Tz {
        self.time_zone.unwrap_or(Tz::UTC)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_language_is_the_chosen_one_else_the_clients_else_english() {
        let chosen = Preferences { language: Some(Language::German), ..Default::default() };
        assert_eq!(chosen.language_or(Some("ru")), Language::German);
        let nothing = Preferences::default();
        for (client, language) in [
            (Some("ru"), Language::Russian),
            (Some("de-AT"), Language::German),
            (Some("DE_ch"), Language::German),
            (Some("den"), Language::English),
            (Some("fr"), Language::English),
            (Some(""), Language::English),
            (None, Language::English),
        ] {
            assert_eq!(nothing.language_or(client), language, "{client:?}");
        }
    }

    #[test]
    fn zones_are_found_by_region_and_by_name() {
        let europe = zones_of("Europe");
        assert!(europe.contains(&Tz::Europe__Berlin) && europe.len() > 40);
        assert!(europe.is_sorted_by_key(|zone| zone.name()));
        for zone in ZONE_REGIONS.into_iter().flat_map(zones_of) {
            assert_eq!(zone_of_name(zone.name()), Some(zone));
        }
        for name in
            ["", "Europe", "Europe/", "Europe/Atlantis", "europe/berlin", "UTC", "Etc/GMT+5"]
        {
            assert_eq!(zone_of_name(name), None, "{name:?}");
        }
        assert!(zones_of("Nowhere").is_empty());
    }
}
