//! The dashboard as people use it: the demonstration, and a real browser.
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

use std::{panic::resume_unwind, rc::Rc};

use diesel::{Connection, SqliteConnection, connection::SimpleConnection};
use rollcall_domain::SystemClock;
use rollcall_repository_diesel::{Database, DieselUserRepository};
use rollcall_service::{Activity, ActivityService, DayFigures, DayRange};
use rollcall_testkit::ThrowAwayDatabase;
use serde_json::json;
use tokio::task::LocalSet;

use browser::Browser;
use running::RunningBot;

/// How many people an export that is cancelled is of; each has a kilobyte.
const CROWD: u64 = 60_000;

/// Somebody at a browser, who looks at the demonstration.
struct Visit {
    browser: Browser,
    bot: RunningBot,
    /// Where the web admin is, such as http://127.0.0.1:12345/admin.
    url: String,
}

/// One browser and one bot for all stories: they take their time to start.
#[tokio::test(flavor = "multi_thread")]
async fn people_look_at_the_dashboard() {
    let Some(browser) = Browser::open().await else { return };
    let database = ThrowAwayDatabase::sqlite();
    let bot = RunningBot::demo(&database, &[("LISTEN_ADDR", "127.0.0.1:0")]).await;
    bot.said("/admin/link/").await;
    let log = bot.log();
    let link = log.split_whitespace().find(|it| it.contains("/admin/link/")).unwrap().to_owned();
    let url = link.split("/link/").next().unwrap().to_owned();
    browser.go(&link).await;
    browser.press("Sign in").await;
    let visit = Rc::new(Visit { browser, bot, url });
    // A story that fails is not to leave Chromium behind.
    let tasks = LocalSet::new();
    let ended = tasks.spawn_local(stories(Rc::clone(&visit)));
    let ended = tasks.run_until(ended).await;
    let Visit { browser, bot, .. } = Rc::into_inner(visit).unwrap();
    browser.close().await;
    if let Err(error) = ended {
        resume_unwind(error.into_panic());
    }
    bot.terminate().await;
}

async fn stories(visit: Rc<Visit>) {
    visit.the_demonstration_is_filled().await;
    visit.a_range_is_chosen().await;
    visit.chart_and_table_agree().await;
    visit.table_and_chart_share_one_place().await;
    visit.values_are_shown_at_once().await;
    visit.bars_and_tiles_lead_to_their_users().await;
    visit.a_file_says_what_the_database_has().await;
    visit.definitions_are_one_click_away().await;
    visit.it_fits_on_a_phone().await;
    visit.it_works_without_scripts().await;
    visit.a_preset_and_dates_do_not_apply_together().await;
    visit.an_export_is_cancelled().await;
}

impl Visit {
    async fn go(&self, path: &str) {
        self.browser.go(&format!("{}{path}", self.url)).await;
    }

    /// The file of the demonstration's database.
    fn database(&self) -> String {
        let log = self.bot.log();
        log.split("sqlite://").nth(1).unwrap().split(". ").next().unwrap().to_owned()
    }

    /// The demonstration's figures of so many days.
    async fn activity(&self, days: u32) -> Activity {
        let database = format!("sqlite://{}", self.database()).parse().unwrap();
        let users = DieselUserRepository::new(Database::open_existing(database).await.unwrap());
        let activity = ActivityService::new(users, SystemClock);
        activity.get_activity(DayRange::ending(activity.today(), days).unwrap()).await.unwrap()
    }

    async fn the_demonstration_is_filled(&self) {
        let Self { browser, .. } = self;
        browser.shows("h1", "Dashboard").await;
        browser.shows(".tiles .big", "3,0").await;
        let pictures = "return document.querySelectorAll('svg.chart').length";
        // Of ten panels one is a table, and one has a picture for each month.
        let pictures = browser.script(pictures, json!([])).await.as_u64().unwrap();
        assert!((11..=12).contains(&pictures), "{pictures}");
        let complaints = browser.complaints().await;
        assert!(complaints.is_empty(), "{complaints:?}");
    }

