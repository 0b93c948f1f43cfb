//! The web admin as people use it: the real bot, and a real browser.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod browser;
#[macro_use]
mod running;

use std::{panic::resume_unwind, rc::Rc};

use chrono::TimeDelta;
use rollcall_domain::{
    Clock, Game, GameKind, GameState, Interaction, InteractionKind, Profile, Role, SystemClock,
    Team,
};
use rollcall_repository_diesel::{
    Database, DieselAdminRepository, DieselScheduleRepository, DieselUserRepository,
};
use rollcall_service::{AdminService, DirectoryService, ScheduleService, UserService};
use rollcall_simulator::{Person, Simulator};
use rollcall_testkit::ThrowAwayDatabase;
use serde_json::json;
use tokio::task::LocalSet;

use browser::Browser;
use running::RunningBot;

/// Who may sign in by Telegram.
const BOSS: i64 = 99;
const PASSWORD: &str = "correct horse battery";
/// How many people there are who are called "Person".
const PEOPLE: i64 = 120;
/// How many there are who speak Czech.
const CZECHS: i64 = 230;
const NAMES: &str = "#results tbody th a";

/// A bot with people, and somebody at a browser.
struct Office {
    browser: Browser,
    telegram: Simulator,
    bot: RunningBot,
    /// Where the web admin is, such as http://127.0.0.1:12345/admin.
    url: String,
}

/// One browser and one bot for all stories: they take their time to start.
#[tokio::test(flavor = "multi_thread")]
async fn people_use_the_web_admin() {
    let Some(browser) = Browser::open().await else { return };
    let database = ThrowAwayDatabase::sqlite();
    let telegram = Simulator::start().await.unwrap();
    let boss = BOSS.to_string();
    let settings = [
        ("LISTEN_ADDR", "127.0.0.1:0"),
        ("ADMIN_TELEGRAM_IDS", boss.as_str()),
        ("RUST_LOG", "trace"),
    ];
    let bot = RunningBot::start(&telegram, &database, &settings).await;
    fill(&database).await;
    let log = bot.log();
    let url = log.split("the web admin is at ").nth(1).unwrap();
    let url = url.split_whitespace().next().unwrap().to_owned();
    let office = Rc::new(Office { browser, telegram, bot, url });
    // A story that fails is not to leave Chromium behind.
    let tasks = LocalSet::new();
    let ended = tasks.spawn_local(stories(Rc::clone(&office)));
    let ended = tasks.run_until(ended).await;
    let Office { browser, bot, .. } = Rc::into_inner(office).unwrap();
    browser.close().await;
    if let Err(error) = ended {
        let log = bot.log();
        let trouble = log.lines().filter(|it| it.contains("WARN ") || it.contains("ERROR "));
        eprintln!("the bot said:\n{}", trouble.collect::<Vec<_>>().join("\n"));
        resume_unwind(error.into_panic());
    }
    let log = bot.terminate().await;
    for secret in ["ковс", "%D0%BA", "Чайков", PASSWORD, "hockey", "/link/"] {
        assert!(!log.contains(secret), "{secret} is logged");
    }
}

async fn stories(office: Rc<Office>) {
    macro_rules! run {
        ($($story:ident,)+) => {
            $(println!("{}", stringify!($story).replace('_', " "));
            office.$story().await;)+
        };
    }
    run!(
        a_wrong_password_is_refused,
        somebody_signs_in_and_out,
        a_link_from_the_bot_signs_in_once,
        half_a_name_finds_somebody_as_it_is_typed,
        filters_are_shared_by_their_url,
        pages_lead_forth_and_back,
        a_note_is_written,
        preferences_are_changed,
        users_are_downloaded,
        a_viewer_may_not_edit,
        names_run_nothing,
        forms_of_other_sites_are_refused,
        times_are_in_the_viewers_zone,
        keys_are_enough,
        the_theme_is_chosen,
        ticks_survive_a_search_and_another_page,
        everything_can_be_read,
        nothing_is_wider_than_a_phone,
        nothing_moves_while_a_page_loads,
        it_works_without_scripts,
        it_works_over_http_from_another_machine,
        somebody_is_deleted,
        all_who_match_are_deleted,
    );
}

