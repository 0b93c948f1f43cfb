//! `manage users`.

use std::{io::Write, process::ExitCode, str::FromStr};

use anyhow::bail;
use clap::Subcommand;
use rollcall_domain::{
    CommandUse, Cursor, DaysOfUse, ReachabilityChange, StartPayload, TelegramId, TelegramUser,
    UnreachableReason, UserFilter, UserSort, Username, grouped,
};
use rollcall_service::{DirectoryService, MAX_PAGE_SIZE, UserService};
use serde_json::{Value, json};

use super::output::{print_json, rfc3339, safe, second, stdout};

#[derive(Debug, Subcommand)]
pub enum Users {
    /// List users, the newest first
    ///
    /// Below a page is the command for the next one. Users who join meanwhile do not move it.
    List {
        /// How many users to list, up to 1000
        #[arg(long, default_value_t = 20, value_name = "N", value_parser = limit)]
        limit: u32,
        /// List the users after this place, as printed below a page and as `next` in JSON
        #[arg(long, value_name = "CURSOR", value_parser = cursor)]
        after: Option<Cursor>,
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

fn limit(text: &str) -> Result<u32, String> {
    let number = text.parse().ok().filter(|number| (1..=MAX_PAGE_SIZE).contains(number));
    number.ok_or_else(|| format!("expected a whole number from 1 to {MAX_PAGE_SIZE}"))
}

fn cursor(text: &str) -> Result<Cursor, String> {
    let is_of_this_list = |it: &Cursor| it.key == UserSort::default().key && !it.backwards;
    text.parse().ok().filter(is_of_this_list).ok_or_else(|| {
        "expected the cursor that `manage users list` printed below a page, such as \
         fn1795780800000000.123456789"
            .to_owned()
    })
}

impl Users {
    pub(super) async fn run(
        self,
        users: UserService,
        directory: DirectoryService,
    ) -> anyhow::Result<ExitCode> {
        match self {
            Self::List { limit, after, json } => list(&directory, limit, after, json).await?,
            Self::Show { user, json } => show(&users, &directory, user, json).await?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

async fn list(
    directory: &DirectoryService,
    limit: u32,
    after: Option<Cursor>,
    json: bool,
) -> anyhow::Result<()> {
    let page = directory.users(&UserFilter::new(), UserSort::default(), after, limit).await?;
    let users = || page.rows.iter().map(|row| &row.user);
    let total = page.count.number();
    if json {
        return print_json(&json!({
            "total": total,
            "users": users().map(as_json).collect::<Vec<_>>(),
            "next": page.next.map(|next| next.to_string()),
        }));
    }
    let mut out = stdout();
    let total = grouped(total);
    if page.rows.is_empty() {
        match after {
            None => writeln!(out, "There are no users yet.")?,
            Some(_) => {
                writeln!(out, "There are no users after this cursor; users in all: {total}")?
            }
        }
        return Ok(());
    }
    writeln!(out, "{:>16}  {:19}  {:19}  {:8}  NAME", "ID", "LAST SEEN", "JOINED", "LANGUAGE")?;
    for user in users() {
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
    writeln!(out, "Users: {} of {total}", page.rows.len())?;
    if let Some(next) = page.next {
        writeln!(out, "Next page: manage users list --limit {limit} --after {next}")?;
    }
    Ok(())
}

async fn show(
    users: &UserService,
    directory: &DirectoryService,
    which: WhichUser,
    json: bool,
) -> anyhow::Result<()> {
    let (found, sought) = match which {
        WhichUser::Id(id) => (users.get_user_by_telegram_id(id).await?, format!("the id {id}")),
        WhichUser::Username(username) => {
            (users.get_user_by_username(&username).await?, format!("the username {username}"))
        }
    };
    let Some(user) = found else { bail!("there is no user with {sought}") };
    // The user may have been deleted since.
    let detail = directory.user(user.telegram_id).await?;
    let (history, starts, uses) =
        detail.map(|detail| (detail.reach_history, detail.starts, detail.uses)).unwrap_or_default();
    if json {
        let mut shown = as_json(&user);
        if let Value::Object(fields) = &mut shown {
            fields.insert("uses".to_owned(), uses.iter().map(use_as_json).collect());
        }
        return print_json(&shown);
    }
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
    for ReachabilityChange { at, obstacle } in history.into_iter().take(HISTORY) {
        writeln!(
            out,
            "  {} UTC  {}",
            second(at),
            obstacle.map_or("unblocked", UnreachableReason::name)
        )?;
    }
    for (at, payload) in starts.into_iter().take(HISTORY) {
        writeln!(out, "  {} UTC  came by {payload}", second(at))?;
    }
    for (place, used) in uses.iter().enumerate() {
        let DaysOfUse { first, last, number, .. } = used.days;
        let label = if place == 0 { "Used" } else { "" };
        let days = if number == 1 { "day" } else { "days" };
        writeln!(
            out,
            "{label:11}  {}: {number} {days}, first {first}, last {last}",
            safe(&used.name())
        )?;
    }
    Ok(())
}

/// How many entries of each history of a user are printed.
const HISTORY: usize = 20;

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

fn use_as_json(CommandUse { command, days }: &CommandUse) -> Value {
    json!({
        "command": command,
        "first_day": days.first.to_string(),
        "last_day": days.last.to_string(),
        "days": days.number,
    })
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