    async fn a_range_is_chosen(&self) {
        let Self { browser, .. } = self;
        browser.press("28 days").await;
        browser.comes_to("/admin?range=28d").await;
        browser.shows(".count", "28 days (UTC)").await;
        let days = self.activity(10).await.days;
        let (since, until) = (days[0].day.to_string(), days[4].day.to_string());
        let choose = "[since, until].forEach((it, n) => { it.value = arguments[n] })";
        browser.script(choose, json!([since, until])).await;
        browser.press("Show").await;
        browser.comes_to(&format!("since={since}&until={until}")).await;
        browser.shows(".count", "5 days (UTC)").await;
        self.go("?since=2026-02-30").await;
        browser.shows("[role=alert]", "“2026-02-30” is not a day").await;
        browser.shows(".count", "90 days (UTC)").await;
    }

    async fn chart_and_table_agree(&self) {
        let Self { browser, .. } = self;
        self.go("?range=90d").await;
        browser.click("#active summary").await;
        browser.shows("#active thead", "Active (DAU)").await;
        let rows = browser.texts("#active tbody tr").await;
        let titles = "return [...document.querySelectorAll('#active .hit title')]\
             .map((it) => it.textContent)";
        let titles = browser.script(titles, json!([])).await;
        let activity = self.activity(90).await;
        // Today, the last of them, goes on.
        for (n, day) in activity.days.iter().enumerate().take(89) {
            let shown = rows[n].replace(',', "");
            let counts = [day.active, day.active_7_days, day.active_30_days];
            // In the locale of the browser.
            let name = day.day.format("%b %-d, %Y");
            let expected = format!("{name}\t{}\t{}\t{}\t", counts[0], counts[1], counts[2]);
            let expected = expected.replacen(',', "", 1);
            assert!(shown.starts_with(&expected), "{shown:?} is not {expected:?}");
            let title = titles[n].as_str().unwrap().replace(',', "");
            let expected = format!("DAU: {}\nWAU: {}\nMAU: {}", counts[0], counts[1], counts[2]);
            assert!(title.ends_with(&expected), "{title:?} is not {expected:?}");
        }
    }

    async fn table_and_chart_share_one_place(&self) {
        let Self { browser, .. } = self;
        self.go("?range=28d").await;
        let heights = "return [...document.querySelectorAll('.charts > .panel, .view')]\
             .map((it) => it.getBoundingClientRect().height)";
        let before = browser.script(heights, json!([])).await;
        for id in ["active", "growth", "retention", "commands"] {
            browser.shows(&format!("#{id} summary"), "Numbers").await;
            browser.click(&format!("#{id} summary")).await;
            browser.shows(&format!("#{id} summary"), "Chart").await;
            let covered = "return document.querySelector(`#${arguments[0]} svg`)\
                 .checkVisibility({ visibilityProperty: true })";
            assert_eq!(browser.script(covered, json!([id])).await, false, "{id}");
        }
        assert_eq!(browser.script(heights, json!([])).await, before);
        browser.click("#active summary").await;
        browser.shows("#active summary", "Numbers").await;
    }

    /// By the pointer, by touch and by arrow keys, also of cohorts and of a user's year.
    async fn values_are_shown_at_once(&self) {
        let Self { browser, .. } = self;
        self.go("?range=28d").await;
        let days = self.activity(28).await.days;
        let shown = |n: usize| {
            let day: &DayFigures = &days[n];
            format!("{}\nDAU: {}\n", day.day.format("%b %-d, %Y"), day.active)
        };
        let point = "const [at, kind] = arguments;\
             document.querySelectorAll('#active .hit')[at]\
             .dispatchEvent(new PointerEvent(kind, { bubbles: true, pointerType: 'mouse' }))";
        browser.script(point, json!([3, "pointerover"])).await;
        browser.shows(".tip", &shown(3)).await;
        let focus = "document.querySelector(arguments[0]).focus()";
        browser.script(focus, json!(["#active svg.chart"])).await;
        browser.key("\u{e014}").await;
        browser.shows(".tip", &shown(4)).await;
        browser.key("\u{e012}").await;
        browser.shows(".tip", &shown(3)).await;
        browser.key("\u{e011}").await;
        browser.shows(".tip", &shown(0)).await;
        browser.key("\u{e00c}").await;
        let hidden = "return document.querySelector('.tip').hidden";
        assert_eq!(browser.script(hidden, json!([])).await, true);
        // Every title is back in its place.
        let titles = "return document.querySelectorAll('#active .hit > title').length";
        assert_eq!(browser.script(titles, json!([])).await, 28);
        // Down one cohort is the same week of the next one.
        browser.script(focus, json!(["#retention svg.chart"])).await;
        browser.key("\u{e014}").await;
        browser.shows(".tip", "W1:").await;
        let first = browser.texts(".tip").await;
        browser.key("\u{e015}").await;
        browser.until("another cohort", async || browser.texts(".tip").await != first).await;
        browser.shows(".tip", "W1:").await;
        // A first touch shows the value, and only the second one follows the link.
        let touch = "document.querySelector('#growth a .hit').dispatchEvent(\
             new PointerEvent('click', { bubbles: true, cancelable: true, pointerType: 'touch' }))";
        browser.script(touch, json!([])).await;
        browser.shows(".tip", "New: ").await;
        assert!(browser.url().await.ends_with("/admin?range=28d"));
        browser.script(touch, json!([])).await;
        browser.comes_to("/admin/users?filter=joined").await;
        self.go("/users?sort=-active_days").await;
        browser.click("tbody th a").await;
        browser.shows("h1", "").await;
        browser.script(focus, json!(["svg.heat"])).await;
        browser.key("\u{e010}").await;
        browser.shows(".tip", ": ").await;
    }

