//! What users see when the NHL's API is incomplete, changes its mind, or says something new.

use chrono::{NaiveDate, TimeDelta};
use rollcall_domain::{Clock, NHL_ZONE, Preferences, Score, SystemClock};
use rollcall_repository::{GameFilter, ScheduleRepository};
use rollcall_repository_diesel::DieselScheduleRepository;
use rollcall_simulator::{NhlApi, NhlGame, Person, Simulator};
use rollcall_testkit::ThrowAwayDatabase;
use serde_json::json;

use crate::{ada, ask, chosen, in_minutes, nhl, open, press, running::database::tamper, start};

stories!(
    a_game_that_the_nhl_took_out_is_not_announced,
    a_game_is_over_whatever_the_nhl_calls_it,
    a_game_without_a_decided_time_is_on_the_nhls_day,
    a_club_with_two_ids_is_one,
);

/// A day of the NHL's calendar, so many days from the one that it is there.
fn nhl_day(days: i64) -> NaiveDate {
    (SystemClock.now() + TimeDelta::days(days)).with_timezone(&NHL_ZONE).date_naive()
}

async fn a_game_that_the_nhl_took_out_is_not_announced(database: ThrowAwayDatabase) {
    let (telegram, nhl) = (Simulator::start().await.unwrap(), nhl().await);
    start(&telegram, &database, &nhl).await.terminate().await;
    nhl.remove(2);
    // It is due again.
    tamper(&database, "UPDATE refreshes SET refreshed_at = NULL, held_until = NULL");
    let bot = start(&telegram, &database, &nhl).await;
    let games = ask(&telegram, &ada(), "/schedule").await;
    assert!(!games.text.contains("New York Rangers @ Toronto Maple Leafs"), "{}", games.text);
    assert!(games.text.contains("Toronto Maple Leafs @ Boston Bruins"), "{}", games.text);
    bot.terminate().await;
    // The NHL has it again.
    nhl.put(NhlGame::new(2, "NYR", "TOR", &in_minutes(60 * 24 * 8)));
    tamper(&database, "UPDATE refreshes SET refreshed_at = NULL, held_until = NULL");
    let bot = start(&telegram, &database, &nhl).await;
    let games = ask(&telegram, &ada(), "/schedule").await;
    assert!(games.text.contains("New York Rangers @ Toronto Maple Leafs"), "{}", games.text);
    bot.terminate().await;
}

async fn a_game_is_over_whatever_the_nhl_calls_it(database: ThrowAwayDatabase) {
    let (telegram, nhl) = (Simulator::start().await.unwrap(), NhlApi::start().await.unwrap());
    let game = |id, minutes| NhlGame::new(id, "BOS", "MTL", &in_minutes(minutes)).score(3, 2);
    nhl.put(game(1, -150).state("OVER"));
    let outcome = json!({ "lastPeriodType": "OT" });
    nhl.put(game(2, -151).state("DONE").with("gameOutcome", outcome));
    nhl.put(game(3, -60 * 9).state("DONE"));
    nhl.put(game(4, -30).state("ROLLING"));
    nhl.put(game(5, 60 * 24).state("PLANNED").score(0, 0));
    let bot = start(&telegram, &database, &nhl).await;
    let next = ask(&telegram, &ada(), "/schedule").await;
    let lines: Vec<&str> = next.text.lines().filter(|line| line.contains("Boston")).collect();
    assert_eq!(lines.len(), 2, "{}", next.text);
    assert_eq!(lines[0], "🔴 Boston Bruins 3, Montréal Canadiens 2 · live");
    assert!(lines[1].ends_with("M  Boston Bruins @ Montréal Canadiens"), "{}", next.text);
    bot.terminate().await;
    let storage = DieselScheduleRepository::new(open(&database).await);
    let filter = GameFilter::from(SystemClock.now() - TimeDelta::days(1), nhl_day(-1));
    let over = storage.games(&filter, 3).await.unwrap();
    assert_eq!(over.iter().map(|game| game.id).collect::<Vec<_>>(), [3, 2, 1]);
    let score = Some(Score { away: 3, home: 2 });
    assert!(over.iter().all(|game| game.state.is_over() && game.score == score), "{over:?}");
}

