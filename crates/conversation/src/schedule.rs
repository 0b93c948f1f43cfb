//! The screens of `/schedule`.

use std::collections::BTreeSet;

use chrono_tz::Tz;
use rollcall_domain::{Game, GameState, Preferences, Team};
use rollcall_service::{Schedule, ScheduleView};

use crate::{
    action::Action,
    locale::Locale,
    reply::{Button, Screen},
    text::escaped,
};

/// The maximum text of games in a message: Telegram accepts 4096 UTF-16 units (Bot API,
/// "sendMessage"), and the headings and notes need room too.
const MAX_UNITS: usize = 3600;
/// Names of teams are shown up to this length.
const MAX_NAME_CHARS: usize = 40;
/// How many teams there are on a page and in a row.
const TEAMS_A_PAGE: usize = 16;
const TEAMS_A_ROW: usize = 2;

/// The games of a view.
pub(crate) fn games(
    locale: &Locale,
    view: ScheduleView,
    schedule: &Schedule,
    preferences: &Preferences,
) -> Screen {
    let mut text = match schedule.days.is_empty() {
        true => locale.text(empty_key(view)),
        false => list(locale, view, schedule, preferences),
    };
    if let Some(since) = schedule.outdated_since {
        let since = since.with_timezone(&preferences.zone());
        let arguments =
            [("day", locale.day(since.date_naive()).into()), ("time", locale.time(since).into())];
        text.push_str(&format!("\n\n⚠️ {}", locale.format("schedule-old", &arguments)));
    }
    Screen { text, buttons: buttons(locale, view, preferences), ..Screen::default() }
}

/// The screen after a failure: only the buttons work.
pub(crate) fn failed(locale: &Locale, preferences: &Preferences) -> Screen {
    Screen {
        text: locale.text("schedule-failed"),
        buttons: buttons(locale, ScheduleView::Next, preferences),
        ..Screen::default()
    }
}

/// The teams whose games can be shown.
pub(crate) fn teams(
    locale: &Locale,
    teams: &[Team],
    favourites: &BTreeSet<i64>,
    page: u32,
) -> Screen {
    let button = |team: &Team| Button {
        label: team_label(team, favourites),
        action: Action::Schedule(ScheduleView::Team(team.id)),
    };
    let mut buttons = team_page(teams, page, button, |page| Action::ScheduleTeams { page });
    buttons.push(vec![back(locale, Action::Schedule(ScheduleView::Next))]);
    let key = if teams.is_empty() { "schedule-no-teams" } else { "schedule-choose-team" };
    Screen { text: locale.text(key), buttons, ..Screen::default() }
}

/// A page of buttons for teams, and buttons for the pages around it.
pub(crate) fn team_page(
    teams: &[Team],
    page: u32,
    button: impl Fn(&Team) -> Button,
    turn: impl Fn(u32) -> Action,
) -> Vec<Vec<Button>> {
    pages(teams, page, (TEAMS_A_PAGE, TEAMS_A_ROW), button, turn)
}

/// A page of a list as buttons, with buttons for the pages around it. The last page replaces any page
/// beyond it.
pub(crate) fn pages<T>(
    items: &[T],
    page: u32,
    (a_page, a_row): (usize, usize),
    button: impl Fn(&T) -> Button,
    turn: impl Fn(u32) -> Action,
) -> Vec<Vec<Button>> {
    let count = u32::try_from(items.len().div_ceil(a_page)).unwrap_or(u32::MAX).max(1);
    let page = page.min(count - 1);
    let first = usize::try_from(page).unwrap_or_default() * a_page;
    let shown: Vec<&T> = items.iter().skip(first).take(a_page).collect();
    let mut rows: Vec<Vec<Button>> =
        shown.chunks(a_row).map(|row| row.iter().map(|item| button(item)).collect()).collect();
    let turns = [(page > 0, page.saturating_sub(1), "‹"), (page + 1 < count, page + 1, "›")];
    let turns = turns.into_iter().filter(|(is_there, ..)| *is_there);
    let turns: Vec<Button> = turns
        .map(|(_, page, label)| Button { label: label.to_owned(), action: turn(page) })
        .collect();
    if !turns.is_empty() {
        rows.push(turns);
    }
    rows
}

