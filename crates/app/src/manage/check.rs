//! `manage check`.

use std::{
    io::{self, Write},
    process::ExitCode,
    sync::Arc,
    time::Duration,
};

use anyhow::{Context, anyhow, bail};
use clap::Args;
use rollcall_domain::{SystemClock, TelegramId, grouped};
use rollcall_repository::BotRepository;
use rollcall_repository_diesel::{
    Database, DatabaseKeys, DatabaseUrl, MigrationState, OpenToOthers, PoolMode, RefusedStatement,
    ReplicaStatus, Sessions, SuppressionKey, SuppressionKeyPlace, TextRekey, open_to_others,
};
use rollcall_telegram::{Bot, ClockDifference, Settings};

use super::output::{size, span, stdout};
use crate::{
    colours,
    environment::Environment,
    services::Services,
    settings::{
        DatabaseArguments, EXPOSED_TOKEN, GreetingArguments, HttpArguments, KEPT_SUPPRESSION_KEY,
        PRIVACY_CONTACT, PrivacyArguments, Proxy, ScheduleArguments, ScheduleSettings,
        SettingError, TelegramArguments,
    },
    take_over::refuse_another,
};

#[derive(Args)]
#[command(after_help = "\
Examples:
  manage check                                          with the settings of the bot
  TELEGRAM_BOT_TOKEN=… manage check                     before the bot starts for the first time

Each line begins with ✓ (passed), ✗ (failed), ! (a warning) or - (a note). Exits with 1 if a check \
failed.")]
pub struct Check {
    #[command(flatten)]
    telegram: TelegramArguments,
    #[command(flatten)]
    webhook: HttpArguments,
    #[command(flatten)]
    schedule: ScheduleArguments,
    #[command(flatten)]
    greeting: GreetingArguments,
    #[command(flatten)]
    privacy: PrivacyArguments,
}

/// The parts to check.
struct Checked {
    database: DatabaseUrl,
    read_url: Option<DatabaseUrl>,
    keys: Option<DatabaseKeys>,
    suppression_key: Option<SuppressionKey>,
    /// If there is a token: the settings, and the proxy to use.
    telegram: Option<(Settings, Option<Proxy>)>,
    /// `None` for a bot without the schedule.
    schedule: Option<ScheduleSettings>,
    /// A warning about the settings of the HTTP server.
    warning: Option<&'static str>,
    /// Whether users can find out how to reach the owner.
    has_contact: bool,
}

impl Check {
    /// Checks what the bot needs and prints a line for each check; fails if one of them fails.
    pub(super) async fn run(
        self,
        database: &DatabaseArguments,
        environment: &Environment,
    ) -> anyhow::Result<ExitCode> {
        let settings = self.settings(database, environment);
        run(settings, environment).await
    }

    fn settings(
        &self,
        database: &DatabaseArguments,
        environment: &Environment,
    ) -> Result<Checked, SettingError> {
        let keys = database.database_keys(environment)?;
        let suppression_key = database.suppression_key(environment)?;
        database.registers_business_customers(environment)?;
        let read_url = database.read_url(environment)?;
        let database = database.writable_database_url(environment)?;
        let schedule = self.schedule.settings(environment)?;
        self.greeting.settings(environment)?;
        let has_contact = self.privacy.settings(environment)?.0.is_some();
        self.telegram.admins(environment)?;
        let Some(telegram) = self.telegram.optional_settings(environment)? else {
            let warning = self.webhook.without_webhook(environment)?.warning();
            return Ok(Checked {
                database,
                read_url,
                keys,
                suppression_key,
                telegram: None,
                schedule,
                warning,
                has_contact,
            });
        };
        let warning = self.webhook.settings(environment, &telegram.api_url)?.warning();
        let proxy = self.telegram.proxy(environment, &telegram.api_url)?;
        let telegram = Some((telegram, proxy));
        Ok(Checked {
            database,
            read_url,
            keys,
            suppression_key,
            telegram,
            schedule,
            warning,
            has_contact,
        })
    }
}

