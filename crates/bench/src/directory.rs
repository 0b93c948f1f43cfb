//! The time of the web admin's list of users and of one user's page, in a large database that
//! `manage demo-data` fills; and the cost of the search for registration.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use chrono::Days as Span;
use rollcall_domain::{
    Clock, Days, Profile, ReachabilityFilter, SearchTerm, SortKey, SystemClock, TelegramId,
    UserFilter, UserSort,
};
use rollcall_repository_diesel::{Database, DieselUserRepository};
use rollcall_service::{DirectoryService, UserService};
use rollcall_testkit::ThrowAwayDatabase;

use crate::{
    database::Databases,
    limit::{BatchContent, Limit},
    rate::rate,
    report::Pairs,
    statistics::{DAYS, manage, print_run, print_times},
    write::{CALLERS, PEOPLE},
};

/// The number of users on a page.
const PAGE: u32 = 50;
/// The number of pages before the deep page.
const DEEP: usize = 200;

/// Measures reads in databases that it fills, or in an existing one; and registration in small
/// databases.
pub(crate) async fn run(
    databases: &Databases,
    users: i64,
    existing: Option<&str>,
    runs: usize,
    seconds: f64,
) -> Result<()> {
    if let Some(url) = existing {
        println!("The list of users in {url}");
        return read(url).await;
    }
    registration(databases, runs, seconds).await?;
    for (name, database) in databases.of_each_kind() {
        println!("{name}: the list of {users} users");
        let users = users.to_string();
        let load = ["demo-data", "--users", &users, "--days", DAYS];
        print_run("demo-data", manage(database.url(), &load).await?);
        read(database.url()).await?;
    }
    Ok(())
}

/// A list to measure.
struct Case {
    title: &'static str,
    filter: UserFilter,
    sort: UserSort,
}

fn case(title: &'static str, filter: UserFilter, sort: UserSort) -> Case {
    Case { title, filter, sort }
}

async fn read(url: &str) -> Result<()> {
    let storage = storage(url).await?;
    let new = || DirectoryService::new(storage.clone(), SystemClock);
    let directory = new();
    index_all(&directory).await?;
    let newest = directory.users(&UserFilter::new(), UserSort::default(), None, PAGE).await?;
    let first = newest.rows.first().context("a database with users")?.user.clone();
    for Case { title, filter, sort } in cases(&first.telegram_id.to_string()) {
        let list = || directory.users(&filter, sort, None, PAGE);
        let slice = list().await?;
        let title = format!("{title} [{}, {:?}]", slice.rows.len(), slice.count);
        print_times(&title, list).await?;
    }
    for Case { title, filter, sort } in deep_cases() {
        let mut cursor = None;
        for _ in 0..DEEP {
            cursor = directory.users(&filter, sort, cursor, PAGE).await?.next.or(cursor);
        }
        print_times(title, || directory.users(&filter, sort, cursor, PAGE)).await?;
    }
    print_times("a user", || directory.user(first.telegram_id)).await?;
    // A new service each time, because a service caches its results.
    print_times("languages", || async { new().languages().await }).await?;
    print_times("sources", || async { new().sources().await }).await?;
    println!();
    Ok(())
}

async fn storage(url: &str) -> Result<DieselUserRepository> {
    let database = Database::open(url.parse()?).await?;
    database.migrate().await?;
    Ok(DieselUserRepository::new(database))
}

/// Adds all users to the search index.
async fn index_all(directory: &DirectoryService) -> Result<()> {
    let begun = Instant::now();
    while directory.index_names().await? {}
    println!("  names added to the search index in {:.1} s", begun.elapsed().as_secs_f64());
    Ok(())
}

fn sort(key: SortKey, descending: bool) -> UserSort {
    UserSort { key, descending }
}

fn last_days(count: u64) -> Days {
    let today = SystemClock.now().date_naive();
    Days::between(today - Span::new(count - 1), today)
}