pub(crate) fn back(locale: &Locale, action: Action) -> Button {
    Button { label: locale.text("button-back"), action }
}

/// Offers to choose a time zone.
pub(crate) fn choose_zone(locale: &Locale) -> Button {
    Button { label: locale.text("button-choose-zone"), action: Action::Regions }
}

/// A team's name, marked if it is a favourite.
pub(crate) fn team_label(team: &Team, favourites: &BTreeSet<i64>) -> String {
    match favourites.contains(&team.id) {
        true => format!("★ {}", team.name),
        false => team.name.clone(),
    }
}

/// The city that a time zone is named after, such as `New York`.
fn city_of(zone: Tz) -> String {
    let (_, city) = zone.name().rsplit_once('/').unwrap_or(("", zone.name()));
    city.replace('_', " ")
}

fn heading(locale: &Locale, view: ScheduleView, schedule: &Schedule) -> String {
    let key = match view {
        ScheduleView::Team(_) => match &schedule.team {
            Some(team) => return name(&team.name),
            None => "schedule-next",
        },
        ScheduleView::Next => "schedule-next",
        ScheduleView::Today => "schedule-today",
        ScheduleView::Tomorrow => "schedule-tomorrow",
        ScheduleView::Week => "schedule-week",
        ScheduleView::Favourites => "schedule-favourites",
    };
    locale.text(key)
}

fn empty_key(view: ScheduleView) -> &'static str {
    match view {
        ScheduleView::Next => "schedule-empty",
        ScheduleView::Today => "schedule-empty-today",
        ScheduleView::Tomorrow => "schedule-empty-tomorrow",
        ScheduleView::Week => "schedule-empty-week",
        ScheduleView::Team(_) => "schedule-empty-team",
        ScheduleView::Favourites => "schedule-empty-favourites",
    }
}

/// The games by day, as many as fit.
fn list(
    locale: &Locale,
    view: ScheduleView,
    schedule: &Schedule,
    preferences: &Preferences,
) -> String {
    let mut text = format!("<b>{}</b>\n", heading(locale, view, schedule));
    let mut left: u64 = 0;
    let mut units = text.encode_utf16().count();
    for day in &schedule.days {
        let mut head = format!("\n<b>{}</b>\n", day_heading(locale, schedule, day.day));
        for game in &day.games {
            let line = format!("{}\n", line(locale, game, preferences));
            let more = (head.as_str(), line.as_str());
            let more = more.0.encode_utf16().count() + more.1.encode_utf16().count();
            if left > 0 || units + more > MAX_UNITS {
                left += 1;
                continue;
            }
            units += more;
            text.push_str(&std::mem::take(&mut head));
            text.push_str(&line);
        }
    }
    if left > 0 {
        text.push_str(&format!("{}\n", locale.format("schedule-more", &[("count", left.into())])));
    }
    let zone = match preferences.time_zone {
        Some(zone) => locale.format("schedule-zone", &[("zone", city_of(zone).into())]),
        None => locale.text("schedule-utc"),
    };
    text.push_str(&format!("\n<i>{zone}</i>"));
    text
}

fn day_heading(locale: &Locale, schedule: &Schedule, day: chrono::NaiveDate) -> String {
    let named = if day == schedule.today {
        Some("today")
    } else if schedule.today.succ_opt() == Some(day) {
        Some("tomorrow")
    } else {
        None
    };
    let day = locale.day(day);
    named.map_or_else(|| capitalised(&day), |key| format!("{} · {day}", locale.text(key)))
}

/// One game on one line.
fn line(locale: &Locale, game: &Game, preferences: &Preferences) -> String {
    let (teams, mark) = (teams_of(locale, game), mark(game, preferences));
    let after = |key| format!("{teams}{mark} · <i>{}</i>", locale.text(key));
    match game.state {
        GameState::Live | GameState::Critical => format!("🔴 {}", after("game-live")),
        GameState::Final | GameState::Official => after("game-over"),
        GameState::Postponed => after("game-postponed"),
        GameState::Cancelled => after("game-cancelled"),
        GameState::Suspended => after("game-suspended"),
        _ if game.is_time_open => after("game-time-open"),
        GameState::Future | GameState::Pregame | GameState::Unknown => {
            let at = game.starts_at.with_timezone(&preferences.zone());
            format!("<code>{}</code>  {teams}{mark}", locale.time(at))
        }
    }
}