async fn run(
    settings: Result<Checked, SettingError>,
    environment: &Environment,
) -> anyhow::Result<ExitCode> {
    let mut report = Report { failed: false };
    let checked = report.check("Settings", settings.map_err(Into::into), |_| "valid".to_owned())?;
    if let Some(file) = environment.file() {
        writeln!(stdout(), "- Settings file: {}", file.display())?;
    }
    if let Some(warning) = environment.warning() {
        writeln!(stdout(), "{} Settings file: {warning}", colours::warning())?;
    }
    let Some(checked) = checked else {
        return Ok(ExitCode::FAILURE);
    };
    let Checked {
        database,
        read_url,
        keys,
        suppression_key,
        telegram,
        schedule,
        warning,
        has_contact,
    } = checked;
    if let Some(warning) = warning {
        writeln!(stdout(), "{} Settings: {warning}", colours::warning())?;
    }
    match schedule {
        None => writeln!(stdout(), "- Schedule: off (SCHEDULE=off)")?,
        Some(schedule) => {
            if let Some(proxy) = schedule.nhl.and_then(|nhl| nhl.proxy) {
                writeln!(stdout(), "- Proxy for the NHL's API: {proxy}")?;
            }
        }
    }
    let modes = open_to_others(&database);
    let opened = open(database, keys.clone(), suppression_key).await;
    let database = report.check("Database", opened, |(database, bytes)| {
        format!("connected to {}, {}", database.url(), size(*bytes))
    })?;
    if database.is_some() {
        warn_of_modes(&modes)?;
    }
    let mut migrated = false;
    if let Some((database, _)) = &database {
        if let Some(pooler) = pooler(database) {
            writeln!(stdout(), "{} Pooler: {pooler}", colours::passed())?;
        }
        if let Some(read_url) = read_url {
            report.replica(database, read_url).await?;
        }
        migrated = report.check("Migrations", migrations(database).await, Clone::clone)?.is_some();
        if migrated {
            report.encryption(database, keys.as_ref()).await?;
            report.suppression_key(database).await?;
            report.events(database).await?;
            report.statements(database).await?;
        }
    }
    match telegram {
        None => writeln!(stdout(), "- Telegram: skipped (TELEGRAM_BOT_TOKEN is not set)")?,
        Some((settings, proxy)) => {
            if !has_contact {
                writeln!(
                    stdout(),
                    "{} Privacy: {PRIVACY_CONTACT} is not set, so /privacy names no contact; Telegram \
                     requires that users can reach you",
                    colours::warning()
                )?;
            }
            if let Some(proxy) = proxy {
                writeln!(stdout(), "- Proxy for Telegram: {proxy}")?;
            }
            if settings.is_token_exposed() {
                writeln!(stdout(), "{} Telegram: {EXPOSED_TOKEN}", colours::warning())?;
            }
            let asked = ask(settings).await;
            let name = |bot: &Bot| format!("@{} ({})", bot.username(), bot.id());
            let bot = report.check("Telegram", asked, name)?;
            if let Some(bot) = &bot {
                report_clock(bot.clock_difference())?;
            }
            let bot = bot.map(|bot| bot.id());
            if let (Some(bot), Some((database, _)), true) = (bot, &database, migrated) {
                report.check("Owner", owner(database, bot).await, Clone::clone)?;
            }
        }
    }
    Ok(if report.failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

struct Report {
    failed: bool,
}

impl Report {
    /// Prints the outcome of a check; returns its result if it passed.
    fn check<T>(
        &mut self,
        what: &str,
        result: anyhow::Result<T>,
        found: impl FnOnce(&T) -> String,
    ) -> anyhow::Result<Option<T>> {
        match result {
            Ok(value) => {
                writeln!(stdout(), "{} {what}: {}", colours::passed(), found(&value))?;
                Ok(Some(value))
            }
            Err(error) => {
                self.failed = true;
                writeln!(stdout(), "{} {what}: {error:#}", colours::failed())?;
                Ok(None)
            }
        }
    }
}

impl Report {
    /// Reports whether the replica can be read, and how far it is behind.
    async fn replica(&mut self, database: &Database, url: DatabaseUrl) -> anyhow::Result<()> {
        const CATCH_UP: Duration = Duration::from_secs(2);
        const LATE: Duration = Duration::from_secs(5);
        let what = "Replica";
        let database = match database.clone().with_replica(url).await {
            Ok(database) => database,
            Err(error) => {
                self.check(what, Err::<(), _>(error.into()), |()| String::new())?;
                return Ok(());
            }
        };
        if !database.replica_has_all(CATCH_UP).await {
            database.look_at_replica().await;
        }
        let Some(ReplicaStatus { url, lag }) = database.replica() else { return Ok(()) };
        let mark = match &lag {
            Ok(lag) if *lag <= LATE => colours::passed(),
            _ => colours::warning(),
        };
        let found = match lag {
            Ok(lag) if lag < Duration::from_secs(1) => "up to date".to_owned(),
            Ok(lag) => format!("{} behind", span(lag)),
            Err(reason) => format!("the primary is read instead: {reason}"),
        };
        writeln!(stdout(), "{mark} {what}: {url}, {found}")?;
        Ok(())
    }
}

impl Report {
    /// Reports how the database is encrypted, if it is.
    async fn encryption(
        &mut self,
        database: &Database,
        keys: Option<&DatabaseKeys>,
    ) -> anyhow::Result<()> {
        let Some(keys) = keys else { return Ok(()) };
        let name = keys.first().name();
        let found = match database.file_key() {
            Some(key) if key == keys.first() => Ok(format!("the file, with the key {name}")),
            Some(key) => Err(format!("the file, with the older key {}", key.name())),
            None => match TextRekey::new(database.clone(), keys, false).pending().await? {
                0 => Ok(format!("notes and quarantined updates, with the key {name}")),
                rows => Err(format!(
                    "{} notes and quarantined updates are not encrypted with the key {name}",
                    grouped(rows)
                )),
            },
        };
        match found {
            Ok(found) => writeln!(stdout(), "{} Encryption: {found}", colours::passed())?,
            Err(found) => writeln!(
                stdout(),
                "{} Encryption: {found}; `manage rekey` encrypts with the key {name}",
                colours::warning()
            )?,
        }
        Ok(())
    }
}

impl Report {
    /// Reports the key for the ids of erased users, if there is one.
    async fn suppression_key(&mut self, database: &Database) -> anyhow::Result<()> {
        let what = "Suppression key";
        match database.suppression_key_place().await {
            Ok(SuppressionKeyPlace::None) => {}
            Ok(SuppressionKeyPlace::Database) => {
                writeln!(stdout(), "{} {what}: {KEPT_SUPPRESSION_KEY}", colours::warning())?;
            }
            Ok(SuppressionKeyPlace::Given) => {
                writeln!(stdout(), "{} {what}: from SUPPRESSION_KEY_FILE", colours::passed())?;
            }
            Err(error) => {
                self.check(what, Err::<(), _>(error.into()), |()| String::new())?;
            }
        }
        Ok(())
    }
}

impl Report {
    /// Reports events that wait for their delivery, and why the last one of them was not accepted. Those
    /// that wait for long are a warning: their receiver accepts none, or no process delivers them.
    async fn events(&mut self, database: &Database) -> anyhow::Result<()> {
        const LONG: Duration = Duration::from_secs(60);
        let events = Services::new(database.clone()).user_events();
        let found = async {
            let (waiting, wait) = (events.waiting().await?, events.longest_wait().await?);
            anyhow::Ok((waiting, wait, events.last_refusal().await?))
        };
        let (waiting, wait, refusal) = match found.await {
            Ok((_, None, _)) => return Ok(()),
            Ok((waiting, Some(wait), refusal)) => (waiting, wait, refusal),
            Err(error) => {
                self.check("Events", Err::<(), _>(error), |()| String::new())?;
                return Ok(());
            }
        };
        let mark = if wait < LONG { colours::passed() } else { colours::warning() };
        let advice = match refusal {
            Some((ago, refusal)) => {
                format!("; the last one was refused {} ago: {refusal}", span(ago))
            }
            None if wait < LONG => String::new(),
            None => "; none was refused, so no process with EVENTS_URL delivers them".to_owned(),
        };
        let (number, wait) = (grouped(waiting), span(wait));
        let wait = format!("{number} wait for their delivery to EVENTS_URL, the oldest for {wait}");
        writeln!(stdout(), "{mark} Events: {wait}{advice}")?;
        Ok(())
    }

    /// Reports whether a PostgreSQL server takes every statement: others that speak its protocol may not.
    async fn statements(&mut self, database: &Database) -> anyhow::Result<()> {
        let what = "Statements";
        let (all, refused) = match database.check_statements().await {
            Ok((0, _)) => return Ok(()),
            Ok(checked) => checked,
            Err(error) => {
                self.check(what, Err::<(), _>(error.into()), |()| String::new())?;
                return Ok(());
            }
        };
        for RefusedStatement { statement, sqlstate, reason } in &refused {
            let code = sqlstate.as_deref().unwrap_or("without SQLSTATE");
            writeln!(
                stdout(),
                "{} Statement refused ({code}): {reason}: {statement}",
                colours::failed()
            )?;
        }
        let found = if refused.is_empty() {
            Ok(())
        } else {
            Err(anyhow!(
                "the server refuses {} of {all}, which it would do for the bot, too",
                refused.len()
            ))
        };
        self.check(what, found, |()| format!("the server takes all {all}"))?;
        Ok(())
    }
}

/// Warns about database files that other users of this machine may read or change.
fn warn_of_modes(files: &[OpenToOthers]) -> io::Result<()> {
    for OpenToOthers { path, mode } in files {
        let path = path.display();
        writeln!(
            stdout(),
            "{} Database: other users of this machine can open {path} (mode {mode:04o}); \
             `chmod 600 {path}` keeps it private",
            colours::warning()
        )?;
    }
    Ok(())
}

async fn open(
    url: DatabaseUrl,
    keys: Option<DatabaseKeys>,
    key: Option<SuppressionKey>,
) -> anyhow::Result<(Database, u64)> {
    let mut database = Database::open_existing_with_keys(url, keys).await?;
    database.check_writable().await?;
    if let Some(key) = key {
        database = database.suppressing(key);
    }
    let bytes = database.size_bytes().await?;
    Ok((database, bytes))
}

/// Describes the pooler in front of PostgreSQL.
fn pooler(database: &Database) -> Option<String> {
    let DatabaseUrl::Postgres { pool_mode, .. } = database.url() else { return None };
    let found = match (pool_mode, database.sessions()) {
        (PoolMode::Auto, Sessions::Own) => "none found".to_owned(),
        (PoolMode::Auto, Sessions::Shared) => "found".to_owned(),
        (mode, _) => format!("DATABASE_POOL_MODE={mode}"),
    };
    let handled = match database.sessions() {
        Sessions::Own => "each connection keeps its session",
        Sessions::Shared => {
            "sessions are shared, so statements are not prepared ahead and settings end with \
             their transaction"
        }
    };
    Some(format!("{found}; {handled}"))
}

async fn migrations(database: &Database) -> anyhow::Result<String> {
    let migrations = database.migrations().await?;
    let pending: Vec<String> = migrations
        .iter()
        .filter(|(_, state)| *state == MigrationState::Pending)
        .map(|(migration, _)| migration.to_string())
        .collect();
    if !pending.is_empty() {
        bail!("pending: {}; run `manage migrate`", pending.join(", "));
    }
    Ok(format!("all {} applied", migrations.len()))
}

async fn ask(settings: Settings) -> anyhow::Result<Bot> {
    Ok(Bot::connect(settings, Arc::new(SystemClock)).await?)
}

/// Warns if this machine's clock is wrong. A response without a time proves nothing.
fn report_clock(difference: Option<ClockDifference>) -> io::Result<()> {
    match difference {
        None => writeln!(stdout(), "- Clock: skipped (Telegram's response has no Date)"),
        Some(difference) if difference.is_none() => {
            writeln!(stdout(), "{} Clock: {difference}", colours::passed())
        }
        Some(difference) => {
            writeln!(
                stdout(),
                "{} Clock: {difference}; correct it, for example with NTP",
                colours::warning()
            )
        }
    }
}

async fn owner(database: &Database, bot: TelegramId) -> anyhow::Result<String> {
    let owner = Services::new(database.clone())
        .bot_repository()
        .owner()
        .await
        .context("cannot read the owner")?;
    let Some(owner) = owner else { return Ok("no bot has used this database yet".to_owned()) };
    refuse_another(owner, bot, database)?;
    Ok("the database belongs to this bot".to_owned())
}