async fn a_game_without_a_decided_time_is_on_the_nhls_day(database: ThrowAwayDatabase) {
    let (telegram, nhl) = (Simulator::start().await.unwrap(), NhlApi::start().await.unwrap());
    let undecided = |id, teams: (&str, &str), day: NaiveDate| {
        let game = NhlGame::new(id, teams.0, teams.1, &format!("{day}T04:00:00Z"));
        game.on(&day.to_string()).with("gameScheduleState", json!("TBD"))
    };
    let (today, soon) = (nhl_day(0), nhl_day(4));
    nhl.put(undecided(1, ("BOS", "MTL"), soon));
    nhl.put(undecided(2, ("NYR", "TOR"), today));
    let bot = start(&telegram, &database, &nhl).await;
    let heading = soon.format("%A, %B %-d").to_string();
    for (id, zone) in [
        (1, "America/Los_Angeles"),
        (2, "Asia/Tokyo"),
        (3, "Pacific/Auckland"),
        (4, "Pacific/Kiritimati"),
    ] {
        let person = Person::new(id, "Ada").language_code("en");
        let settings = ask(&telegram, &person, "/settings").await;
        telegram.press(&person, &settings, &format!("1/p/tz/{zone}"));
        telegram.wait_for_edit(&settings).await.unwrap();
        let games = ask(&telegram, &person, "/schedule").await;
        let shown = format!("{heading}\nBoston Bruins @ Montréal Canadiens · time TBD");
        assert!(games.text.contains(&shown), "{zone}: {}", games.text);
        // Also where the placeholder is long past.
        assert!(games.text.contains("Rangers @ Toronto Maple Leafs · time TBD"), "{}", games.text);
    }
    bot.terminate().await;
}

async fn a_club_with_two_ids_is_one(database: ThrowAwayDatabase) {
    let (telegram, nhl) = (Simulator::start().await.unwrap(), NhlApi::start().await.unwrap());
    let utah = |id: i64, name: &str| {
        json!({
            "id": id, "abbrev": "UTA",
            "placeName": { "default": "Utah" }, "commonName": { "default": name },
        })
    };
    let game = |id, days: i64| NhlGame::new(id, "BOS", "MTL", &in_minutes(days * 24 * 60));
    nhl.put(game(1, 1).with("awayTeam", utah(59, "Utah Hockey Club")));
    nhl.put(game(2, 2).with("homeTeam", utah(59, "Utah Hockey Club")));
    let bot = start(&telegram, &database, &nhl).await;
    let (ada, bob) = (ada(), Person::new(7, "Bob").language_code("en"));
    let mut settings = ask(&telegram, &ada, "/settings").await;
    for label in ["Teams", "Utah Hockey Club"] {
        settings = press(&telegram, &ada, &settings, label).await;
    }
    let old_teams = ask(&telegram, &bob, "/schedule").await;
    let old_teams = press(&telegram, &bob, &old_teams, "By team…").await;
    let old_settings = ask(&telegram, &bob, "/settings").await;
    let old_settings = press(&telegram, &bob, &old_settings, "Teams").await;
    bot.terminate().await;

    // The club is renamed, and gets another id; one of its games still has the old one.
    nhl.put(game(2, 2).with("homeTeam", utah(68, "Mammoth")));
    nhl.put(game(3, 3).with("awayTeam", utah(68, "Mammoth")));
    tamper(&database, "UPDATE refreshes SET refreshed_at = NULL, held_until = NULL");
    let bot = start(&telegram, &database, &nhl).await;
    let games = ask(&telegram, &ada, "/schedule").await;
    let mine = press(&telegram, &ada, &games, "My teams").await;
    assert!(mine.text.contains("Utah Hockey Club @ Montréal Canadiens ★"), "{}", mine.text);
    assert_eq!(mine.text.matches('★').count(), 3, "{}", mine.text);
    assert_eq!(mine.text.matches("Utah Mammoth").count(), 2, "{}", mine.text);
    let teams = press(&telegram, &ada, &mine, "By team…").await;
    let labels: Vec<String> = teams.buttons().into_iter().map(|button| button.text).collect();
    assert_eq!(labels, ["Montréal Canadiens", "★ Utah Mammoth", "« Back"]);
    let settings = ask(&telegram, &ada, "/settings").await;
    assert!(settings.text.ends_with("Teams: Utah Mammoth"), "{}", settings.text);

    // Buttons that were sent before still mean the club.
    let of_team = press(&telegram, &bob, &old_teams, "Utah Hockey Club").await;
    assert!(of_team.text.starts_with("Utah Mammoth\n"), "{}", of_team.text);
    assert_eq!(of_team.text.matches("Utah").count(), 4, "{}", of_team.text);
    let chosen_teams = press(&telegram, &bob, &old_settings, "Utah Hockey Club").await;
    assert!(chosen_teams.button("★ Utah Mammoth").is_some());
    assert_eq!(chosen(&database, bob.id).await.favourite_teams, [68].into());
    let without = press(&telegram, &bob, &chosen_teams, "★ Utah Mammoth").await;
    assert!(without.button("Utah Mammoth").is_some());
    bot.terminate().await;
    assert_eq!(chosen(&database, bob.id).await, Preferences::default());
    assert_eq!(chosen(&database, ada.id).await.favourite_teams, [68].into());
}
