//! Saved segments in a browser, and the daily count by the bot.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

#[expect(dead_code, reason = "each test file uses its own part of it")]
mod browser;
#[macro_use]
mod running;
#[expect(dead_code, reason = "each test file uses its own part of it")]
mod site;

use std::rc::Rc;

use chrono_tz::Tz;
use rollcall_domain::{Role, SystemClock};
use rollcall_repository_diesel::{Database, DieselUserRepository};
use rollcall_service::{AudienceService, SegmentService};
use rollcall_simulator::Simulator;
use rollcall_testkit::ThrowAwayDatabase;

use running::RunningBot;
use site::{Site, with_browser};

async fn storage(database: &ThrowAwayDatabase) -> DieselUserRepository {
    let storage = Database::open(database.url().parse().unwrap()).await.unwrap();
    storage.migrate().await.unwrap();
    DieselUserRepository::new(storage)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bot_counts_segments_on_a_day_that_was_not_counted_yet() {
    for database in ThrowAwayDatabase::of_each_kind() {
        let storage = storage(&database).await;
        let audience = AudienceService::new(storage.clone(), SystemClock);
        audience
            .save_segment("all".parse().unwrap(), "".parse().unwrap(), Tz::UTC, "")
            .await
            .unwrap();
        let segments = SegmentService::new(storage, SystemClock);
        let telegram = Simulator::start().await.unwrap();
        let bot = RunningBot::start(&telegram, &database, &[]).await;
        bot.said("counted the segments of today").await;
        let counted = segments.list().await.unwrap();
        assert_eq!(counted[0].size.map(|size| size.users), Some(0));
        bot.terminate().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filter_is_saved_as_a_segment_watched_changed_and_deleted() {
    with_browser(async |browser| {
        for database in ThrowAwayDatabase::of_each_kind() {
            let site = Site::open(Rc::clone(&browser), database, &[]).await;
            story(&site).await;
            let complaints = browser.complaints().await;
            // The answer to the wrong filter.
            let is_wrong = |it: &String| it.contains("/segments/new") && it.contains("400");
            assert_eq!(complaints.iter().filter(|it| !is_wrong(it)).count(), 0, "{complaints:?}");
            browser.forget().await;
            site.close().await;
        }
    })
    .await;
}

async fn story(site: &Site) {
    let browser = &site.browser;
    site.go("/users?filter=id:1001,1002").await;
    site.enter(Role::Editor.name()).await;
    browser.shows("#count", "2 users found").await;
    browser.press("Save as segment").await;
    browser.shows("h1", "New segment").await;
    browser.fill("#name", "pair").await;
    browser.fill("#description", "Both of them").await;
    browser.press("Save").await;
    browser.shows("h1", "pair").await;
    browser.shows("[role=status]", "Saved.").await;
    site.fits_on_a_phone().await;

    let segments = SegmentService::new(storage(&site.database).await, SystemClock);
    segments.count_now(&|_| {}).await.unwrap();
    site.go("/segments").await;
    browser.shows("td.size a", "2").await;
    site.fits_on_a_phone().await;
    browser.press("pair").await;
    browser.shows("#size-title", "Users by day").await;
    browser.shows_all(".history a", &["Person", "Person"]).await;
    site.fits_on_a_phone().await;

    site.go("/segments/new").await;
    browser.shows("h1", "New segment").await;
    browser.fill("#name", "rest").await;
    browser.fill("#segment-filter", "-segmnt:pair bot").await;
    browser.press("Save").await;
    browser.shows("#filter-wrong", "did you mean 'segment'?").await;
    browser.shows_all("mark", &["segmnt:pair"]).await;
    browser.fill("#segment-filter", "-segment:pair").await;
    browser.press("Save").await;
    browser.shows("h1", "rest").await;

    site.go("/segments/pair").await;
    browser.press("Edit").await;
    browser.shows("h1", "Edit pair").await;
    browser.fill("#segment-filter", "id:1001").await;
    browser.press("Save").await;
    browser.shows("h1", "pair").await;
    browser.shows(".filter-text", "id:1001").await;
    site.go("/users/1001").await;
    browser.shows_all("[aria-labelledby=segments] .chips a", &["pair"]).await;
    site.go("/users/1002").await;
    browser.shows_all("[aria-labelledby=segments] .chips a", &["rest"]).await;

    site.go("/segments/pair").await;
    browser.press("Delete…").await;
    browser.shows("[role=alert]", "other segments use it: rest").await;
    site.go("/segments/rest/delete").await;
    browser.click("[name=sure]").await;
    browser.press("Delete").await;
    browser.shows("[role=status]", "Deleted segment rest.").await;
    site.go("/segments/pair/delete").await;
    browser.click("[name=sure]").await;
    browser.press("Delete").await;
    browser.shows("[role=status]", "Deleted segment pair.").await;
    browser.shows(".empty", "No segment is saved yet.").await;
}