/// Accounts named for their roles, and people.
async fn fill(database: &ThrowAwayDatabase) {
    let storage = Database::open(database.url().parse().unwrap()).await.unwrap();
    let admins =
        AdminService::new(DieselAdminRepository::new(storage.clone()), SystemClock, [].into());
    for role in Role::ALL {
        let name = role.name().parse().unwrap();
        admins.create_account(&name, PASSWORD, role, None).await.unwrap();
    }
    let schedule =
        ScheduleService::new(DieselScheduleRepository::new(storage.clone()), SystemClock);
    schedule.store(&games()).await.unwrap();
    let storage = DieselUserRepository::new(storage);
    let directory = DirectoryService::new(storage.clone(), SystemClock);
    let users = UserService::new(storage, SystemClock);
    let start = SystemClock.now() - TimeDelta::days(30);
    let person = |n: i64, name: &str| Profile::new(n.try_into().unwrap(), name);
    let mut people: Vec<Profile> = (1..=PEOPLE)
        .map(|n| person(1000 + n, &format!("Person {n:03}")).language_code("en"))
        .collect();
    people.extend(
        (1..=CZECHS).map(|n| person(2000 + n, "Jan").last_name("Novák").language_code("cs")),
    );
    people
        .push(person(1840, "Пётр").last_name("Чайковский").username("tchaik").language_code("ru"));
    let script = "<script>document.title = 'owned'</script>";
    people.push(person(666, script).last_name("\"><img src=x onerror=\"document.title='owned'\">"));
    let written = people.into_iter().zip(0..).map(|(profile, n)| {
        Interaction::new(start + TimeDelta::minutes(n), profile, InteractionKind::Text)
    });
    users.register(&written.collect::<Vec<_>>()).await.unwrap();
    // The bot would do it, within seconds.
    while directory.index_names().await.unwrap() {}
}

/// A game that each of the two teams has at home.
fn games() -> [Game; 2] {
    let team = |id, abbreviation: &str, name: &str| Team {
        id,
        abbreviation: abbreviation.to_owned(),
        name: name.to_owned(),
    };
    let boston = || team(6, "BOS", "Boston Bruins");
    let montreal = || team(8, "MTL", "Montréal Canadiens");
    [(1, boston(), montreal()), (2, montreal(), boston())].map(|(id, away, home)| Game {
        id,
        season: 20_262_027,
        kind: GameKind::Regular,
        day: (SystemClock.now() + TimeDelta::days(id)).date_naive(),
        starts_at: SystemClock.now() + TimeDelta::days(id),
        is_time_open: false,
        away,
        home,
        venue: String::new(),
        venue_zone: None,
        state: GameState::Future,
        score: None,
    })
}

impl Office {
    async fn go(&self, path: &str) {
        self.browser.go(&format!("{}{path}", self.url)).await;
    }

    async fn sign_in(&self, role: Role) {
        self.browser.forget().await;
        self.go("/sign-in").await;
        self.enter(role.name(), PASSWORD).await;
        self.browser.shows(".account summary", role.name()).await;
    }

    async fn enter(&self, name: &str, password: &str) {
        self.browser.fill("#name", name).await;
        self.browser.fill("#password", password).await;
        self.browser.press("Sign in").await;
    }

    async fn a_wrong_password_is_refused(&self) {
        let Self { browser, .. } = self;
        browser.go(self.url.trim_end_matches("admin")).await;
        browser.comes_to("/admin/sign-in").await;
        self.go("/users?sort=id").await;
        browser.comes_to("next=%2Fadmin%2Fusers").await;
        self.enter("viewer", "wrong horse").await;
        browser.shows("[role=alert]", "The name or password is wrong.").await;
        let name = browser.script("return document.querySelector('#name').value", json!([])).await;
        assert_eq!(name, "viewer", "the name need not be written again");
        assert!(!browser.has(".account").await);
        self.enter("viewer", PASSWORD).await;
        browser.comes_to("/admin/users?sort=id").await;
    }

