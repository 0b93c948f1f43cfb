//! The filter bar above the list of users, in a browser: with scripts and without.
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

use chrono::{DateTime, TimeDelta, Utc};
use rollcall_domain::{Clock, Interaction, InteractionKind, Profile, Role, SystemClock};
use rollcall_repository_diesel::{Database, DieselUserRepository};
use rollcall_service::UserService;
use rollcall_testkit::ThrowAwayDatabase;
use serde_json::json;

use browser::Browser;
use site::{PASSWORD, Site, with_browser};

const NAMES: &str = "#results tbody th a";
const OPTIONS: &str = "#completion:not([hidden]) [role=option] code";
const DOWN: &str = "\u{e015}";
const ENTER: &str = "\u{e007}";
const ESCAPE: &str = "\u{e00c}";
const TAB: &str = "\u{e004}";

/// The list, and an owner at a browser.
struct Visit {
    browser: Rc<Browser>,
    list: String,
}

#[tokio::test(flavor = "multi_thread")]
async fn users_are_filtered_by_text_form_and_parts() {
    with_browser(async |browser| {
        let site = Site::open(Rc::clone(&browser), ThrowAwayDatabase::sqlite(), &[]).await;
        fill(&site.database).await;
        let list = format!("{}/users", site.url);
        let visit = Visit { browser, list };
        visit.sign_in().await;
        visit.a_filter_is_typed_and_its_url_opens_the_same_list().await;
        visit.a_wrong_filter_is_marked_while_it_is_typed().await;
        visit.terms_are_completed_by_keyboard().await;
        visit.a_completion_is_chosen_by_mouse().await;
        visit.parts_are_removed_one_by_one().await;
        visit.the_form_edits_the_text().await;
        visit.old_links_lead_to_the_same_users().await;
        visit.days_are_those_of_the_browsers_zone().await;
        visit.everything_works_without_scripts().await;
        let complaints = visit.browser.complaints().await;
        assert!(complaints.is_empty(), "{complaints:?}");
        site.close().await;
    })
    .await;
}

/// Five users in three languages. One of them joined on the evening of a day of UTC, which is the next
/// day in Tokyo.
async fn fill(database: &ThrowAwayDatabase) {
    let storage = Database::open(database.url().parse().unwrap()).await.unwrap();
    let storage = DieselUserRepository::new(storage);
    let users = UserService::new(storage.clone(), SystemClock);
    let person = |n: i64, name: &str, language: &str| {
        Profile::new(n.try_into().unwrap(), name).language_code(language)
    };
    let people = [
        (person(2001, "Anna", "de"), 40),
        (person(2002, "Bernd", "de"), 3),
        (person(2003, "Carla", "pt-br"), 2),
        (person(2004, "Dora", "cs"), 1),
    ];
    let mut written: Vec<_> = people
        .into_iter()
        .map(|(profile, days)| {
            let at = SystemClock.now() - TimeDelta::days(days);
            Interaction::new(at, profile, InteractionKind::Text)
        })
        .collect();
    written.push(Interaction::new(evening(), person(2005, "Emi", "ja"), InteractionKind::Text));
    users.register(&written).await.unwrap();
    let directory = rollcall_service::DirectoryService::new(storage, SystemClock);
    while directory.index_names().await.unwrap() {}
}

/// An evening in UTC.
fn evening() -> DateTime<Utc> {
    "2026-02-03T20:00:00Z".parse().unwrap()
}

impl Visit {
    async fn sign_in(&self) {
        let Self { browser, list } = self;
        browser.go(list).await;
        browser.fill("#name", Role::Owner.name()).await;
        browser.fill("#password", PASSWORD).await;
        browser.press("Sign in").await;
        browser.shows("h1", "Users").await;
    }

    async fn go(&self, filter: &str) {
        let filter: String = filter.bytes().map(|byte| format!("%{byte:02X}")).collect();
        self.browser.go(&format!("{}?filter={filter}", self.list)).await;
    }

    async fn text_is(&self, text: &str) {
        let value = "return document.querySelector('#filter').value";
        let is = async || self.browser.script(value, json!([])).await == text;
        self.browser.until(&format!("the filter is {text:?}"), is).await;
    }