/// The two teams, with the score once there is one.
fn teams_of(locale: &Locale, game: &Game) -> String {
    let mut arguments =
        vec![("away", name(&game.away.name).into()), ("home", name(&game.home.name).into())];
    let Some(score) = game.score else { return locale.format("game", &arguments) };
    let goals = |goals: u16| format!("<b>{goals}</b>").into();
    arguments.push(("away-score", goals(score.away)));
    arguments.push(("home-score", goals(score.home)));
    locale.format("game-score", &arguments)
}

fn mark(game: &Game, preferences: &Preferences) -> &'static str {
    let is_favourite = |team: &Team| preferences.favourite_teams.contains(&team.id);
    if is_favourite(&game.away) || is_favourite(&game.home) { " ★" } else { "" }
}

fn buttons(locale: &Locale, view: ScheduleView, preferences: &Preferences) -> Vec<Vec<Button>> {
    let button = |key: &str, of: ScheduleView| Button {
        label: match of == view {
            true => format!("· {} ·", locale.text(key)),
            false => locale.text(key),
        },
        action: Action::Schedule(of),
    };
    let team =
        Button { label: locale.text("button-team"), action: Action::ScheduleTeams { page: 0 } };
    let mut second = vec![button("schedule-next", ScheduleView::Next), team];
    if !preferences.favourite_teams.is_empty() {
        second.push(button("schedule-favourites", ScheduleView::Favourites));
    }
    vec![
        vec![
            button("schedule-today", ScheduleView::Today),
            button("schedule-tomorrow", ScheduleView::Tomorrow),
            button("schedule-week", ScheduleView::Week),
        ],
        second,
    ]
}

fn name(name: &str) -> String {
    escaped(&name.chars().take(MAX_NAME_CHARS).collect::<String>())
}