    async fn somebody_signs_in_and_out(&self) {
        let Self { browser, .. } = self;
        self.sign_in(Role::Owner).await;
        browser.shows("h1", "Dashboard").await;
        browser.shows("nav", "Audit log").await;
        browser.click(".account summary").await;
        browser.press("Sign out").await;
        browser.comes_to("/admin/sign-in").await;
        self.go("/users").await;
        browser.comes_to("/admin/sign-in?next=").await;
    }

    async fn a_link_from_the_bot_signs_in_once(&self) {
        let Self { browser, telegram, .. } = self;
        browser.forget().await;
        let boss = Person::new(BOSS, "Boss");
        telegram.introduce(&boss);
        telegram.write(&boss, "/admin");
        let answer = telegram.wait_for_message(BOSS).await.unwrap().text;
        let link = answer.split_whitespace().find(|it| it.starts_with("http")).unwrap();
        browser.go(link).await;
        assert!(!browser.has(".account").await, "looking at the link does not sign in");
        browser.press("Sign in").await;
        browser.shows(".account summary", "Boss").await;
        browser.forget().await;
        browser.go(link).await;
        browser.press("Sign in").await;
        browser.shows("[role=alert]", "This link no longer works").await;
    }

    async fn half_a_name_finds_somebody_as_it_is_typed(&self) {
        let Self { browser, .. } = self;
        self.sign_in(Role::Viewer).await;
        self.go("/users").await;
        browser.type_into("#filter", "КОВС").await;
        browser.shows_all(NAMES, &["Пётр Чайковский"]).await;
        browser.shows("#count", "1 user found").await;
        browser.comes_to("filter=").await;
        browser.click(NAMES).await;
        browser.shows("h1", "Пётр Чайковский").await;
        // Back at the list, it is as it was.
        browser.script("history.back()", json!([])).await;
        browser.shows_all(NAMES, &["Пётр Чайковский"]).await;
        browser.fill("#filter", "@tch").await;
        browser.shows_all(NAMES, &["Пётр Чайковский"]).await;
        browser.fill("#filter", "1840").await;
        browser.shows_all(NAMES, &["Пётр Чайковский"]).await;
        browser.fill("#filter", "nobody-at-all").await;
        browser.shows("#results", "No users match.").await;
    }

    async fn filters_are_shared_by_their_url(&self) {
        let Self { browser, .. } = self;
        self.sign_in(Role::Owner).await;
        self.go("/users").await;
        browser.press("Filter by a form").await;
        browser.click("#lang option[value=ru]").await;
        browser.click("#state option[value='']").await;
        browser.press("Apply").await;
        browser.shows_all(NAMES, &["Пётр Чайковский"]).await;
        let url = browser.url().await;
        // Somebody else, who has to sign in first.
        browser.forget().await;
        browser.go(&url).await;
        self.enter("viewer", PASSWORD).await;
        browser.shows_all(NAMES, &["Пётр Чайковский"]).await;
        assert_eq!(browser.url().await, url);
        browser.shows_all("#chips code", &["lang:ru"]).await;
        browser.press("Clear all").await;
        browser.shows("#count", "in total").await;
    }

    async fn pages_lead_forth_and_back(&self) {
        let Self { browser, .. } = self;
        self.sign_in(Role::Viewer).await;
        self.go("/users?filter=Person&sort=id").await;
        let page = async |first: &str, last: &str| {
            browser.shows(NAMES, first).await;
            let names = browser.texts(NAMES).await;
            assert_eq!((names[0].as_str(), names.last().unwrap().as_str()), (first, last));
        };
        page("Person 001", "Person 050").await;
        browser.press("Next").await;
        page("Person 051", "Person 100").await;
        browser.press("Next").await;
        page("Person 101", "Person 120").await;
        browser.press("Previous").await;
        page("Person 051", "Person 100").await;
        browser.press("Previous").await;
        page("Person 001", "Person 050").await;
        browser.press("ID").await;
        page("Person 120", "Person 071").await;
    }

    async fn a_note_is_written(&self) {
        let Self { browser, .. } = self;
        self.sign_in(Role::Editor).await;
        self.go("/users/1840").await;
        browser.fill("#note-text", "likes hockey & <b>ice</b>").await;
        browser.press("Save").await;
        browser.shows("#note", "Saved.").await;
        self.go("/users/1840").await;
        let note = "return document.querySelector('#note-text').value";
        assert_eq!(browser.script(note, json!([])).await, "likes hockey & <b>ice</b>");
        browser.shows("#note", "editor").await;
        browser.shows(".history", "Changed a note · editor").await;
    }

