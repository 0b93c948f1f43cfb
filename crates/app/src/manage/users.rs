//! `manage users`.

use std::{io::Write, process::ExitCode, str::FromStr};

use anyhow::bail;
use clap::Subcommand;
use rollcall_domain::{
    ReachabilityChange, StartPayload, TelegramId, TelegramUser, UnreachableReason, Username,
};
use rollcall_service::UserService;
use serde_json::{Value, json};

use super::output::{print_json, rfc3339, safe, second, stdout};

#[derive(Debug, Subcommand)]
pub enum Users {
    /// List users, those who came last first
    List {
        /// Which page, counted from 1
        #[arg(long, default_value_t = 1, value_parser = from_1)]
        page: u32,
        /// How many users a page, up to 1000
        #[arg(long, default_value_t = 20, value_parser = from_1)]
        page_size: u32,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Show one user
    Show {
        /// The user's Telegram id, or @username
        #[arg(value_name = "ID or @USERNAME")]
        user: WhichUser,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

/// A user as somebody names it on the command line.
#[derive(Clone, Debug)]
pub enum WhichUser {
    Id(TelegramId),
    Username(Username),
}

impl FromStr for WhichUser {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let looks_like_an_id = text.trim_start_matches('-').bytes().all(|b| b.is_ascii_digit());
        if looks_like_an_id && !text.is_empty() {
            return text.parse().map(Self::Id).map_err(|error| format!("{error}"));
        }
        text.parse().map(Self::Username).map_err(|_| {
            "expected a Telegram id such as 123456789, or a username such as @ada".to_owned()
        })
    }
}

/// Reads a number that counts from 1.
fn from_1(text: &str) -> Result<u32, String> {
    let number = text.parse().ok().filter(|number| *number > 0);
    number.ok_or_else(|| "expected a whole number from 1 on".to_owned())
}

impl Users {
    pub(super) async fn run(self, users: UserService) -> anyhow::Result<ExitCode> {
        match self {
            Self::List { page, page_size, json } => list(&users, page, page_size, json).await?,
            Self::Show { user, json } => show(&users, user, json).await?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

async fn list(users: &UserService, page: u32, page_size: u32, json: bool) -> anyhow::Result<()> {
    let page = users.get_users_list(page, page_size).await?;
    if json {
        return print_json(&json!({
            "total": page.total,
            "page": page.request.number(),
            "pages": page.pages(),
            "users": page.items.iter().map(as_json).collect::<Vec<_>>(),
        }));
    }
    let mut out = stdout();
    let (number, pages, total) = (page.request.number(), page.pages(), page.total);
    if page.items.is_empty() {
        writeln!(out, "There is nobody on page {number}; {total} users make {pages} pages.")?;
        return Ok(());
    }
    writeln!(out, "{:>16}  {:19}  {:19}  {:8}  NAME", "ID", "LAST SEEN", "JOINED", "LANGUAGE")?;
    for user in &page.items {
        writeln!(
            out,
            "{:>16}  {}  {}  {:8}  {}",
            user.telegram_id,
            second(user.last_seen),
            second(user.created_at),
            safe(user.language_code.as_deref().unwrap_or("-")),
            names(user),
        )?;
    }
    match page.next() {
        Some(next) => {
            writeln!(out, "Page {number} of {pages}, {total} users; next: --page {next}")?
        }
        None => writeln!(out, "Page {number} of {pages}, {total} users")?,
    }
    Ok(())
}

async fn show(users: &UserService, which: WhichUser, json: bool) -> anyhow::Result<()> {
    let (found, sought) = match which {
        WhichUser::Id(id) => (users.get_user_by_telegram_id(id).await?, format!("the id {id}")),
        WhichUser::Username(username) => {
            (users.get_user_by_username(&username).await?, format!("the username {username}"))
        }
    };
    let Some(user) = found else { bail!("there is no user with {sought}") };
    if json {
        return print_json(&as_json(&user));
    }
    let history = users.get_reach_history(user.telegram_id, HISTORY).await?;
    let starts = users.get_starts(user.telegram_id, HISTORY).await?;
    let optional = |text: Option<&str>| safe(text.unwrap_or("-"));
    let mut out = stdout();
    writeln!(out, "{}", safe(&user.to_string()))?;
    writeln!(out, "Telegram id  {}", user.telegram_id)?;
    writeln!(out, "Name         {}", user.shown_name())?;
    writeln!(out, "Username     {}", optional(user.username.as_ref().map(Username::as_str)))?;
    writeln!(out, "Language     {}", optional(user.language_code.as_deref()))?;
    writeln!(out, "Bot          {}", if user.is_bot { "yes" } else { "no" })?;
    writeln!(out, "First seen   {} UTC", second(user.created_at))?;
    writeln!(out, "Changed      {} UTC", second(user.updated_at))?;
    writeln!(out, "Last seen    {} UTC", second(user.last_seen))?;
    writeln!(out, "Source       {}", optional(user.source.as_ref().map(StartPayload::as_str)))?;
    writeln!(out, "Reachable    {}", reachable(&user))?;
    for ReachabilityChange { at, obstacle } in history {
        writeln!(
            out,
            "  {} UTC  {}",
            second(at),
            obstacle.map_or("unblocked", UnreachableReason::name)
        )?;
    }
    for (at, payload) in starts {
        writeln!(out, "  {} UTC  came by {payload}", second(at))?;
    }
    Ok(())
}

/// How much of a user's history is shown.
const HISTORY: u32 = 20;

fn reachable(user: &TelegramUser) -> &'static str {
    match user.reachability.obstacle {
        Some(obstacle) => obstacle.name(),
        None if user.reachability.has_private_chat => "yes",
        None => "no private chat yet",
    }
}

fn names(user: &TelegramUser) -> String {
    let username = user.username.as_ref().map(|username| format!(" {username}"));
    format!("{}{}", user.shown_name(), safe(&username.unwrap_or_default()))
}

fn as_json(user: &TelegramUser) -> Value {
    json!({
        "telegram_id": user.telegram_id.get(),
        "first_name": user.first_name,
        "last_name": user.last_name,
        "username": user.username.as_ref().map(Username::as_str),
        "language_code": user.language_code,
        "is_bot": user.is_bot,
        "created_at": rfc3339(user.created_at),
        "updated_at": rfc3339(user.updated_at),
        "last_seen": rfc3339(user.last_seen),
        "source": user.source.as_ref().map(StartPayload::as_str),
        "reachable": user.reachability.is_reachable(),
        "obstacle": user.reachability.obstacle.map(UnreachableReason::name),
        "blocked_at": user.reachability.blocked_at.map(rfc3339),
        "unblocked_at": user.reachability.unblocked_at.map(rfc3339),
    })
}