/// With a capital first letter, for headings.
fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    first + chars.as_str()
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta, Utc};
    use rollcall_domain::{GameKind, Language, Score};
    use rollcall_service::ScheduleDay;

    use super::*;

    fn team(id: i64, name: &str) -> Team {
        Team { id, abbreviation: "T".to_owned(), name: name.to_owned() }
    }

    fn game(id: i64, starts_at: DateTime<Utc>, state: GameState) -> Game {
        Game {
            id,
            season: 20_262_027,
            kind: GameKind::Regular,
            day: starts_at.date_naive(),
            starts_at,
            is_time_open: false,
            away: team(6, "Boston Bruins"),
            home: team(8, "Montréal <Canadiens>"),
            venue: String::new(),
            venue_zone: None,
            state,
            score: None,
        }
    }

    fn shown(screen: &Screen) -> String {
        let row = |row: &Vec<Button>| {
            let button = |it: &Button| format!("[{} → {}]", it.label, it.action.data());
            row.iter().map(button).collect::<Vec<_>>().join(" ")
        };
        let rows: Vec<String> = screen.buttons.iter().map(row).collect();
        format!("{}\n\n{}", screen.text, rows.join("\n"))
    }

    /// A schedule with a game in each state.
    fn lively() -> Schedule {
        let at: DateTime<Utc> = "2026-11-23T23:30:00Z".parse().unwrap();
        let score = Some(Score { away: 2, home: 11 });
        let today = vec![
            Game { score, ..game(1, at, GameState::Official) },
            Game { score, ..game(2, at, GameState::Live) },
            game(3, at, GameState::Future),
            game(4, at + TimeDelta::minutes(30), GameState::Unknown),
            Game { is_time_open: true, ..game(5, at, GameState::Future) },
        ];
        let tomorrow = vec![
            game(6, at, GameState::Postponed),
            game(7, at, GameState::Cancelled),
            Game { score, ..game(8, at, GameState::Suspended) },
        ];
        let later =
            vec![Game { away: team(10, "Toronto Maple Leafs"), ..game(9, at, GameState::Future) }];
        let day = |day: &str, games| ScheduleDay { day: day.parse().unwrap(), games };
        Schedule {
            days: vec![
                day("2026-11-23", today),
                day("2026-11-24", tomorrow),
                day("2026-11-28", later),
            ],
            today: "2026-11-23".parse().unwrap(),
            team: None,
            outdated_since: Some(at - TimeDelta::days(2)),
        }
    }

    #[test]
    fn games_are_shown_in_every_language() {
        let preferences = Preferences {
            time_zone: Some(Tz::America__New_York),
            favourite_teams: [10].into(),
            ..Preferences::default()
        };
        for language in Language::ALL {
            let locale = Locale::of(language);
            let screen = games(locale, ScheduleView::Week, &lively(), &preferences);
            let team = Some(team(10, "Toronto Maple Leafs"));
            let plain = Schedule { team, outdated_since: None, ..lively() };
            let of_team = games(locale, ScheduleView::Team(10), &plain, &Preferences::default());
            let both = format!("{}\n\n———\n\n{}", shown(&screen), shown(&of_team));
            insta::assert_snapshot!(format!("games_{}", language.code()), both);
        }
    }

    #[test]
    fn empty_views_say_so_in_every_language() {
        let teams = [team(6, "Boston Bruins"), team(8, "Montréal Canadiens")];
        for language in Language::ALL {
            let locale = Locale::of(language);
            let preferences = Preferences::default();
            let empty = |view| shown(&games(locale, view, &Schedule::default(), &preferences));
            let screens = [
                empty(ScheduleView::Next),
                empty(ScheduleView::Today),
                empty(ScheduleView::Tomorrow),
                empty(ScheduleView::Week),
                empty(ScheduleView::Team(8)),
                empty(ScheduleView::Favourites),
                shown(&failed(locale, &preferences)),
                shown(&super::teams(locale, &teams, &[8].into(), 0)),
                shown(&super::teams(locale, &[], &[].into(), 7)),
            ];
            insta::assert_snapshot!(
                format!("no_games_{}", language.code()),
                screens.join("\n\n———\n\n")
            );
        }
    }

    #[test]
    fn the_longest_list_fits_into_a_message() {
        let at: DateTime<Utc> = "2026-11-23T23:30:00Z".parse().unwrap();
        let long = |id| Game {
            away: team(id, &"<𝄞>".repeat(99)),
            home: team(id + 1, &"𝄞".repeat(99)),
            score: Some(Score { away: u16::MAX, home: u16::MAX }),
            ..game(id, at, GameState::Suspended)
        };
        let day = |n: u64| ScheduleDay {
            day: at.date_naive() + chrono::Days::new(n),
            games: (0..20).map(long).collect(),
        };
        let schedule = Schedule {
            days: (0..6).map(day).collect(),
            today: at.date_naive(),
            team: None,
            outdated_since: Some(at),
        };
        let preferences =
            Preferences { favourite_teams: (0..50).collect(), ..Preferences::default() };
        for language in Language::ALL {
            let locale = Locale::of(language);
            let Screen { text, .. } = games(locale, ScheduleView::Week, &schedule, &preferences);
            let units = text.encode_utf16().count();
            assert!(units <= 4096, "{units}");
            // The text counts the games that are left out.
            let lines = text.matches("𝄞𝄞").count().min(120);
            assert!(lines > 0 && text.contains('…'), "{text}");
        }
    }

    #[test]
    fn pages_are_turned() {
        let items: Vec<u32> = (0..40).collect();
        let button = |n: &u32| Button { label: n.to_string(), action: Action::Settings };
        let labels = |page| {
            let rows = pages(&items, page, (16, 2), button, |page| Action::Favourites { page });
            let last: Vec<String> =
                rows.last().unwrap().iter().map(|it| it.label.clone()).collect();
            (rows.first().unwrap().first().unwrap().label.clone(), rows.len(), last.join(" "))
        };
        assert_eq!(labels(0), ("0".to_owned(), 9, "›".to_owned()));
        assert_eq!(labels(1), ("16".to_owned(), 9, "‹ ›".to_owned()));
        assert_eq!(labels(2), ("32".to_owned(), 5, "‹".to_owned()));
        assert_eq!(labels(99), labels(2));
        let none = pages(&[], 3, (16, 2), button, |page| Action::Favourites { page });
        assert!(none.is_empty());
    }
}