    async fn preferences_are_changed(&self) {
        let Self { browser, telegram, .. } = self;
        self.sign_in(Role::Editor).await;
        self.go(&format!("/users/{BOSS}")).await;
        browser.click("#own-language option[value=de]").await;
        let toronto = "#own-zone optgroup[label=America] option:checked";
        browser.type_into("#own-zone", "America/Toronto").await;
        browser.shows(toronto, "America/Toronto").await;
        browser.click("[name=team][value='8']").await;
        browser.press("Save preferences").await;
        browser.shows("#preferences", "Saved.").await;
        self.go(&format!("/users/{BOSS}")).await;
        browser.shows("#own-language option:checked", "German").await;
        browser.shows(toronto, "America/Toronto").await;
        browser.shows("label:has([name=team]:checked)", "Montréal Canadiens").await;
        browser.shows(".history", "Changed preferences · editor").await;
        browser.shows(".history", "German; America/Toronto; Montréal Canadiens").await;
        // The bot follows them.
        let boss = Person::new(BOSS, "Boss");
        telegram.write(&boss, "/settings");
        let has_settings = |telegram: &Simulator| {
            let texts = telegram.texts_to(BOSS);
            texts.into_iter().find(|text| text.starts_with("Einstellungen"))
        };
        let answer = telegram.wait_for("the settings", has_settings).await.unwrap();
        for chosen in ["Sprache: Deutsch", "Toronto", "Montréal Canadiens"] {
            assert!(answer.contains(chosen), "{answer}");
        }
        // A form that was tampered with changes nothing.
        browser
            .script(
                "document.querySelector('#own-zone').selectedOptions[0].value = 'Mars'",
                json!([]),
            )
            .await;
        browser.press("Save preferences").await;
        browser.shows("main", "There is no such time zone").await;
    }

    async fn users_are_downloaded(&self) {
        let Self { browser, .. } = self;
        self.sign_in(Role::Viewer).await;
        self.go("/users?filter=Person&sort=id").await;
        browser.shows("#count", "120 users found").await;
        assert!(!browser.has("[name=format]").await);
        self.sign_in(Role::Owner).await;
        self.go("/users?filter=Person&sort=id").await;
        let folder = tempfile::tempdir().unwrap();
        let (name, file) = browser.download("CSV", folder.path()).await;
        assert!(name.ends_with(".csv"), "{name}");
        let mut lines = file.lines();
        assert!(lines.next().unwrap().starts_with("telegram_id,first_name,"), "{file}");
        let rows: Vec<_> = lines.map(|line| line.split(',').take(2).collect::<Vec<_>>()).collect();
        let people: Vec<_> =
            (1..=PEOPLE).map(|n| [(1000 + n).to_string(), format!("Person {n:03}")]).collect();
        assert_eq!(rows, people);
        self.go("/audit?action=exported_users").await;
        browser.shows(".log", "Exported users").await;
    }

    async fn a_viewer_may_not_edit(&self) {
        let Self { browser, .. } = self;
        self.sign_in(Role::Viewer).await;
        self.go("/users/1840").await;
        browser.shows("#note", "likes hockey").await;
        assert!(!browser.has("#note-text").await && !browser.has(".danger").await);
        assert!(!browser.texts("nav").await.concat().contains("Audit log"));
        let send = "const [path, done] = arguments; return fetch(path, { method: 'POST', \
             body: new URLSearchParams({ note: 'x', id: '1840' }) }).then((it) => it.status)";
        assert!(!browser.has("#own-zone").await);
        for path in [
            "/admin/users/1840/note",
            "/admin/users/1840/preferences",
            "/admin/delete",
            "/admin/export",
            "/admin/admins/owner/disable",
        ] {
            assert_eq!(browser.script(send, json!([path])).await, 403, "{path}");
        }
        for path in ["/delete?id=1840", "/audit", "/admins"] {
            self.go(path).await;
            browser.shows("h1", "You are not allowed to do this").await;
        }
        self.go("/users/1840").await;
        browser.shows("#note", "likes hockey").await;
    }

