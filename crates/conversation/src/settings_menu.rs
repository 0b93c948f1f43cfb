//! The screens of `/settings`.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use rollcall_domain::{Language, Preferences, Team, ZONE_REGIONS, region_of, zones_of};
use rollcall_service::CategoryChoice;

use crate::{
    action::Action,
    locale::Locale,
    messages,
    reply::{Button, Screen},
    schedule::{back, pages, team_label, team_page},
    text::escaped,
};

/// How many cities there are on a page and in a row.
const CITIES_A_PAGE: usize = 24;
const CITIES_A_ROW: usize = 2;
const REGIONS_A_ROW: usize = 3;
/// How many favourite teams are named; the rest is counted.
const NAMED_TEAMS: usize = 5;

/// The user's preferences, with buttons to change them. Without `teams`, there are no favourite teams;
/// without `messages`, no categories of broadcasts.
pub(crate) fn overview(
    locale: &Locale,
    preferences: &Preferences,
    teams: Option<&[Team]>,
    messages: &[CategoryChoice],
    now: DateTime<Utc>,
) -> Screen {
    let own_name = locale.text("language-name");
    let language = match preferences.language {
        Some(_) => own_name,
        None => locale.format("settings-language-from-telegram", &[("language", own_name.into())]),
    };
    let zone = preferences.time_zone.map_or_else(|| locale.text("button-utc"), name_of);
    let arguments = [
        ("language", language.into()),
        ("zone", zone.into()),
        ("time", locale.time(now.with_timezone(&preferences.zone())).into()),
    ];
    let button = |key, action| Button { label: locale.text(key), action };
    let mut screen = Screen {
        text: locale.format("settings", &arguments),
        buttons: vec![vec![
            button("button-language", Action::Languages),
            button("button-zone", Action::Regions),
        ]],
        ..Screen::default()
    };
    if let Some(teams) = teams {
        let favourites = [("teams", favourites_of(locale, preferences, teams).into())];
        screen.text.push('\n');
        screen.text.push_str(&locale.format("settings-teams", &favourites));
        screen.buttons.push(vec![button("button-teams", Action::Favourites { page: 0 })]);
    }
    if !messages.is_empty() {
        let received = [("categories", messages::received(locale, messages).into())];
        screen.text.push('\n');
        screen.text.push_str(&locale.format("settings-messages", &received));
        screen.buttons.push(vec![button("button-messages", Action::Messages { page: 0 })]);
    }
    screen
}

/// The languages to choose from, each by its own name.
pub(crate) fn languages(locale: &Locale, preferences: &Preferences) -> Screen {
    let button = |language: Option<Language>, name: String| Button {
        label: chosen(preferences.language == language, name),
        action: Action::SetLanguage(language),
    };
    let own_name = |language| Locale::of(language).text("language-name");
    let all = Language::ALL.map(|language| button(Some(language), own_name(language)));
    Screen {
        text: locale.text("settings-choose-language"),
        buttons: vec![
            all.to_vec(),
            vec![button(None, locale.text("button-as-in-telegram"))],
            vec![back(locale, Action::Settings)],
        ],
        ..Screen::default()
    }
}

/// The regions of the world.
pub(crate) fn regions(locale: &Locale, preferences: &Preferences) -> Screen {
    let own = preferences.time_zone.and_then(region_of);
    let button = |region: &&'static str| {
        let name = locale.text(&format!("region-{}", region.to_ascii_lowercase()));
        let action = Action::Cities { region, page: 0 };
        Button { label: chosen(own == Some(*region), name), action }
    };
    let rows = ZONE_REGIONS.chunks(REGIONS_A_ROW);
    let mut buttons: Vec<Vec<Button>> = rows.map(|row| row.iter().map(button).collect()).collect();
    let utc = Button {
        label: chosen(preferences.time_zone.is_none(), locale.text("button-utc")),
        action: Action::SetZone(None),
    };
    buttons.push(vec![utc, back(locale, Action::Settings)]);
    Screen { text: locale.text("settings-choose-region"), buttons, ..Screen::default() }
}

/// The cities in a region's time zones.
pub(crate) fn cities(
    locale: &Locale,
    preferences: &Preferences,
    region: &'static str,
    page: u32,
) -> Screen {
    let button = |zone: &Tz| {
        let city = zone.name().split_once('/').map_or(zone.name(), |(_, city)| city);
        Button {
            label: chosen(preferences.time_zone == Some(*zone), city.replace('_', " ")),
            action: Action::SetZone(Some(*zone)),
        }
    };
    let sizes = (CITIES_A_PAGE, CITIES_A_ROW);
    let turn = |page| Action::Cities { region, page };
    let mut buttons = pages(&zones_of(region), page, sizes, button, turn);
    buttons.push(vec![back(locale, Action::Regions)]);
    Screen { text: locale.text("settings-choose-city"), buttons, ..Screen::default() }
}

