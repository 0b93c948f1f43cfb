//! The time of filters in a large database that `manage demo-data` fills: first pages, exact counts
//! compared with a count by the database, tagging, and segments.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use chrono_tz::Tz;
use rollcall_domain::{Clock, Filter, Selection, SystemClock, UserSort};
use rollcall_repository::{AudienceRepository, DirectoryRepository};
use rollcall_repository_diesel::{Database, DieselUserRepository};

use crate::{
    database::Databases,
    limit::{BatchContent, Limit},
    statistics::{manage, print_run, print_times},
};

/// The number of users on a page.
const PAGE: u32 = 50;
/// The days over which the users join.
const DAYS: &str = "60";
/// The condition of the count to compare with. No index has its column.
const UNINDEXED: &str = "SELECT COUNT(*) FROM telegram_users WHERE day_interactions >= 2";

/// Measures in databases that it fills, or in an existing one that it filled before.
pub(crate) async fn run(
    databases: &Databases,
    users: i64,
    existing: Option<&str>,
    runs: usize,
) -> Result<()> {
    if let Some(url) = existing {
        println!("Filters in {url}");
        return read(url, runs).await;
    }
    for (name, database) in databases.of_each_kind() {
        println!("{name}: filters over {users} users");
        fill(database.url(), users).await?;
        read(database.url(), runs).await?;
    }
    Ok(())
}

/// Creates users, and tags a tenth and all of them.
async fn fill(url: &str, users: i64) -> Result<()> {
    let load = ["demo-data", "--users", &users.to_string(), "--days", DAYS];
    print_run("demo-data", manage(url, &load).await?);
    for (name, filter) in [("tenth", "random:10%:a"), ("everyone", "bot or -bot")] {
        let what = format!("manage tag add {name} --filter '{filter}'");
        let run = manage(url, &["tag", "add", name, "--filter", filter]).await?;
        print_run(&what, run);
    }
    for (place, filter) in segments().iter().enumerate() {
        manage(url, &["segments", "save", &format!("s{place}"), "--filter", filter]).await?;
    }
    Limit::open(url, 1, BatchContent::Users)?.analyze()
}

/// The filters of a hundred segments.
fn segments() -> Vec<String> {
    let languages = ["en", "ru", "de", "es", "pt-br", "fr", "it", "tr", "uk", "he"];
    let of_language = languages.iter().flat_map(|it| {
        ["", " reachable", " seen<7d", " days>=5"].map(|and| format!("lang:{it}{and}"))
    });
    let sources = ["friend", "ads_*", "channel_post", "instagram_bio", "giveaway"];
    let of_source = sources.iter().flat_map(|it| {
        [("", ""), ("", " reachable"), ("-", " seen<14d")]
            .map(|(not, and)| format!("{not}source:{it}{and}"))
    });
    let of_days = (1..=17).map(|days| format!("seen<{days}d days>={days}"));
    let of_tags = ["tenth", "everyone", "vip", "newsletter"]
        .iter()
        .flat_map(|it| [format!("tag:{it}"), format!("-tag:{it} reachable")]);
    let of_uses = ["/start", "/schedule", "settings"].iter().flat_map(|it| {
        [("", ""), ("", ">=3"), ("-", ""), ("", "<7d")].map(|(a, b)| format!("{a}used:{it}{b}"))
    });
    let others = [
        "blocked",
        "-reachable",
        "bot",
        "joined<30d",
        "blocked_at<7d",
        "random:1%:x",
        "-lang:*",
        "started:friend",
    ];
    let others = others.iter().map(|it| (*it).to_owned());
    of_language
        .chain(of_source)
        .chain(of_days)
        .chain(of_tags)
        .chain(of_uses)
        .chain(others)
        .collect()
}

/// Filters over columns of `telegram_users`, and the further table that each needs.
const COUNTED: [(&str, Option<&str>); 17] = [
    ("", None),
    ("lang:de", None),
    ("lang:de,ru,en* reachable", None),
    ("seen<14d days>=5 -blocked", None),
    ("(lang:de or source:ads_*) joined<30d", None),
    ("random:10%:seed", None),
    ("-lang:*", None),
    ("tag:tenth", Some("user_labels")),
    ("-tag:tenth", Some("user_labels")),
    ("tag:everyone reachable", Some("user_labels")),
    ("lang:de or tag:tenth", Some("user_labels")),
    ("used:/schedule", Some("command_uses")),
    ("used:/schedule>=3", Some("command_uses")),
    ("used:/schedule<14d reachable", Some("command_uses")),
    ("-used:/schedule", Some("command_uses")),
    ("started:friend", Some("starts")),
    ("-started:ads_*", Some("starts")),
];