    async fn names_run_nothing(&self) {
        let Self { browser, .. } = self;
        self.sign_in(Role::Owner).await;
        browser.complaints().await;
        for path in ["/users?filter=owned", "/users/666", "/delete?id=666", "/audit?about=666"] {
            self.go(path).await;
            let title = browser.script("return document.title", json!([])).await;
            assert_ne!(title, "owned", "{path}");
            assert!(!browser.has("main img").await && !browser.has("main script").await, "{path}");
        }
        self.go("/users/666").await;
        browser.shows("h1", "<script>document.title = 'owned'</script>").await;
        // Everything on the pages keeps to the policy, ours included.
        let complaints = browser.complaints().await;
        assert!(complaints.is_empty(), "{complaints:?}");
    }

    async fn forms_of_other_sites_are_refused(&self) {
        let Self { browser, .. } = self;
        self.sign_in(Role::Owner).await;
        let form = format!(
            "data:text/html,<form method=post action={}/users/1840/note>\
             <input name=note value=forged><button>Win</button></form>",
            self.url
        );
        browser.go(&form).await;
        browser.press("Win").await;
        browser.shows("h1", "You are not allowed to do this").await;
        self.go("/users/1840").await;
        let note = "return document.querySelector('#note-text').value";
        assert_eq!(browser.script(note, json!([])).await, "likes hockey & <b>ice</b>");
    }

    async fn times_are_in_the_viewers_zone(&self) {
        let Self { browser, .. } = self;
        let zone = async |id: &str| {
            browser.devtools("Emulation.setTimezoneOverride", json!({ "timezoneId": id })).await;
            self.go("/users?filter=tchaik").await;
            browser.shows("footer", if id.is_empty() { "Times" } else { id }).await;
            let title = "return document.querySelector('td.first time').title";
            browser.script(title, json!([])).await.as_str().unwrap()[..16].to_owned()
        };
        let utc = "return document.querySelector('td.first time').dateTime";
        let eucla = zone("Australia/Eucla").await;
        let at = browser.script(utc, json!([])).await;
        let at: chrono::DateTime<chrono::Utc> = at.as_str().unwrap().parse().unwrap();
        let there = at + TimeDelta::minutes(8 * 60 + 45);
        assert_eq!(eucla, there.format("%Y-%m-%d %H:%M").to_string());
        assert_eq!(zone("UTC").await, at.format("%Y-%m-%d %H:%M").to_string());
        zone("").await;
    }

    async fn keys_are_enough(&self) {
        let Self { browser, .. } = self;
        self.go("/users").await;
        browser.key("\u{e004}").await;
        let focus = "return document.activeElement.innerText || document.activeElement.id";
        let focuses = async |what: &str| {
            let is_there = async || browser.script(focus, json!([])).await == what;
            browser.until(&format!("the focus is on {what}"), is_there).await;
        };
        focuses("Skip to content").await;
        browser.key("/").await;
        focuses("filter").await;
        browser.type_into("#filter", "tchaik\u{e007}").await;
        browser.shows_all(NAMES, &["Пётр Чайковский"]).await;
        browser.script("document.querySelector('tbody th a').focus()", json!([])).await;
        browser.key("\u{e007}").await;
        browser.shows("h1", "Пётр Чайковский").await;
    }

    async fn the_theme_is_chosen(&self) {
        let Self { browser, .. } = self;
        self.sign_in(Role::Viewer).await;
        let behind = "return getComputedStyle(document.body).backgroundColor";
        for (theme, colour) in [("Dark", "rgb(18, 21, 28)"), ("Light", "rgb(246, 247, 249)")] {
            browser.click(".account summary").await;
            browser.press(theme).await;
            let pressed = format!(".themes [value={}][aria-pressed=true]", theme.to_lowercase());
            browser.until("it is chosen", async || browser.has(&pressed).await).await;
            assert_eq!(browser.script(behind, json!([])).await, colour, "{theme}");
        }
        // The menu closes with Esc and with a click outside of it.
        let is_closed = async || !browser.has(".account[open]").await;
        for close in ["Esc", "click"] {
            browser.click(".account summary").await;
            browser.until("the menu is open", async || browser.has(".account[open]").await).await;
            match close {
                "Esc" => browser.key("\u{e00c}").await,
                _ => browser.click("h1").await,
            }
            browser.until("the menu is closed", is_closed).await;
        }
        browser.click(".account summary").await;
        browser.press("Auto").await;
        browser
            .until("the system decides", async || {
                browser.has(".themes [value=auto][aria-pressed=true]").await
            })
            .await;
        // The search is within reach on every page.
        self.go("").await;
        browser.key("/").await;
        browser.type_into("#look-up", "tchaik\u{e007}").await;
        browser.shows_all(NAMES, &["Пётр Чайковский"]).await;
    }

