use async_trait::async_trait;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use rollcall_domain::{SubscribedWebhook, TelegramId, UpdateSubscription};
use rollcall_repository::{BotRepository, RepositoryError};

use crate::{
    base::{
        connection::{AnyConnection, either},
        database::Database,
        error::Failure,
        schema::{bot_behind, bot_identity},
        timestamp::UtcMicros,
    },
    row::user::telegram_id,
};

/// Between the names of kinds of updates, which are in one text.
const SEPARATOR: &str = ",";

/// The bot that a database belongs to, in the table `bot_identity`, and what the bot behind has chosen, in
/// `bot_behind`.
#[derive(Clone, Debug)]
pub struct DieselBotRepository {
    database: Database,
}

impl DieselBotRepository {
    /// The repository in `database`, which must be migrated.
    pub fn new(database: Database) -> Self {
        Self { database }
    }
}

#[async_trait]
impl BotRepository for DieselBotRepository {
    async fn claim(
        &self,
        bot: TelegramId,
        at: DateTime<Utc>,
    ) -> Result<TelegramId, RepositoryError> {
        self.database
            .write("claim the database", move |connection| {
                let owner = claim(connection, bot, at, true)?;
                let own = bot_identity::table.filter(bot_identity::telegram_id.eq(bot.get()));
                let waiting = own.filter(bot_identity::has_run.eq(false));
                diesel::update(waiting).set(bot_identity::has_run.eq(true)).execute(connection)?;
                Ok(owner)
            })
            .await
    }

    async fn reserve(
        &self,
        bot: TelegramId,
        at: DateTime<Utc>,
    ) -> Result<TelegramId, RepositoryError> {
        self.database
            .write("reserve the database", move |connection| claim(connection, bot, at, false))
            .await
    }

    async fn owner(&self) -> Result<Option<TelegramId>, RepositoryError> {
        self.database.read("read which bot owns the database", owner).await
    }

    async fn has_run(&self) -> Result<bool, RepositoryError> {
        self.database
            .read("read whether the bot has run", |connection| {
                let has_run = bot_identity::table.select(bot_identity::has_run);
                Ok(has_run.first(connection).optional()?.unwrap_or_default())
            })
            .await
    }

    async fn subscription(&self) -> Result<UpdateSubscription, RepositoryError> {
        self.database
            .read("read what the bot behind has chosen", |connection| {
                let columns = (
                    bot_behind::webhook_url,
                    bot_behind::secret_token,
                    bot_behind::max_connections,
                    bot_behind::allowed_updates,
                );
                let chosen = bot_behind::table.select(columns);
                let row = chosen.first::<(String, String, i16, String)>(connection).optional()?;
                Ok(row.map(subscription).unwrap_or_default())
            })
            .await
    }

    async fn set_subscription(
        &self,
        subscription: &UpdateSubscription,
    ) -> Result<(), RepositoryError> {
        let UpdateSubscription { webhook, allowed_updates } = subscription.clone();
        let webhook = webhook.unwrap_or_else(no_webhook);
        let row = (
            bot_behind::webhook_url.eq(webhook.url),
            bot_behind::secret_token.eq(webhook.secret_token.unwrap_or_default()),
            bot_behind::max_connections.eq(i16::from(webhook.max_connections)),
            bot_behind::allowed_updates.eq(allowed_updates.join(SEPARATOR)),
        );
        self.database
            .write("store what the bot behind has chosen", move |connection| {
                let insert = diesel::insert_into(bot_behind::table)
                    .values((bot_behind::only_row.eq(1), row.clone()));
                either!(connection => insert
                    .on_conflict(bot_behind::only_row)
                    .do_update()
                    .set(row.clone())
                    .execute(connection)?);
                Ok(())
            })
            .await
    }
}

/// What is stored for a bot that asks for its updates.
fn no_webhook() -> SubscribedWebhook {
    SubscribedWebhook { url: String::new(), secret_token: None, max_connections: 0 }
}

fn subscription(
    (url, secret_token, max_connections, allowed): (String, String, i16, String),
) -> UpdateSubscription {
    let webhook = (!url.is_empty()).then(|| SubscribedWebhook {
        url,
        secret_token: Some(secret_token).filter(|secret| !secret.is_empty()),
        max_connections: u8::try_from(max_connections).unwrap_or(u8::MAX),
    });
    let names = allowed.split(SEPARATOR).filter(|name| !name.is_empty());
    UpdateSubscription { webhook, allowed_updates: names.map(str::to_owned).collect() }
}

fn claim(
    connection: &mut AnyConnection,
    bot: TelegramId,
    at: DateTime<Utc>,
    has_run: bool,
) -> Result<TelegramId, Failure> {
    // Does not read first: a bot that cannot write has to notice that when it starts.
    let row = (
        bot_identity::only_row.eq(1),
        bot_identity::telegram_id.eq(bot.get()),
        bot_identity::claimed_at.eq(UtcMicros::from(at)),
        bot_identity::has_run.eq(has_run),
    );
    let insert = diesel::insert_into(bot_identity::table).values(row);
    either!(connection => insert.on_conflict_do_nothing().execute(connection)?);
    Ok(owner(connection)?.unwrap_or(bot))
}

pub(crate) fn owner(connection: &mut AnyConnection) -> Result<Option<TelegramId>, Failure> {
    let id = bot_identity::table
        .select(bot_identity::telegram_id)
        .first::<i64>(connection)
        .optional()?;
    id.map(|id| telegram_id("bot_identity", id)).transpose()
}
