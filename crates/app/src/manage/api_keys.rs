//! `manage api-keys`.

use std::{io::Write, process::ExitCode};

use anyhow::bail;
use clap::{Args, Subcommand};
use rollcall_domain::{
    ApiScope, ApiScopes, Clock, InvalidApiScopes, LabelName, SystemClock, TelegramId,
};
use rollcall_repository::BotRepository;
use rollcall_service::{AdminService, ListedApiKey};
use serde_json::{Value, json};

use super::{
    labels::read_name,
    output::{print_json, rfc3339, second, stdout},
    table::Table,
};
use crate::{services::Services, values::whole};

/// The largest id of a bot.
const LARGEST_ID: i64 = TelegramId::MAX.get();

#[derive(Subcommand)]
#[command(after_help = "\
Examples:
  manage api-keys create shop --scope ingest --bot-id 123456789
  manage api-keys create report --scope read
  manage api-keys list
  manage api-keys revoke shop

curl -H 'Authorization: Bearer KEY' --json @update.json http://127.0.0.1:8080/ingest sends an update.
docs/api.md has all requests.")]
pub enum ApiKeys {
    /// Create a key, and print it once
    ///
    /// Only a hash of the key is stored, so it cannot be shown again. Keep it where your program keeps
    /// its secrets.
    ///
    /// A database belongs to one bot. If no bot has used it yet, --bot-id names the bot whose updates
    /// will be sent.
    Create(Create),
    /// List the keys, without their secrets
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Revoke a key: from now on, requests with it are refused
    Revoke {
        /// The key's name or id, as `list` prints them
        #[arg(value_name = "NAME-or-ID")]
        key: String,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

#[derive(Args)]
pub struct Create {
    /// What you call it, such as the program that uses it: 1 to 32 of a-z, 0-9, _ and -
    #[arg(value_parser = read_name)]
    name: LabelName,
    /// What the key may do, separated by commas: ingest (send updates), read (users, statistics,
    /// segments, broadcasts), write (change tags, create and start broadcasts)
    #[arg(long, value_name = "SCOPES", value_parser = read_scopes)]
    scope: ApiScopes,
    /// The bot whose users are in this database: the number before the colon of its token. Needed for
    /// a database that no bot has used yet
    #[arg(long, value_name = "ID", value_parser = whole(1..=LARGEST_ID))]
    bot_id: Option<i64>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

fn read_scopes(text: &str) -> Result<ApiScopes, InvalidApiScopes> {
    text.parse()
}

impl ApiKeys {
    pub(super) async fn run(
        self,
        open: impl AsyncFnOnce() -> anyhow::Result<Services>,
        open_or_create: impl AsyncFnOnce() -> anyhow::Result<Services>,
    ) -> anyhow::Result<ExitCode> {
        match self {
            Self::Create(command) => command.run(&open_or_create().await?).await?,
            Self::List { json } => list(&open().await?.accounts(), json).await?,
            Self::Revoke { key, json } => {
                let revoked = open().await?.accounts().revoke_api_key(&key, None).await?;
                if json {
                    print_json(&json!({ "id": revoked.id, "name": revoked.key.name.as_str() }))?;
                } else {
                    writeln!(stdout(), "Revoked the key {}.", revoked.key.name)?;
                }
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl Create {
    async fn run(self, services: &Services) -> anyhow::Result<()> {
        let bot = bot(services, self.bot_id).await?;
        let (secret, created) =
            services.accounts().create_api_key(&self.name, self.scope, None).await?;
        if self.json {
            return print_json(&json!({
                "id": created.id,
                "name": created.key.name.as_str(),
                "scopes": scopes(&created),
                "bot_id": bot.get(),
                "key": secret.as_str(),
            }));
        }
        // The key alone on the standard output, for scripts.
        writeln!(stdout(), "{}", secret.as_str())?;
        eprintln!(
            "Created the key {} for the bot {bot}. It is shown only now: store it where your program \
             keeps its secrets.",
            created.key.name
        );
        Ok(())
    }
}

/// The bot that the database belongs to. A database without one becomes that of `id`.
async fn bot(services: &Services, id: Option<i64>) -> anyhow::Result<TelegramId> {
    let id = id.map(TelegramId::try_from).transpose()?;
    let bots = services.bot_repository();
    let owner = match (bots.owner().await?, id) {
        (Some(owner), _) => owner,
        (None, Some(id)) => bots.reserve(id, SystemClock.now()).await?,
        (None, None) => bail!(
            "the database {} belongs to no bot yet; pass --bot-id ID, the number before the colon of \
             the bot's token",
            services.database().url()
        ),
    };
    if let Some(id) = id.filter(|id| *id != owner) {
        bail!(
            "the database {} belongs to the bot {owner}, not to {id}; use another database for \
             another bot",
            services.database().url()
        );
    }
    Ok(owner)
}

async fn list(admins: &AdminService, json: bool) -> anyhow::Result<()> {
    let keys = admins.api_keys().await?;
    if json {
        return print_json(&json!({ "keys": keys.iter().map(as_json).collect::<Vec<_>>() }));
    }
    let mut out = stdout();
    if keys.is_empty() {
        writeln!(out, "There is no key yet. Create one with `manage api-keys create`.")?;
        return Ok(());
    }
    let time = |at: Option<_>| at.map_or_else(|| "-".to_owned(), second);
    let mut table = Table::new(
        ["NAME", "ID", "SCOPES", "CREATED (UTC)", "LAST USED (UTC)", "REVOKED (UTC)"],
        6,
    );
    for ListedApiKey { id, key } in &keys {
        table.row([
            key.name.to_string(),
            id.clone(),
            key.scopes.to_string(),
            second(key.created_at),
            time(key.last_used_at),
            time(key.revoked_at),
        ]);
    }
    table.print(&mut out)?;
    Ok(())
}

fn scopes(key: &ListedApiKey) -> Vec<&'static str> {
    key.key.scopes.iter().map(ApiScope::name).collect()
}

fn as_json(listed: &ListedApiKey) -> Value {
    json!({
        "id": listed.id,
        "name": listed.key.name.as_str(),
        "scopes": scopes(listed),
        "created_at": rfc3339(listed.key.created_at),
        "last_used_at": listed.key.last_used_at.map(rfc3339),
        "revoked_at": listed.key.revoked_at.map(rfc3339),
    })
}
