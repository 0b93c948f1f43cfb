//! Management commands, a module each.

mod admins;
mod audit;
mod check;
pub(crate) mod demo_data;
mod export;
mod fetch_games;
mod import;
mod migrations;
mod output;
mod quarantine;
mod runserver;
mod sources;
mod stats;
mod test_users;
mod users;

use std::{collections::BTreeSet, process::ExitCode};

use anyhow::bail;
use clap::{Parser, Subcommand};
use rollcall_domain::SystemClock;
use rollcall_repository_diesel::{
    Database, DieselAdminRepository, DieselUserRepository, MigrationState,
};
use rollcall_service::{
    ActivityService, AdminService, DirectoryService, SourceService, TransferService, UserService,
};

use crate::{environment::Environment, settings::DatabaseArguments};

/// Manages Rollcall's database: migrations, users, statistics, checks.
///
/// Works on the same DATABASE_URL as the bot, also while the bot is running.
#[derive(Parser)]
#[command(name = "manage", version)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    database: DatabaseArguments,
}

/// The management commands.
#[derive(Subcommand)]
pub enum Command {
    /// Bring the database up to date, or take the last change back
    Migrate(migrations::Migrate),
    /// List the migrations, applied (marked X) and pending
    Showmigrations,
    /// How many users there are, how many were there lately, who came, stayed and left, and the
    /// database's size
    Stats(stats::Stats),
    /// Show and decide which deep links have figures of their own
    ///
    /// A deep link is https://t.me/your_bot?start=PAYLOAD, and its figures are shown by `manage stats`
    /// and on the dashboard. Anybody can make up payloads, so only those with a label have figures of
    /// their own, up to 1,000; all others count together as (other). A link earns its label by
    /// bringing a user: one whose first interaction with the bot is /start PAYLOAD. It loses the label
    /// when the last user who came by it is deleted, unless it was allowed.
    #[command(subcommand)]
    Sources(sources::Sources),
    /// Fetch games from the NHL, or read them from a file; a second time only what has changed
    #[command(alias = "fetch_games")]
    FetchGames(fetch_games::FetchGames),
    /// Fill a database of its own with people who are made up, to try things on or to measure
    DemoData(demo_data::DemoData),
    /// Look at users
    #[command(subcommand)]
    Users(users::Users),
    /// Write users to a CSV or JSON Lines file
    ///
    /// A line has telegram_id, first_name, last_name, username, language_code, is_bot, created_at,
    /// updated_at, last_seen, has_private_chat, obstacle, blocked_at, unblocked_at and source, in
    /// the order of the ids; times are in UTC. `manage import` reads such a file. Conditions can be
    /// combined.
    Export(export::ExportUsers),
    /// Take in users from a file that `manage export` wrote, of whichever database
    ///
    /// Whoever is not there yet is created. Of others, what changed last counts: the profile by
    /// updated_at, whether the bot can write to them by blocked_at and unblocked_at; the first
    /// created_at and the last last_seen stay. So it does not matter how often a file is taken in.
    /// Lines that make no user are told and left out.
    ///
    /// All of it is done at once, or on Ctrl-C nothing. A running bot waits meanwhile.
    Import(import::ImportUsers),
    /// Look at updates that could not be read in full
    #[command(subcommand)]
    Quarantine(quarantine::Quarantine),
    /// Serve the web admin, without a bot
    Runserver(runserver::Runserver),
    /// Make an account for somebody to sign in to the web admin with
    Createsuperuser(admins::CreateSuperuser),
    /// Change the password of an account, which ends its sessions
    Changepassword(admins::ChangePassword),
    /// Look after the accounts of the web admin
    #[command(subcommand)]
    Admins(admins::Admins),
    /// Verify the audit log
    #[command(subcommand)]
    Audit(audit::Audit),
    /// Check settings, database, migrations and, where there is a token, Telegram
    Check(Box<check::Check>),
    /// Try creating, updating, reading and counting users on the real database, with ids that no
    /// account has
    #[command(alias = "test_users")]
    TestUsers(test_users::TestUsers),
}

/// Runs a management command.
///
/// # Errors
/// When it cannot do what it is for.
pub async fn run(arguments: Arguments, environment: &Environment) -> anyhow::Result<ExitCode> {
    let Arguments { command, database } = arguments;
    // `check` shows it among the rest.
    if let Some(warning) = environment.warning()
        && !matches!(command, Command::Check(_))
    {
        log::warn!("{warning}");
    }
    let open = async || open_current(&database, environment).await;
    match command {
        Command::Migrate(command) => {
            command.run(Database::open(database.database_url(environment)?).await?).await
        }
        Command::Showmigrations => {
            let url = database.database_url(environment)?;
            migrations::show(&Database::open_existing(url).await?).await
        }
        Command::Stats(command) => command.run(open().await?, environment).await,
        Command::Sources(command) => command.run(source_service(open().await?)).await,
        Command::FetchGames(command) => command.run(open().await?, environment).await,
        Command::DemoData(command) => {
            let url = database.database_url(environment)?;
            command.run(Database::open(url).await?, &SystemClock).await
        }
        Command::Users(command) => {
            let database = open().await?;
            command.run(service(database.clone()), directory(database)).await
        }
        Command::Export(command) => {
            let database = open().await?;
            let (transfer, directory) = (transfer(database.clone()), directory(database.clone()));
            command.run(transfer, directory, admin_service(database)).await
        }
        Command::Import(command) => {
            let database = open().await?;
            let (transfer, directory) = (transfer(database.clone()), directory(database.clone()));
            command.run(transfer, directory, admin_service(database)).await
        }
        Command::Quarantine(command) => command.run(open().await?).await,
        Command::Runserver(command) => {
            database.writable_database_url(environment)?;
            command.run(open().await?, environment).await
        }
        Command::Createsuperuser(command) => command.run(admin_service(open().await?)).await,
        Command::Changepassword(command) => command.run(admin_service(open().await?)).await,
        Command::Admins(command) => command.run(admin_service(open().await?)).await,
        Command::Audit(command) => command.run(admin_service(open().await?)).await,
        Command::Check(command) => command.run(&database, environment).await,
        Command::TestUsers(command) => command.run(service(open().await?)).await,
    }
}

/// Opens a database that is there and has every migration.
async fn open_current(
    arguments: &DatabaseArguments,
    environment: &Environment,
) -> anyhow::Result<Database> {
    let database = Database::open_existing(arguments.database_url(environment)?).await?;
    let migrations = database.migrations().await?;
    let is_pending = |(_, state): &&(_, MigrationState)| *state == MigrationState::Pending;
    let pending = migrations.iter().filter(is_pending).count();
    if pending > 0 {
        bail!(
            "the database {} lacks {pending} of {} migrations; run `manage migrate`",
            database.url(),
            migrations.len()
        );
    }
    Ok(database)
}

fn activity(database: Database) -> ActivityService {
    ActivityService::new(DieselUserRepository::new(database), SystemClock)
}

/// Who signs in by Telegram is the bot's to know: these commands look after accounts only.
fn admin_service(database: Database) -> AdminService {
    AdminService::new(DieselAdminRepository::new(database), SystemClock, BTreeSet::new())
}

fn source_service(database: Database) -> SourceService {
    SourceService::new(DieselUserRepository::new(database), SystemClock)
}

fn transfer(database: Database) -> TransferService {
    TransferService::new(DieselUserRepository::new(database))
}

fn directory(database: Database) -> DirectoryService {
    DirectoryService::new(DieselUserRepository::new(database), SystemClock)
}

fn service(database: Database) -> UserService {
    UserService::new(DieselUserRepository::new(database), SystemClock)
}