    async fn bars_and_tiles_lead_to_their_users(&self) {
        let Self { browser, .. } = self;
        self.go("?range=28d").await;
        let number = "return document.querySelector('#languages .mark title').textContent";
        let number = browser.script(number, json!([])).await.as_str().unwrap().to_owned();
        assert!(number.starts_with("English: "), "{number}");
        let number = number.split(' ').nth(1).unwrap();
        // With the keyboard alone: to the bar, and along its link.
        let focus = "document.querySelector('#languages svg.chart').focus()";
        browser.script(focus, json!([])).await;
        browser.key("\u{e015}").await;
        browser.key("\u{e007}").await;
        browser.comes_to("/admin/users?filter=lang%3Aen+joined").await;
        browser.shows("#count", &format!("{number} users found")).await;
        self.go("").await;
        browser.click(".tiles li:nth-child(5) .more").await;
        browser.comes_to("/admin/users?filter=reachable").await;
        browser.shows("#count", "found").await;
    }

    async fn a_file_says_what_the_database_has(&self) {
        let Self { browser, .. } = self;
        self.go("?range=28d").await;
        let fetch = "return fetch(document.querySelector('#growth .numbers > a').href)\
             .then((it) => it.text())";
        let file = browser.script(fetch, json!([])).await;
        let rows: Vec<&str> = file.as_str().unwrap().lines().collect();
        assert_eq!((rows.len(), rows[0]), (29, "Day,New,Unblocked,Blocked,Net growth"));
        for (day, row) in self.activity(28).await.days.iter().zip(&rows[1..28]) {
            let (new, back, lost) = (day.new_users, day.unblocked, day.blocked);
            assert_eq!(*row, format!("{},{new},{back},{lost},{}", day.day, day.net_growth()));
        }
    }

    async fn definitions_are_one_click_away(&self) {
        let Self { browser, .. } = self;
        browser.click("#lifecycle .title a").await;
        browser.comes_to("/admin/figures#lifecycle").await;
        browser.shows("p:target", "Lifecycle, of each day and of each week").await;
    }

    async fn it_fits_on_a_phone(&self) {
        let Self { browser, .. } = self;
        for width in [320, 390, 768] {
            browser.be_wide(width).await;
            self.go("").await;
            browser.click("#retention summary").await;
            let wide = "return document.documentElement.scrollWidth";
            let shown = browser.script(wide, json!([])).await.as_u64().unwrap();
            assert!(shown <= u64::from(width), "{shown} wide at {width}");
            // Texts keep their size, and those below a chart do not touch.
            let close = browser.script(CLOSE, json!([])).await;
            assert_eq!(close, json!([]), "at {width}");
        }
        browser.devtools("Emulation.clearDeviceMetricsOverride", json!({})).await;
    }

    async fn it_works_without_scripts(&self) {
        let Self { browser, .. } = self;
        browser.run_scripts(false).await;
        self.go("").await;
        browser.press("12 months").await;
        // From the first user on.
        browser.shows(".presets [aria-current]", "12 months").await;
        browser.click("#growth summary").await;
        browser.shows("#growth thead", "Week of").await;
        browser.run_scripts(true).await;
    }

