//! What a person has chosen.

use std::{collections::BTreeSet, str::FromStr};

use chrono_tz::{TZ_VARIANTS, Tz};

/// How many favourite teams a person may have: more than the NHL has.
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
    /// Every language, the one that is spoken by default first.
    pub const ALL: [Self; 3] = [Self::English, Self::Russian, Self::German];

    /// Its ISO 639-1 code, which it is stored under.
    pub fn code(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Russian => "ru",
            Self::German => "de",
        }
    }

    /// The language of this code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|language| language.code() == code)
    }

    /// The language that is meant by an IETF tag such as `de-AT`, as Telegram tells it.
    pub fn from_tag(tag: &str) -> Option<Self> {
        let code = tag.split(['-', '_']).next().unwrap_or_default();
        Self::from_code(&code.to_ascii_lowercase())
    }
}

/// Which parts of the world time zones are named for, in the names of the IANA.
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

/// The time zones of a region, by their names.
pub fn zones_of(region: &str) -> Vec<Tz> {
    let is_of = |zone: &&Tz| region_of(**zone) == Some(region);
    let mut zones: Vec<Tz> = TZ_VARIANTS.iter().filter(is_of).copied().collect();
    zones.sort_by_key(|zone| zone.name());
    zones
}

/// The region that a time zone is named for, if it is one of those that can be chosen.
pub fn region_of(zone: Tz) -> Option<&'static str> {
    let (region, _) = zone.name().split_once('/')?;
    ZONE_REGIONS.into_iter().find(|known| *known == region)
}

/// Reads the name of a time zone that can be chosen, such as `Europe/Berlin`.
pub fn zone_of_name(name: &str) -> Option<Tz> {
    Tz::from_str(name).ok().filter(|zone| region_of(*zone).is_some() && zone.name() == name)
}

/// What a person has chosen; what they have not is as everybody has it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Preferences {
    /// The language; `None` for the one that Telegram tells.
    pub language: Option<Language>,
    /// The time zone; `None` for UTC.
    pub time_zone: Option<Tz>,
    /// The NHL's numbers of their favourite teams.
    pub favourite_teams: BTreeSet<i64>,
}

impl Preferences {
    /// The language to speak with somebody whose Telegram tells `told`.
    pub fn language_or(&self, told: Option<&str>) -> Language {
        let told = || told.and_then(Language::from_tag);
        self.language.or_else(told).unwrap_or(Language::English)
    }

    /// The time zone to tell times in.
    pub fn zone(&self) -> Tz {
        self.time_zone.unwrap_or(Tz::UTC)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_language_is_the_own_choice_else_what_telegram_tells_else_english() {
        let chosen = Preferences { language: Some(Language::German), ..Default::default() };
        assert_eq!(chosen.language_or(Some("ru")), Language::German);
        let nothing = Preferences::default();
        for (told, language) in [
            (Some("ru"), Language::Russian),
            (Some("de-AT"), Language::German),
            (Some("DE_ch"), Language::German),
            (Some("den"), Language::English),
            (Some("fr"), Language::English),
            (Some(""), Language::English),
            (None, Language::English),
        ] {
            assert_eq!(nothing.language_or(told), language, "{told:?}");
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