    async fn ticks_survive_a_search_and_another_page(&self) {
        let Self { browser, .. } = self;
        self.sign_in(Role::Owner).await;
        self.go("/users?sort=id").await;
        let bar = "return getComputedStyle(document.querySelector('.actions')).display";
        assert_eq!(browser.script(bar, json!([])).await, "none");
        browser.click("td.pick input").await;
        browser.shows("[data-chosen]", "1 selected").await;
        browser.press("Next").await;
        browser.until("the second page", async || browser.has("a[rel=prev]").await).await;
        browser.shows("[data-chosen]", "1 selected").await;
        browser.click("td.pick input").await;
        browser.shows("[data-chosen]", "2 selected").await;
        browser.fill("#filter", "tchaik").await;
        browser.shows_all(NAMES, &["Пётр Чайковский"]).await;
        browser.click("td.pick input").await;
        browser.shows("[data-chosen]", "3 selected").await;
        browser.press("Delete selected").await;
        browser.shows("h1", "Delete 3 users?").await;
        browser.press("Cancel").await;
        browser.shows("[data-chosen]", "3 selected").await;
        browser.click(".actions [type=reset]").await;
        let is_gone = async || browser.script(bar, json!([])).await == "none";
        browser.until("the bar is gone", is_gone).await;
        assert!(!browser.has("td.pick input:checked").await);
        // The order can be chosen where there are no heads of columns.
        browser.be_wide(390).await;
        self.go("/users?filter=person").await;
        browser.click("#sort option[value=id]").await;
        browser.comes_to("sort=id").await;
        let url = browser.url().await;
        assert!(url.ends_with("/users?filter=person&sort=id"), "{url}");
        browser.devtools("Emulation.clearDeviceMetricsOverride", json!({})).await;
    }

    async fn everything_can_be_read(&self) {
        let Self { browser, .. } = self;
        for (scheme, page) in [("light", "rgb(246, 247, 249)"), ("dark", "rgb(18, 21, 28)")] {
            let features = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
            browser.devtools("Emulation.setEmulatedMedia", json!({ "features": features })).await;
            for path in self.pages() {
                self.go(path).await;
                let behind = "return getComputedStyle(document.body).backgroundColor";
                assert_eq!(browser.script(behind, json!([])).await, page, "{path} has its style");
                let faint = browser.script(CONTRAST, json!([])).await;
                assert_eq!(faint, json!([]), "{scheme} {path}");
                let nameless = browser.script(NAMELESS, json!([])).await;
                assert_eq!(nameless, json!([]), "{path}");
            }
        }
        browser.devtools("Emulation.setEmulatedMedia", json!({ "features": [] })).await;
    }

    async fn nothing_is_wider_than_a_phone(&self) {
        let Self { browser, .. } = self;
        for width in [320, 390, 768] {
            browser.be_wide(width).await;
            for path in self.pages() {
                self.go(path).await;
                let wide = "return document.documentElement.scrollWidth";
                let shown = browser.script(wide, json!([])).await.as_u64().unwrap();
                assert!(shown <= u64::from(width), "{path} is {shown} wide at {width}");
                let faults = browser.layout_faults().await;
                assert!(faults.is_empty(), "{path} at {width}: {faults:?}");
            }
        }
        // It is not only narrow, but works: what is looked for is found and opened.
        browser.be_wide(390).await;
        self.go("/users").await;
        browser.fill("#filter", "чайк").await;
        browser.shows_all(NAMES, &["Пётр Чайковский"]).await;
        browser.click(NAMES).await;
        browser.shows("h1", "Пётр Чайковский").await;
        browser.devtools("Emulation.clearDeviceMetricsOverride", json!({})).await;
    }