    async fn a_preset_and_dates_do_not_apply_together(&self) {
        let Self { browser, .. } = self;
        let chosen = || browser.script(CHOSEN, json!([]));
        self.go("/users?filter=joined%3E=2020-01-01").await;
        browser.shows("#count", "3,0").await;
        browser.press("Filter by a form").await;
        assert_eq!(chosen().await, json!(["dates", "2020-01-01", ""]));
        // A preset empties the dates, and a date chooses the dates.
        let choose = "const it = document.querySelector(arguments[0]); it.value = arguments[1];\
             it.dispatchEvent(new Event('input', { bubbles: true }))";
        browser.script(choose, json!(["[name=joined]", "<7d"])).await;
        assert_eq!(chosen().await, json!(["<7d", "", ""]));
        browser.script(choose, json!(["[name=joined_to]", "2026-01-31"])).await;
        assert_eq!(chosen().await, json!(["dates", "", "2026-01-31"]));
        browser.script(choose, json!(["[name=joined]", "<7d"])).await;
        browser.press("Apply").await;
        browser.comes_to("filter=joined%3C7d").await;
        browser.shows("#count", "found").await;
        let of_week = browser.texts("#count").await;
        assert!(!of_week[0].starts_with("3,0"), "{of_week:?}");
        // Without scripts, old dates come along with a new preset.
        browser.run_scripts(false).await;
        self.go("/users?form=1&joined=%3C7d&joined_from=2020-01-01&joined_to=2030-01-01").await;
        browser.comes_to("/users?filter=joined%3C7d").await;
        assert_eq!(browser.texts("#count").await, of_week);
        assert_eq!(chosen().await, json!(["<7d", "", ""]));
        browser.run_scripts(true).await;
    }

    /// More people than there is room for between server and browser: what was not taken when the
    /// browser goes away was not read either.
    async fn an_export_is_cancelled(&self) {
        let Self { browser, bot, .. } = self;
        let mut database = SqliteConnection::establish(&self.database()).unwrap();
        let crowd = format!(
            "PRAGMA busy_timeout = 10000; WITH RECURSIVE n(id) AS (SELECT 1 UNION ALL \
             SELECT id + 1 FROM n WHERE id < {CROWD}) INSERT INTO telegram_users (telegram_id, \
             first_name, is_bot, created_at, updated_at, last_seen, active_day, has_private_chat) \
             SELECT 1000000000 + n.id, printf('%.1000c', 'x'), 0, created_at, updated_at, \
             last_seen, active_day, 0 FROM n, (SELECT * FROM telegram_users LIMIT 1)"
        );
        database.batch_execute(&crowd).unwrap();
        self.go("/users").await;
        browser.shows("h1", "Users").await;
        let answer = browser.script(CANCEL, json!([])).await;
        assert_eq!(answer[0], 200);
        assert!(answer[1].as_u64().unwrap() > 0);
        bot.said("the browser cancelled an export").await;
        let log = bot.log();
        let sent = log.split("the browser cancelled an export users=").nth(1).unwrap();
        let sent: u64 = sent.split_whitespace().next().unwrap().parse().unwrap();
        assert!((1..CROWD / 2).contains(&sent), "{sent} of {CROWD}");
    }
}

/// What the fields for the first day show.
const CHOSEN: &str = "return ['joined', 'joined_from', 'joined_to']\
     .map((name) => document.querySelector(`[name=${name}]`).value)";

/// Asks for the file as the page's own form does, reads the first piece of it and goes away.
const CANCEL: &str = r#"
const form = document.querySelector("form[action$='/export']");
const body = new URLSearchParams([...new FormData(form), ["format", "csv"]]);
const leave = new AbortController();
return fetch(form.action, { method: "POST", body, signal: leave.signal }).then(async (answer) => {
  const piece = await answer.body.getReader().read();
  leave.abort();
  return [answer.status, piece.value.length];
});
"#;

/// Texts below charts that touch the next one, or are smaller than 11 pixels.
const CLOSE: &str = r#"
const trouble = [];
for (const chart of document.querySelectorAll("svg.chart")) {
  const texts = [...chart.querySelectorAll("text.x")].filter((it) => it.checkVisibility());
  const boxes = texts.map((it) => it.getBoundingClientRect());
  boxes.forEach((box, n) => {
    if (n && box.left < boxes[n - 1].right + 2) trouble.push(`${texts[n].textContent} touches`);
  });
  for (const text of chart.querySelectorAll("text"))
    if (parseFloat(getComputedStyle(text).fontSize) < 11) trouble.push(`${text.textContent} is small`);
}
return trouble;
"#;
