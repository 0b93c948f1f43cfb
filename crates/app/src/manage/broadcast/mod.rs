//! `manage broadcast`.

mod categories;
mod change;
mod create;
mod preview;
mod report;
mod send_test;
mod show;
mod time;

use std::{num::NonZeroU32, process::ExitCode};

use clap::{Args, Subcommand};
use rollcall_domain::{Broadcast, BroadcastPlan, PauseReason, TelegramUser};
use rollcall_service::{Forecast, OptOutButton};
use rollcall_telegram::bulk_rate;
use serde_json::{Value, json};

use super::export::index_names;
use crate::{
    environment::Environment,
    services::Services,
    settings::{SettingError, TelegramArguments},
    values::whole,
};

/// The commands for broadcasts.
#[derive(Subcommand)]
#[command(after_help = "\
Examples:
  manage broadcast create --name Opening --filter 'lang:de reachable' --text '<b>We are open!</b>'
  manage broadcast preview 1                            as one of its users gets it
  manage broadcast test 1 --to 123456789                a copy to yourself
  manage broadcast start 1                              after a question
  manage broadcast show 1                               how far it is
  manage broadcast report 1 --csv --output opening.csv  what became of each message")]
pub enum Broadcasts {
    /// Store a broadcast as a draft, and print its number
    ///
    /// Nothing is sent until `start`. A wrong text, button, filter, time or category is refused, and
    /// nothing is stored then.
    Create(Box<create::Create>),
    /// Show the message as one of its users gets it, how many users it has, and how long it takes
    ///
    /// The user is one that the bot can write to. Variables that the user has no value for are marked.
    Preview(preview::Preview),
    /// Send one copy of the message to a user now, such as yourself
    ///
    /// Needs TELEGRAM_BOT_TOKEN, as the bot does. The user has to have started the bot. The copy does
    /// not count: if the user is in the audience, the broadcast still goes to them.
    Test(Box<send_test::SendTest>),
    /// Start a broadcast, or schedule it if it has a time
    ///
    /// Shows the number of users and the duration, and asks. Without a terminal, --yes has to be given.
    /// The recipients are chosen when it begins: users that match later are not added. A running bot
    /// begins within seconds.
    Start(change::Start),
    /// Pause a broadcast that is being prepared or sent
    ///
    /// No further message is sent after a few seconds. `resume` goes on with the users that are left.
    Pause(change::Change),
    /// Resume a paused broadcast
    ///
    /// It goes on with the users that are left. No message that was sent is sent again.
    Resume(change::Change),
    /// End a broadcast for good; messages that were sent stay
    Cancel(change::Cancel),
    /// List broadcasts, the newest first
    List(show::List),
    /// Show what a broadcast is, how far it is, and what became of its messages
    ///
    /// Every recipient is in one of seven states: `queued` (the message waits), `claimed` (it is on its
    /// way), `sent`, `failed` (Telegram refused it), `unreachable` (the bot cannot write to the user),
    /// `skipped` (opted out, erased, expired or capped) and `unknown` (it may have been sent).
    Show(show::Show),
    /// Write all recipients of a broadcast, and what became of the message
    ///
    /// The columns are telegram_id, state, reason, message_id and at. Users are sorted by id; times are
    /// in UTC.
    Report(report::Report),
    /// List the categories that users can opt out of, and add some
    Categories(categories::Categories),
}

/// Which broadcast a command is about.
#[derive(Args, Debug)]
struct Number {
    /// The broadcast's number, as `create` and `list` print it
    #[arg(value_name = "ID", value_parser = whole(1..=i64::MAX))]
    id: i64,
}

impl Broadcasts {
    pub(super) async fn run(
        self,
        services: &Services,
        environment: &Environment,
    ) -> anyhow::Result<ExitCode> {
        match self {
            Self::Create(command) => command.run(services).await?,
            Self::Preview(command) => command.run(services, environment).await?,
            Self::Test(command) => command.run(services, environment).await?,
            Self::Start(command) => command.run(services, environment).await?,
            Self::Pause(command) => command.pause(&services.broadcasts()).await?,
            Self::Resume(command) => command.resume(&services.broadcasts()).await?,
            Self::Cancel(command) => command.run(&services.broadcasts()).await?,
            Self::List(command) => command.run(&services.broadcasts()).await?,
            Self::Show(command) => command.run(&services.broadcasts(), environment).await?,
            Self::Report(command) => command.run(services).await?,
            Self::Categories(command) => command.run(&services.broadcasts()).await?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// How long so many messages of a broadcast take, and what they cost, with the settings of the bot.
fn forecast(
    messages: u64,
    plan: &BroadcastPlan,
    environment: &Environment,
) -> Result<Forecast, SettingError> {
    Ok(if plan.is_paid {
        Forecast::paid(messages, plan.rate)
    } else {
        unpaid(messages, plan, environment)?
    })
}

/// The same without payment.
fn unpaid(
    messages: u64,
    plan: &BroadcastPlan,
    environment: &Environment,
) -> Result<Forecast, SettingError> {
    let send_rate = TelegramArguments::default().send_rate(environment)?;
    let left = bulk_rate(send_rate).map(NonZeroU32::get);
    Ok(Forecast::unpaid(messages, plan.rate, left))
}

/// Adds new names to the search index, if a broadcast's filter compares names.
async fn index_names_of(services: &Services, plan: &BroadcastPlan) -> anyhow::Result<()> {
    let selection = services.audience().selection(&plan.filter, plan.zone).await?;
    if selection.node().compares_names() {
        index_names(&services.directory()).await?;
    }
    Ok(())
}

/// The button below the message to a user that opts out of the category; `None` without one.
async fn opt_out_button(
    services: &Services,
    plan: &BroadcastPlan,
    user: &TelegramUser,
) -> anyhow::Result<Option<OptOutButton>> {
    if !plan.has_opt_out_button {
        return Ok(None);
    }
    let preferences = services.preferences().preferences(user.telegram_id).await?;
    let language = preferences.language_or(user.language_code.as_deref());
    Ok(Some(OptOutButton { category: plan.category.clone(), language }))
}

/// The number, state and reason of a broadcast.
fn standing_as_json(broadcast: &Broadcast) -> Value {
    json!({
        "id": broadcast.id,
        "state": broadcast.state.name(),
        "reason": broadcast.state.reason().map(PauseReason::name),
    })
}

/// A broadcast, for people.
fn title(broadcast: &Broadcast) -> String {
    format!("broadcast {} ({})", broadcast.id, super::output::safe(&broadcast.plan.name))
}