/// The teams to choose from.
pub(crate) fn favourites(
    locale: &Locale,
    preferences: &Preferences,
    teams: &[Team],
    page: u32,
) -> Screen {
    let favourites = &preferences.favourite_teams;
    let button = |team: &Team| Button {
        label: team_label(team, favourites),
        action: Action::SetFavourite {
            team: team.id,
            is_favourite: !favourites.contains(&team.id),
            page,
        },
    };
    let mut buttons = team_page(teams, page, button, |page| Action::Favourites { page });
    buttons.push(vec![back(locale, Action::Settings)]);
    let key = if teams.is_empty() { "schedule-no-teams" } else { "settings-choose-teams" };
    Screen { text: locale.text(key), buttons, ..Screen::default() }
}

/// A time zone's region and city, such as `America/New York`.
fn name_of(zone: Tz) -> String {
    zone.name().replace('_', " ")
}

fn chosen(is_chosen: bool, label: String) -> String {
    if is_chosen { format!("✓ {label}") } else { label }
}

/// The names of the favourite teams, and the number of further or unknown ones.
fn favourites_of(locale: &Locale, preferences: &Preferences, teams: &[Team]) -> String {
    let favourites = &preferences.favourite_teams;
    if favourites.is_empty() {
        return locale.text("settings-no-teams");
    }
    let known = teams.iter().filter(|team| favourites.contains(&team.id));
    let mut names: Vec<String> = known.take(NAMED_TEAMS).map(|team| escaped(&team.name)).collect();
    let others = favourites.len() - names.len();
    if others > 0 {
        names.push(format!("+{others}"));
    }
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn team(id: i64, name: &str) -> Team {
        Team { id, abbreviation: "T".to_owned(), name: name.to_owned() }
    }

    fn shown(screen: &Screen) -> String {
        let row = |row: &Vec<Button>| {
            let button = |it: &Button| format!("[{} → {}]", it.label, it.action.data());
            row.iter().map(button).collect::<Vec<_>>().join(" ")
        };
        let rows: Vec<String> = screen.buttons.iter().map(row).collect();
        format!("{}\n\n{}", screen.text, rows.join("\n"))
    }

    #[test]
    fn settings_are_shown_in_every_language() {
        let now = "2026-11-23T18:05:00Z".parse().unwrap();
        let teams = [team(6, "Boston Bruins"), team(8, "Montréal Canadiens")];
        let messages = ["news", "promo"]
            .map(|name| CategoryChoice { name: name.parse().unwrap(), is_out: name == "promo" });
        for language in Language::ALL {
            let locale = Locale::of(language);
            let nothing = Preferences::default();
            let everything = Preferences {
                language: Some(language),
                time_zone: Some(Tz::Europe__Berlin),
                favourite_teams: [8, 99].into(),
            };
            let screens = [
                shown(&overview(locale, &nothing, Some(&teams), &[], now)),
                shown(&overview(locale, &everything, Some(&teams), &messages, now)),
                shown(&overview(locale, &everything, None, &[], now)),
                shown(&languages(locale, &nothing)),
                shown(&languages(locale, &everything)),
                shown(&regions(locale, &nothing)),
                shown(&regions(locale, &everything)),
                shown(&cities(locale, &everything, "Antarctica", 0)),
                shown(&cities(locale, &everything, "Europe", 2)),
                shown(&favourites(locale, &everything, &teams, 0)),
                shown(&favourites(locale, &nothing, &[], 0)),
            ];
            insta::assert_snapshot!(
                format!("settings_{}", language.code()),
                screens.join("\n\n———\n\n")
            );
        }
    }

    #[test]
    fn every_zone_can_be_reached_by_its_region_and_a_page() {
        let locale = Locale::of(Language::English);
        for region in ZONE_REGIONS {
            let mut found = Vec::new();
            for page in 0..20 {
                let screen = cities(locale, &Preferences::default(), region, page);
                let actions = screen.buttons.into_iter().flatten().map(|button| button.action);
                found.extend(actions.filter_map(|action| match action {
                    Action::SetZone(zone) => zone,
                    _ => None,
                }));
            }
            found.sort_by_key(|zone| zone.name());
            found.dedup();
            assert_eq!(found, zones_of(region), "{region}");
        }
    }
}