/// Filters whose first page is read.
const LISTED: [&str; 22] = [
    "",
    "lang:de,ru reachable seen<14d",
    "lang:pt*",
    "source:ads_*",
    "-lang:*",
    "random:1%:seed",
    "tag:tenth",
    "-tag:tenth",
    "tag:tenth lang:he",
    "tag:tenth -tag:everyone",
    "used:/schedule",
    "used:/schedule>=30",
    "used:/schedule -used:/schedule",
    "started:friend",
    "started:none",
    "days>=5 (lang:de or tag:tenth)",
    "blocked_at<7d",
    "zone:Europe/Berlin",
    "has:note",
    "james lang:de -blocked",
    "name:\"van der\"",
    "(james or tag:tenth) days>=50",
];

async fn read(url: &str, runs: usize) -> Result<()> {
    let store = DieselUserRepository::new(Database::open(url.parse()?).await?);
    for text in LISTED {
        let selection = selection(text)?;
        let list = || store.select(&selection, UserSort::default(), None, PAGE);
        let slice = list().await?;
        let part = if slice.is_partial { ", partly searched" } else { "" };
        let title = format!("{text} [{}{part}]", slice.rows.len());
        print_times(&title, list).await?;
    }
    count(&store, url, runs).await?;
    daily_pass(&store, url).await?;
    println!();
    Ok(())
}

/// The daily pass over all segments, compared with counting them one by one.
async fn daily_pass(store: &DieselUserRepository, url: &str) -> Result<()> {
    let begun = Instant::now();
    for filter in segments() {
        store.count(&selection(&filter)?, Arc::new(|_, _| true)).await?;
    }
    let single = begun.elapsed().as_secs_f64();
    let pass = manage(url, &["segments", "refresh"]).await?;
    let ratio = pass.elapsed.as_secs_f64() / single;
    println!(
        "  {} segments one by one {single:.1} s, ratio of the pass {ratio:.2}",
        segments().len()
    );
    print_run("manage segments refresh", pass);
    Ok(())
}

/// Counts with each filter and, alternately, counts by the database.
async fn count(store: &DieselUserRepository, url: &str, runs: usize) -> Result<()> {
    let limit = Limit::open(url, 1, BatchContent::Users)?;
    for (text, table) in COUNTED {
        let selection = selection(text)?;
        let (mut ratios, mut ours, mut limits) = (Vec::new(), Vec::new(), Vec::new());
        let mut counted = 0;
        for run in 0..=runs {
            let mut allowed = time(|| limit.execute(UNINDEXED))?;
            if let Some(table) = table {
                let pass = format!("SELECT COUNT(*) FROM {table} WHERE {}", unindexed(table)?);
                allowed += time(|| limit.execute(&pass))?;
            }
            let begun = Instant::now();
            let users = store.count(&selection, Arc::new(|_, _| true)).await?;
            counted = users.context("the count was not stopped")?;
            let took = begun.elapsed();
            // The first run is the warm-up.
            if run > 0 {
                ratios.push(took.as_secs_f64() / allowed.as_secs_f64());
                ours.push(took.as_secs_f64());
                limits.push(allowed.as_secs_f64());
            }
        }
        let [ratio, ours, limit] = [ratios, ours, limits].map(median);
        println!(
            "  count of {:40} {counted:>9}: {ours:.2} s, the database's passes {limit:.2} s, \
             ratio {ratio:.2}",
            format!("'{text}'")
        );
    }
    Ok(())
}

fn unindexed(table: &str) -> Result<&'static str> {
    Ok(match table {
        "user_labels" => "telegram_id % 7 <> 1",
        "command_uses" => "days >= 1",
        "starts" => "payload <> ''",
        _ => anyhow::bail!("unknown table {table}"),
    })
}

fn selection(text: &str) -> Result<Selection> {
    let filter: Filter = text.parse()?;
    Ok(Selection::new(&filter, &BTreeMap::new(), Tz::UTC, SystemClock.now())?)
}

fn time(run: impl FnOnce() -> Result<()>) -> Result<Duration> {
    let begun = Instant::now();
    run()?;
    Ok(begun.elapsed())
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