fn cases(id: &str) -> Vec<Case> {
    let all = UserFilter::new;
    let newest = UserSort::default();
    let term = |text: &str| all().matching(SearchTerm::new(text).expect("a term"));
    let by_last_seen = sort(SortKey::LastSeen, true);
    vec![
        case("first seen", all(), newest),
        case("first seen, oldest first", all(), sort(SortKey::FirstSeen, false)),
        case("last seen", all(), by_last_seen),
        case("active days", all(), sort(SortKey::ActiveDays, true)),
        case("id", all(), sort(SortKey::Id, true)),
        case("language: frequent", all().with_language("ru"), newest),
        case("language: frequent, last seen", all().with_language("ru"), by_last_seen),
        case("language: rare", all().with_language("he"), newest),
        case("language: rare, last seen", all().with_language("he"), by_last_seen),
        case("language: no users", all().with_language("xx"), newest),
        case("source: frequent", all().with_source("friend"), newest),
        case(
            "source: frequent, active days",
            all().with_source("friend"),
            sort(SortKey::ActiveDays, true),
        ),
        case("source: none", all().with_source(""), newest),
        case("reachable", all().with_reachability(ReachabilityFilter::Reachable), newest),
        case("unreachable", all().with_reachability(ReachabilityFilter::Unreachable), newest),
        case("blocked", all().with_reachability(ReachabilityFilter::Blocked), newest),
        case(
            "blocked, last seen",
            all().with_reachability(ReachabilityFilter::Blocked),
            by_last_seen,
        ),
        case("first seen: today", all().first_seen_on(last_days(1)), newest),
        case("first seen: 30 days", all().first_seen_on(last_days(30)), newest),
        case("first seen: 30 days, last seen", all().first_seen_on(last_days(30)), by_last_seen),
        case("last seen: today", all().last_seen_on(last_days(1)), newest),
        case("last seen: 7 days, first seen", all().last_seen_on(last_days(7)), newest),
        case("active days: 100 and more", all().active_on_at_least(100), newest),
        case("active days: 1", all().active_on_at_most(1), newest),
        case("bots", all().bots(true), newest),
        case("no bots", all().bots(false), newest),
        case(
            "ru, friend, reachable, 7 days",
            all()
                .with_language("ru")
                .with_source("friend")
                .with_reachability(ReachabilityFilter::Reachable)
                .last_seen_on(last_days(7)),
            newest,
        ),
        case(
            "de, blocked, first seen 90 days",
            all()
                .with_language("de")
                .with_reachability(ReachabilityFilter::Blocked)
                .first_seen_on(last_days(90)),
            sort(SortKey::ActiveDays, true),
        ),
        case("search: james", term("james"), newest),
        case("search: james, last seen", term("james"), by_last_seen),
        case("search: анна", term("анна"), newest),
        case("search: james smith", term("james smith"), newest),
        case("search: ja", term("ja"), newest),
        case("search: j", term("j"), newest),
        case("search: @james", term("@james"), newest),
        case("search: ami and son", term("ami son"), newest),
        case("search: almost no users", term("jürgen иван"), newest),
        case("search: no users", term("qqzzxx"), newest),
        case("search: two letters, no users", term("qz"), newest),
        case("search: id", term(id), newest),
        case("search: Korean, medium", term("민준"), newest),
        case(
            "search: james, blocked, de",
            term("james").with_reachability(ReachabilityFilter::Blocked).with_language("de"),
            newest,
        ),
    ]
}

fn deep_cases() -> Vec<Case> {
    let all = UserFilter::new;
    vec![
        case("200 pages deep", all(), UserSort::default()),
        case("200 pages deep, last seen", all(), sort(SortKey::LastSeen, true)),
        case("200 pages deep, ru", all().with_language("ru"), UserSort::default()),
    ]
}

