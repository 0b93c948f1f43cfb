//! The management commands, each in its own module.

mod admins;
mod age;
mod api_keys;
mod audit;
mod backup;
mod broadcast;
mod check;
mod count;
mod database_key;
pub(crate) mod demo_data;
mod distribute;
mod export;
mod fetch_games;
mod filter;
mod import;
mod key_file;
mod labels;
mod migrations;
mod output;
mod privacy;
mod quarantine;
mod rekey;
mod retention;
mod runserver;
mod segments;
mod sources;
mod stats;
mod suppression_key;
mod table;
mod test_users;
mod users;

use std::{process::ExitCode, time::Duration};

use clap::{Parser, Subcommand};
use rollcall_domain::{LabelKind, SystemClock};
use rollcall_repository_diesel::Database;

use crate::{
    describe::Describe,
    environment::Environment,
    services::Services,
    settings::{DatabaseArguments, EventsArguments},
};

/// How long a command waits for the replica to catch up.
const CATCH_UP: Duration = Duration::from_secs(5);

/// Manage Rollcall's database: migrations, users, statistics, checks
///
/// Uses the same DATABASE_URL as the bot, and may run at the same time.
#[derive(Parser)]
#[command(
    name = "manage",
    version,
    after_help = "\
Examples:
  manage createsuperuser --name ada                     create an account for the web admin
  manage runserver                                      open the web admin without a bot
  manage stats --since 7d                               all figures of the last seven days
  manage users list --search ada                        find a user
  manage check                                          what is wrong?

Exits with 0 when all is done, with 1 if it could not be done or a check failed, and with 2 if an \
argument is wrong."
)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    database: DatabaseArguments,
}