    async fn a_filter_is_typed_and_its_url_opens_the_same_list(&self) {
        let Self { browser, list } = self;
        browser.go(list).await;
        browser.type_into("#filter", "lang:de seen<14d or lang:pt*").await;
        browser.shows_all(NAMES, &["Carla", "Bernd"]).await;
        browser.shows("#count", "2 users found").await;
        browser.shows_all("#chips code", &["lang:de seen<14d or lang:pt*"]).await;
        let url = browser.url().await;
        browser.go("about:blank").await;
        browser.go(&url).await;
        browser.shows_all(NAMES, &["Carla", "Bernd"]).await;
        self.text_is("lang:de seen<14d or lang:pt*").await;
        // The page of a user keeps it.
        browser.click(NAMES).await;
        browser.shows("h1", "Carla").await;
        browser.press("Back to the list").await;
        browser.shows_all(NAMES, &["Carla", "Bernd"]).await;
        self.text_is("lang:de seen<14d or lang:pt*").await;
    }

    async fn a_wrong_filter_is_marked_while_it_is_typed(&self) {
        let Self { browser, list } = self;
        browser.go(list).await;
        browser.type_into("#filter", "lang:de langg:x").await;
        browser.shows("#filter-wrong", "Unknown field 'langg'; did you mean 'lang'?").await;
        browser.shows_all("#filter-wrong mark", &["langg:x"]).await;
        browser.shows("#count", "invalid filter").await;
        assert!(!browser.has(NAMES).await);
        browser.fill("#filter", "lang:de").await;
        browser.shows_all(NAMES, &["Bernd", "Anna"]).await;
        assert!(!browser.has("#filter-wrong *").await);
    }

    async fn terms_are_completed_by_keyboard(&self) {
        let Self { browser, list } = self;
        browser.go(list).await;
        browser.type_into("#filter", "blocked or -la").await;
        browser.shows_all(OPTIONS, &["lang:"]).await;
        let marked = "const it = document.querySelector('#filter'); \
             return document.getElementById(it.getAttribute('aria-activedescendant'))?.innerText ?? ''";
        assert_eq!(browser.script(marked, json!([])).await, "");
        browser.key(DOWN).await;
        let is_marked = browser.script(marked, json!([])).await;
        assert!(is_marked.as_str().unwrap().starts_with("lang:"), "{is_marked}");
        browser.key(ENTER).await;
        self.text_is("blocked or -lang:").await;
        // The most frequent one is first.
        browser.shows(OPTIONS, "lang:pt-br").await;
        assert_eq!(browser.texts(OPTIONS).await[0], "lang:de");
        browser.type_into("#filter", "d").await;
        browser.shows_all(OPTIONS, &["lang:de"]).await;
        browser.key(DOWN).await;
        browser.key(TAB).await;
        self.text_is("blocked or -lang:de ").await;
        assert!(!browser.has(OPTIONS).await);
        // A further value of the same field.
        browser.fill("#filter", "lang:de,p").await;
        browser.shows_all(OPTIONS, &["lang:pt-br"]).await;
        browser.key(DOWN).await;
        browser.key(ENTER).await;
        self.text_is("lang:de,pt-br ").await;
        browser.shows_all(NAMES, &["Carla", "Bernd", "Anna"]).await;
        // The name of a language finds its code.
        browser.fill("#filter", "czec").await;
        browser.shows_all(OPTIONS, &["lang:cs"]).await;
        browser.key(ESCAPE).await;
        browser.until("the list is closed", async || !browser.has(OPTIONS).await).await;
        self.text_is("czec").await;
        // Without a mark, Enter sends what is typed.
        browser.fill("#filter", "zone:Europe/Ber").await;
        browser.shows_all(OPTIONS, &["zone:Europe/Berlin"]).await;
        browser.fill("#filter", "lang:cs").await;
        browser.key(ENTER).await;
        browser.comes_to("filter=lang%3Acs").await;
        browser.shows_all(NAMES, &["Dora"]).await;
        // In quotes, nothing has a meaning of its own.
        browser.fill("#filter", "\"la").await;
        browser.shows("#filter-wrong", "A quote is not closed; expected another").await;
        assert!(!browser.has(OPTIONS).await);
    }