    async fn nothing_moves_while_a_page_loads(&self) {
        let Self { browser, .. } = self;
        for path in self.pages() {
            self.go(path).await;
            let moved = browser.script(SHIFT, json!([])).await.as_f64().unwrap();
            assert!(moved < 0.01, "{path} moves by {moved}");
        }
    }

    async fn it_works_without_scripts(&self) {
        let Self { browser, .. } = self;
        browser.run_scripts(false).await;
        self.sign_in(Role::Owner).await;
        browser.shows("footer", "Times are shown in UTC.").await;
        browser.click("#offset option[value='540']").await;
        browser.press("Apply").await;
        browser.shows("footer", "Times are shown in UTC+09:00.").await;
        browser.press("Users").await;
        browser.fill("#filter", "person").await;
        browser.click("#bar button").await;
        browser.shows("#count", "120 users found").await;
        browser.press("Next").await;
        browser.press("Previous").await;
        browser.press("Filter by a form").await;
        browser.click("#lang option[value=ru]").await;
        browser.fill("#search", "").await;
        browser.press("Apply").await;
        browser.shows_all(NAMES, &["Пётр Чайковский"]).await;
        browser.click(NAMES).await;
        browser.fill("#note-text", "hockey only").await;
        browser.press("Save").await;
        browser.shows("#note", "Saved.").await;
        browser.click("[name=team][value='6']").await;
        browser.press("Save preferences").await;
        browser.shows("#preferences", "Saved.").await;
        browser.shows("label:has([name=team]:checked)", "Boston Bruins").await;
        self.go("/users?filter=%22person+119%22").await;
        browser.click("td.pick input").await;
        browser.press("Delete selected").await;
        browser.press("Delete permanently").await;
        browser.shows("[role=status]", "Deleted 1 user.").await;
        browser.click(".account summary").await;
        browser.press("Sign out everywhere").await;
        browser.comes_to("/admin/sign-in").await;
        browser.run_scripts(true).await;
    }

    /// The browser then shows the origin of a form neither by `Sec-Fetch-Site` nor by `Origin`.
    async fn it_works_over_http_from_another_machine(&self) {
        let Self { browser, .. } = self;
        let url = self.url.replace("127.0.0.1", "192.0.2.7");
        browser.go(&url).await;
        browser.comes_to("http://192.0.2.7").await;
        self.enter("editor", PASSWORD).await;
        browser.shows("h1", "Dashboard").await;
        browser.go(&format!("{url}/users/1840")).await;
        browser.fill("#note-text", "hockey from afar").await;
        browser.press("Save").await;
        browser.shows("#note", "Saved.").await;
        // A form without the token is one of somebody else's.
        browser
            .script("document.querySelector('#note [name=form_token]').value = ''", json!([]))
            .await;
        browser.press("Save").await;
        browser.shows("h1", "You are not allowed to do this").await;
    }

    async fn somebody_is_deleted(&self) {
        let Self { browser, .. } = self;
        self.sign_in(Role::Owner).await;
        self.go("/users?filter=%22person+120%22").await;
        browser.click(NAMES).await;
        browser.press("Delete…").await;
        browser.shows("h1", "Delete 1 user?").await;
        browser.shows("main", "What will be deleted permanently").await;
        browser.press("Delete permanently").await;
        browser.shows("[role=status]", "Deleted 1 user.").await;
        self.go("/users/1120").await;
        browser.shows("h1", "User not found").await;
        browser.shows("main", "There is no user with the id 1120.").await;
        browser.press("Go to the user list").await;
        self.go("/audit?about=1120&action=deleted_user").await;
        browser.shows(".log", "Deleted a user").await;
    }