/// The management commands.
#[derive(Subcommand)]
pub enum Command {
    /// Apply pending migrations, or revert the last one
    Migrate(migrations::Migrate),
    /// List the migrations; applied ones are marked X
    Showmigrations,
    /// Show users, activity, growth, retention and database size
    Stats(stats::Stats),
    /// Show and choose the deep links that are counted separately
    ///
    /// A deep link is https://t.me/your_bot?start=PAYLOAD; `manage stats` and the dashboard show its
    /// figures. Anyone can invent payloads, so only links with a label are counted separately, up to
    /// 1,000. All others count together as (other). A link earns a label when it brings a new user:
    /// one whose first interaction with the bot is /start PAYLOAD. It loses the label when the last
    /// user it brought is deleted, unless the label was allowed with `manage sources allow`.
    #[command(subcommand)]
    Sources(sources::Sources),
    /// Fetch games from the NHL, or read them from a file
    #[command(alias = "fetch_games")]
    FetchGames(fetch_games::FetchGames),
    /// Fill an empty database with fake users, for testing
    DemoData(demo_data::DemoData),
    /// Count the users that a filter selects, exactly
    ///
    /// Prints the number alone. `manage count --filter 'lang:de reachable seen<14d'` counts reachable
    /// users with German apps who were seen within the last 14 days. docs/filters.md has every term.
    Count(count::CountUsers),
    /// List, show, save, delete and count segments: filters with a name
    #[command(subcommand)]
    Segments(segments::Segments),
    /// List and show users
    #[command(subcommand)]
    Users(users::Users),
    /// Add tags to users and remove them, and list and delete tags
    ///
    /// A tag is a word that you attach to users, such as vip. A user can have any number of tags, and
    /// there can be up to 200.
    #[command(subcommand)]
    Tag(labels::Labels),
    /// Add users to groups and remove them, and list and delete groups
    ///
    /// A group is a named set of users with a description. There can be up to 1,000.
    #[command(subcommand)]
    Group(labels::Labels),
    /// Write to all users that a filter selects, and see what became of each message
    ///
    /// `create` stores a draft, `preview` and `test` show it, and `start` starts it: nothing is sent
    /// before. The running bot sends it, behind its replies, and goes on after a restart.
    ///
    /// Nobody gets a broadcast twice. A message is noted before it is sent, so after a crash the few that
    /// were on their way may have arrived or not. Their users are counted as `unknown` and left out, or
    /// get the message again if the broadcast was created with --on-unknown resend. See
    /// docs/broadcasts.md.
    #[command(subcommand)]
    Broadcast(broadcast::Broadcasts),
    /// Export users to a CSV or JSON Lines file
    ///
    /// The columns are telegram_id, first_name, last_name, username, language_code, is_bot, created_at,
    /// updated_at, last_seen, has_private_chat, obstacle, blocked_at, unblocked_at, source and tags.
    /// Users are sorted by id; times are in UTC; tags have blanks between them. `manage import` reads
    /// these files. Filters can be combined.
    Export(export::ExportUsers),
    /// Import users from a `manage export` file
    ///
    /// New users are created. For existing users the newer data wins: the profile by updated_at, and
    /// whether the bot can write to them by blocked_at and unblocked_at. The earliest created_at and the
    /// latest last_seen are kept. Importing a file twice changes nothing the second time. Invalid lines
    /// are reported and skipped.
    ///
    /// Users get the tags in the column tags, which may be missing; new tags are created. An import
    /// never removes a tag. A file with more new tags than there is room for is refused.
    ///
    /// Either the whole file is imported, or nothing, for example on Ctrl-C. A running bot waits until
    /// the import is done.
    Import(import::ImportUsers),
    /// List, show, replay and remove updates that could not be read or registered
    #[command(subcommand)]
    Quarantine(quarantine::Quarantine),
    /// Delete what has expired: inactive users, old notes and old entries of the audit log
    ///
    /// The running bot does the same every ten minutes, if it has the same settings. Inactive users may
    /// return as new users: they did not ask to be erased. --dry-run only shows how many there are.
    ///
    /// --dry-run also shows at most how many users are known only from messages to a business account,
    /// which an earlier version or REGISTER_BUSINESS_CUSTOMERS=on has registered. Which kinds of updates
    /// a user has sent is not stored, so some of them may also have written in a group.
    Retention(retention::Retain),
    /// Serve the web admin and the API without running a bot
    Runserver(runserver::Runserver),
    /// Create a web admin account
    Createsuperuser(admins::CreateSuperuser),
    /// Change the password of a web admin account and end its sessions
    Changepassword(admins::ChangePassword),
    /// Manage web admin accounts
    #[command(subcommand)]
    Admins(admins::Admins),
    /// Create, list and revoke keys with which programs send updates and use the API
    ///
    /// A bot in any language can send its updates to POST /ingest, which `bot` and `manage runserver`
    /// serve. Its users are then stored as if Rollcall had received the updates itself.
    #[command(subcommand)]
    ApiKeys(api_keys::ApiKeys),
    /// Verify the audit log
    #[command(subcommand)]
    Audit(audit::Audit),
    /// Write the key that recognises erased users to a new file, for SUPPRESSION_KEY_FILE
    ///
    /// Erased users are not stored again until they agree. Rollcall recognises them by a keyed hash of
    /// their id. Without a file, the key is in the database, beside the hashes: then anyone with a copy
    /// of the database can try all ids and find out who was erased.
    ///
    /// Set SUPPRESSION_KEY_FILE for the bot and for `manage`, and restart the bot. It then deletes the
    /// copy in the database. Keep a copy of the file apart from the database's backups: without the
    /// key, erased users cannot be recognised, and no user can be registered.
    SuppressionKey(suppression_key::WriteKey),
    /// Copy an SQLite database to a new file, while the bot runs
    ///
    /// The copy is encrypted with the same key as the database, if it is encrypted; keep that key apart
    /// from it. For PostgreSQL, use pg_dump.
    Backup(backup::Backup),
    /// Distribute a PostgreSQL database over several servers with Citus
    ///
    /// Stop all bots first. The coordinator and its workers need the extension citus; see docs/citus.md. If
    /// the command is broken off, run it again: it goes on where it stopped. There is no way back but a
    /// backup.
    Distribute(distribute::Distribute),
    /// Write a key that encrypts the database to a new file, for DATABASE_KEY_FILE
    ///
    /// A key is 32 random bytes: 64 hexadecimal digits on a line. The first line of the file encrypts,
    /// others are older keys, which only decrypt. The command changes no database: `manage rekey` does.
    DatabaseKey(database_key::WriteKey),
    /// Encrypt the database with the first key of DATABASE_KEY_FILE, or decrypt it
    ///
    /// An SQLite file is copied beside itself, the copy is checked, and then it replaces the file. Stop
    /// the bot first; there must be room for the copy. An interruption at any moment leaves a whole
    /// database, under the old key or the new one; `manage check` shows which. The old file's blocks stay
    /// on the disk until it uses them again.
    ///
    /// On PostgreSQL, notes and quarantined updates are changed in small steps, beside running bots.
    Rekey(rekey::Rekey),
    /// What users asked about their data
    #[command(subcommand)]
    Privacy(privacy::Privacy),
    /// Check the settings, the database, its migrations and the connection to Telegram
    Check(Box<check::Check>),
    /// Self-test: create, update, read and count test users in this database, using reserved ids
    #[command(alias = "test_users")]
    TestUsers(test_users::TestUsers),
    /// Print completions, or write manual pages.
    #[command(flatten)]
    Describe(Describe),
}