/// Registration while names are added to the search index, compared with registration without it.
async fn registration(databases: &Databases, runs: usize, seconds: f64) -> Result<()> {
    for ((name, without), (_, with)) in
        databases.of_each_kind().into_iter().zip(databases.of_each_kind())
    {
        let (without, with) = (Crowd::new(&without).await?, Crowd::new(&with).await?);
        without.drop_names()?;
        for crowd in [&without, &with] {
            crowd.call(seconds).await?;
        }
        let title = format!("{name}: registrations, 2% with new names: no search (limit)");
        let mut pairs = Pairs::new(title, "rows/s");
        for _ in 0..runs {
            let limit = without.call(seconds).await?;
            let stop = Arc::new(AtomicBool::new(false));
            let indexing = tokio::spawn(index_while(with.directory.clone(), stop.clone()));
            let ours = with.call(seconds).await?;
            stop.store(true, Relaxed);
            indexing.await??;
            pairs.add(limit, ours, String::new());
        }
        pairs.print();
    }
    Ok(())
}

/// Indexes names in the same way as maintenance.
async fn index_while(directory: DirectoryService, stop: Arc<AtomicBool>) -> Result<()> {
    while !stop.load(Relaxed) {
        if !directory.index_names().await? {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
    Ok(())
}

/// People who call, some of them for the first time, some with a new name.
struct Crowd {
    url: String,
    users: UserService,
    directory: DirectoryService,
    /// How often each person was renamed.
    names: Arc<[AtomicU64]>,
    /// The id of the next new person.
    next: Arc<AtomicI64>,
}

impl Crowd {
    async fn new(database: &ThrowAwayDatabase) -> Result<Self> {
        let url = database.url().to_owned();
        let directory = DirectoryService::new(storage(&url).await?, SystemClock);
        let users = crate::database::service(&url).await?;
        let crowd = Self {
            url,
            users,
            directory,
            names: (0..PEOPLE).map(|_| AtomicU64::new(0)).collect(),
            next: Arc::new(AtomicI64::new(PEOPLE as i64)),
        };
        for n in 0..PEOPLE {
            crowd.users.get_or_create_user(&person(n as i64, 0)).await?;
        }
        index_all(&crowd.directory).await?;
        Ok(crowd)
    }

    /// Lets the database drop the names that registration queues for the search index.
    fn drop_names(&self) -> Result<()> {
        match Limit::open(&self.url, 1, BatchContent::Users)? {
            Limit::Sqlite(limit) => limit.execute(
                "CREATE TRIGGER no_search BEFORE INSERT ON search_pending \
                 BEGIN SELECT RAISE(IGNORE); END",
            ),
            Limit::Postgres(limit) => limit.execute(
                "CREATE FUNCTION no_search() RETURNS trigger LANGUAGE plpgsql \
                 AS 'BEGIN RETURN NULL; END'; \
                 CREATE TRIGGER no_search BEFORE INSERT ON search_pending \
                 FOR EACH ROW EXECUTE FUNCTION no_search()",
            ),
        }
    }

    /// Lets many tasks call for `seconds`, and returns the calls per second.
    async fn call(&self, seconds: f64) -> Result<f64> {
        rate(CALLERS, seconds, |calls| {
            let (users, names, next) = (self.users.clone(), self.names.clone(), self.next.clone());
            async move {
                while calls.go_on() {
                    let n = fastrand::usize(..names.len());
                    let profile = match fastrand::u32(..100) {
                        0 => person(next.fetch_add(1, Relaxed), 0),
                        1 => person(n as i64, names[n].fetch_add(1, Relaxed) + 1),
                        _ => person(n as i64, names[n].load(Relaxed)),
                    };
                    users.get_or_create_user(&profile).await?;
                    calls.count();
                }
                Ok(())
            }
        })
        .await
    }
}

/// The person with this number and this name.
fn person(n: i64, name: u64) -> Profile {
    Profile::new(TelegramId::try_from(n + 1).expect("an id"), &format!("Ada {}", n % 997))
        .last_name(&format!("Lovelace {name}"))
        .username(&format!("lovelace_{n}"))
        .language_code("en")
}