    async fn all_who_match_are_deleted(&self) {
        let Self { browser, .. } = self;
        self.sign_in(Role::Owner).await;
        self.go("/users?filter=lang:cs").await;
        browser.shows("#count", "230 users found").await;
        browser.click("[data-every]").await;
        let ticked = "return document.querySelectorAll('td.pick input:checked').length";
        assert_eq!(browser.script(ticked, json!([])).await, 50);
        browser.press("Delete selected").await;
        browser.shows("h1", "Delete 230 users?").await;
        browser.click("[name=sure]").await;
        browser.press("Delete permanently").await;
        // More than go in one request: the rest follows by itself.
        browser.shows("[role=status]", "Deleted 230 users.").await;
        self.go("/users?filter=lang:cs").await;
        browser.shows("#results", "No users match.").await;
    }

    /// Every kind of page.
    fn pages(&self) -> [&'static str; 17] {
        [
            "",
            "/figures",
            "/users",
            "/users?filter=lang:en+joined%3C60d+(person+or+has:note)",
            "/users?filter=nobody-at-all",
            "/users?filter=lang:en+langg:x+days:3..2",
            "/users/1840",
            "/users/666",
            "/delete?id=1840",
            "/audit",
            "/admins",
            "/admins/viewer",
            "/account",
            "/account/password",
            "/account/second-factor",
            "/invitation/x",
            "/sign-in",
        ]
    }
}

/// Texts that stand out too little (WCAG 2.2, 1.4.3): the colours as they are computed, over the
/// backgrounds that are seen.
const CONTRAST: &str = r#"
const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
const rgba = (colour) => {
  canvas.clearRect(0, 0, 1, 1);
  canvas.fillStyle = colour;
  canvas.fillRect(0, 0, 1, 1);
  const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
  return [r, g, b, a / 255];
};
const over = (top, below) => [0, 1, 2].map((i) => top[i] * top[3] + below[i] * (1 - top[3])).concat(1);
const background = (element) => {
  if (!element) return [255, 255, 255, 1];
  const colour = rgba(getComputedStyle(element).backgroundColor);
  return colour[3] === 1 ? colour : over(colour, background(element.parentElement));
};
const light = (colour) => {
  const [r, g, b] = colour.slice(0, 3).map((it) => it / 255)
    .map((it) => (it <= 0.04045 ? it / 12.92 : ((it + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const faint = [];
for (const element of document.querySelectorAll("body, body *")) {
  const texts = [...element.childNodes].filter((it) => it.nodeType === 3 && it.data.trim());
  const isField = ["INPUT", "TEXTAREA", "SELECT"].includes(element.tagName);
  if ((!texts.length && !isField) || element.matches(":disabled, option") || !element.checkVisibility()) continue;
  const style = getComputedStyle(element);
  // What stands in a cell of a chart has the cell behind it.
  const cell = element.closest(".cell")?.querySelector("rect");
  const behind = cell ? rgba(getComputedStyle(cell).fill) : background(element);
  const colour = element instanceof SVGElement ? style.fill : style.color;
  const [a, b] = [light(over(rgba(colour), behind)), light(behind)];
  const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  const size = parseFloat(style.fontSize);
  const isLarge = size >= 24 || (size >= 18.66 && style.fontWeight >= 700);
  if (ratio < (isLarge ? 3 : 4.5)) faint.push(`${element.tagName}.${element.getAttribute("class")} ${ratio.toFixed(2)}`);
}
return faint;
"#;

/// Fields, links and buttons without a name for those who do not see them.
const NAMELESS: &str = r#"
const fields = document.querySelectorAll("input:not([type=hidden]), select, textarea, a, button, svg[role=img]");
const name = (it) => it.getAttribute("aria-label") || it.getAttribute("aria-labelledby")
  || [...(it.labels ?? [])].map((label) => label.textContent).join("") || it.textContent;
return [...fields].filter((it) => !(it.tagName === "SELECT" ? it.getAttribute("aria-label") || it.labels.length : name(it).trim()))
  .map((it) => it.outerHTML);
"#;

/// How much the layout has moved since the page was asked for (Layout Instability API).
const SHIFT: &str = r#"
return new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => {
  const seen = new PerformanceObserver(() => {});
  seen.observe({ type: "layout-shift", buffered: true });
  setTimeout(() => done(seen.takeRecords().reduce((sum, it) => sum + it.value, 0)), 0);
})));
"#;