    async fn a_completion_is_chosen_by_mouse(&self) {
        let Self { browser, list } = self;
        browser.go(list).await;
        browser.type_into("#filter", "lang:").await;
        browser.click("#completion [role=option]").await;
        self.text_is("lang:de ").await;
        browser.shows_all(NAMES, &["Bernd", "Anna"]).await;
        let focused = "return document.activeElement.id";
        assert_eq!(browser.script(focused, json!([])).await, "filter");
    }

    async fn parts_are_removed_one_by_one(&self) {
        let Self { browser, .. } = self;
        self.go("lang:de joined<14d (ann or bern)").await;
        browser.shows_all(NAMES, &["Bernd"]).await;
        browser.click("#chips [aria-label='Remove joined<14d']").await;
        browser.shows_all(NAMES, &["Bernd", "Anna"]).await;
        self.text_is("lang:de (ann or bern)").await;
        browser.click("#chips [aria-label='Remove lang:de']").await;
        browser.shows_all("#chips code", &["ann or bern"]).await;
        browser.press("Clear all").await;
        browser.shows("#count", "in total").await;
        assert!(!browser.has("#chips li").await);
    }

    async fn the_form_edits_the_text(&self) {
        let Self { browser, .. } = self;
        self.go("lang:de -bern").await;
        browser.press("Filter by a form").await;
        browser.shows("#lang option:checked", "de").await;
        browser.click("#lang option[value=pt-br]").await;
        browser.click("[name=seen] option[value='<7d']").await;
        browser.press("Apply").await;
        browser.shows_all(NAMES, &["Carla"]).await;
        self.text_is("lang:pt-br -bern seen<7d").await;
        browser.press("Filter by a form").await;
        browser.shows("[name=seen] option:checked", "Last 7 days").await;
        browser.click("#lang option[value='']").await;
        browser.fill("[name=seen_from]", "01012026").await;
        browser.press("Apply").await;
        browser.shows("#count", "6 users found").await;
        self.text_is("-bern seen>=2026-01-01").await;
    }

    async fn old_links_lead_to_the_same_users(&self) {
        let Self { browser, list } = self;
        browser.go(&format!("{list}?language=de&q=ann&sort=id")).await;
        browser.shows_all(NAMES, &["Anna"]).await;
        assert!(browser.url().await.ends_with("?filter=lang%3Ade+ann&sort=id"));
        browser.go(&format!("{list}?reach=x")).await;
        browser.shows("main", "State: “x”: expected one of reachable").await;
        browser.complaints().await;
    }

    async fn days_are_those_of_the_browsers_zone(&self) {
        let Self { browser, .. } = self;
        let there = json!({ "timezoneId": "Asia/Tokyo" });
        browser.devtools("Emulation.setTimezoneOverride", there).await;
        // The page sends its zone to the server, which the next page uses.
        browser
            .until("the days are those of Tokyo", async || {
                self.go("joined:2026-02-04").await;
                browser.texts("#chips").await.concat().contains("Days are those of Asia/Tokyo.")
            })
            .await;
        browser.shows_all(NAMES, &["Emi"]).await;
        self.go("joined:2026-02-03").await;
        browser.shows("#results", "No users match.").await;
        browser.devtools("Emulation.setTimezoneOverride", json!({ "timezoneId": "" })).await;
    }

    async fn everything_works_without_scripts(&self) {
        let Self { browser, list } = self;
        browser.run_scripts(false).await;
        browser.go(list).await;
        // The browser completes by a list of its own.
        let completed = "return document.querySelector('#filter').list.options[0].value";
        assert_eq!(browser.script(completed, json!([])).await, "lang:");
        browser.fill("#filter", "lang:de or lang:cs").await;
        browser.press("Filter").await;
        browser.shows_all(NAMES, &["Dora", "Bernd", "Anna"]).await;
        browser.press("Filter by a form").await;
        browser.fill("#search", "dor").await;
        browser.press("Apply").await;
        browser.shows_all(NAMES, &["Dora"]).await;
        self.text_is("(lang:de or lang:cs) dor").await;
        browser.click("#chips [aria-label='Remove dor']").await;
        browser.shows_all(NAMES, &["Dora", "Bernd", "Anna"]).await;
        browser.fill("#filter", "lang:de or").await;
        browser.press("Filter").await;
        browser.shows("#filter-wrong", "Expected a term after 'or'.").await;
        browser.press("How to write a filter").await;
        browser.shows("details[open] dl", "the language of the Telegram app").await;
        browser.run_scripts(true).await;
    }
}