impl Arguments {
    /// Describes the program, if that is the command.
    pub fn describe(&self) -> Option<anyhow::Result<ExitCode>> {
        match &self.command {
            Command::Describe(command) => Some(command.run::<Self>()),
            _ => None,
        }
    }
}

/// Runs a management command.
///
/// # Errors
/// If the command fails.
pub async fn run(arguments: Arguments, environment: &Environment) -> anyhow::Result<ExitCode> {
    let Arguments { command, database } = arguments;
    // `check` shows it among the rest.
    if let Some(warning) = environment.warning()
        && !matches!(command, Command::Check(_))
    {
        log::warn!("{warning}");
    }
    let open = async || open_current(&database, environment).await;
    let open_or_create = async || open_or_create(&database, environment).await;
    let open_to_read = async || open_to_read(&database, environment).await;
    match command {
        Command::Migrate(command) => command.run(open_any(&database, environment).await?).await,
        Command::Showmigrations => {
            migrations::show(&open_existing(&database, environment).await?).await
        }
        Command::Stats(command) => command.run(open_to_read().await?, environment).await,
        Command::Sources(command) => command.run(open().await?.sources()).await,
        Command::FetchGames(command) => command.run(open().await?, environment).await,
        Command::DemoData(command) => {
            let database = open_any(&database, environment).await?;
            command.run(Services::new(database), &SystemClock).await
        }
        Command::Users(command) => command.run(open_to_read().await?, environment).await,
        Command::Tag(command) => command.run(LabelKind::Tag, &open().await?).await,
        Command::Group(command) => command.run(LabelKind::Group, &open().await?).await,
        Command::Count(command) => command.run(open_to_read().await?.audience()).await,
        Command::Segments(command) => {
            let services = open().await?;
            command.run(&services).await
        }
        Command::Broadcast(command) => {
            let services = open().await?;
            command.run(&services, environment).await
        }
        Command::Export(command) => command.run(open_to_read().await?).await,
        Command::Import(command) => command.run(open().await?).await,
        Command::Quarantine(command) => command.run(open().await?, environment).await,
        Command::Retention(command) => command.run(&open().await?, environment).await,
        Command::Runserver(command) => command.run(open_or_create, environment).await,
        Command::Createsuperuser(command) => command.run(open_or_create).await,
        Command::Changepassword(command) => command.run(open().await?.accounts()).await,
        Command::Admins(command) => command.run(open().await?.accounts()).await,
        Command::ApiKeys(command) => command.run(open, open_or_create).await,
        Command::Audit(command) => command.run(open().await?.accounts()).await,
        Command::Backup(command) => {
            command.run(&open_existing(&database, environment).await?).await
        }
        Command::Distribute(command) => {
            command.run(&open_existing(&database, environment).await?).await
        }
        Command::DatabaseKey(command) => command.run(),
        Command::Rekey(command) => command.run(&database, environment).await,
        Command::SuppressionKey(command) => command.run(open().await?.database()).await,
        Command::Privacy(command) => command.run(open().await?).await.map(|()| ExitCode::SUCCESS),
        Command::Check(command) => command.run(&database, environment).await,
        Command::TestUsers(command) => command.run(open().await?.users()).await,
        Command::Describe(command) => command.run::<Arguments>(),
    }
}

/// Opens a database that is going to be written. It is created if it is an SQLite file that does not exist.
async fn open_any(
    arguments: &DatabaseArguments,
    environment: &Environment,
) -> anyhow::Result<Database> {
    let url = arguments.database_url(environment)?;
    let database = Database::open_with_keys(url, arguments.database_keys(environment)?).await?;
    database.check_writable().await?;
    Ok(database)
}

/// Opens an existing database.
async fn open_existing(
    arguments: &DatabaseArguments,
    environment: &Environment,
) -> anyhow::Result<Database> {
    let url = arguments.database_url(environment)?;
    Ok(Database::open_existing_with_keys(url, arguments.database_keys(environment)?).await?)
}

/// Opens an existing database that has every migration.
async fn open_current(
    arguments: &DatabaseArguments,
    environment: &Environment,
) -> anyhow::Result<Services> {
    let database = open_existing(arguments, environment).await?;
    migrations::refuse_pending(&database).await?;
    services(database, arguments, environment).await
}

/// Opens a database as [`open_current`] does, for a command that changes nothing. It reads the replica, if
/// there is one that has, or soon has, what was changed before.
async fn open_to_read(
    arguments: &DatabaseArguments,
    environment: &Environment,
) -> anyhow::Result<Services> {
    let services = open_current(arguments, environment).await?;
    let Some(on_replica) = services.on_replica() else { return Ok(services) };
    if on_replica.database().replica_has_all(CATCH_UP).await {
        return Ok(on_replica);
    }
    // The log says why a replica cannot be read.
    if on_replica.database().replica().is_some_and(|replica| replica.lag.is_ok()) {
        let seconds = CATCH_UP.as_secs();
        log::warn!("the replica did not catch up within {seconds} seconds: reading the primary");
    }
    Ok(services)
}

/// Opens a database that has every migration. If it is missing or empty, it is created first.
async fn open_or_create(
    arguments: &DatabaseArguments,
    environment: &Environment,
) -> anyhow::Result<Services> {
    let url = arguments.writable_database_url(environment)?;
    let database = Database::open_with_keys(url, arguments.database_keys(environment)?).await?;
    database.check_writable().await?;
    if database.migrations().await?.iter().all(migrations::is_pending) {
        database.migrate().await?;
        eprintln!("Created the database {}.", database.url());
    }
    migrations::refuse_pending(&database).await?;
    services(database, arguments, environment).await
}

/// The services, which record the events that the settings ask for.
async fn services(
    database: Database,
    arguments: &DatabaseArguments,
    environment: &Environment,
) -> anyhow::Result<Services> {
    let database = match arguments.suppression_key(environment)? {
        Some(key) => database.suppressing(key),
        None => database,
    };
    let registers = arguments.registers_business_customers(environment)?;
    let database = database.registering_business_customers(registers);
    let events = EventsArguments::default().settings(environment)?;
    let kinds = events.map(|it| it.kinds).unwrap_or_default();
    let read_url = arguments.read_url(environment)?;
    Ok(Services::beside_replica(database.recording(kinds), read_url).await?)
}
