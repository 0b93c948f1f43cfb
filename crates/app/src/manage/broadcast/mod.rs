//! `manage broadcast`.

mod activity;
mod audience;
mod categories;
mod change;
mod create;
mod forecast;
mod number;
mod pick;
mod picture;
mod preview;
mod report;
mod resend;
mod send_test;
mod show;
mod text_file;
mod time;
mod times;
mod variants;

use std::process::ExitCode;

use clap::Subcommand;

use crate::{environment::Environment, services::Services};

/// The commands for broadcasts.
#[derive(Subcommand)]
#[command(after_help = "\
Examples:
  manage broadcast create --name Opening --filter 'lang:de reachable' --text '<b>We are open!</b>'
  manage broadcast preview 1                            as one of its users gets it
  manage broadcast test 1 --to 123456789                a copy to yourself
  manage broadcast start 1                              after a question
  manage broadcast show 1                               how far it is
  manage broadcast report 1 --csv --output opening.csv  what became of each message
  manage broadcast resend 1                             to those that it failed for")]
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
    /// Pick the winner of a test of variants before its time
    ///
    /// Users who do not have a message yet get this variant. The winner is final once messages go out.
    Pick(pick::Pick),
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
    /// The columns are telegram_id, state, reason, message_id, at, pressed_at and variant. Users are sorted by
    /// id; times are in UTC.
    Report(report::Report),
    /// Store a draft with the same message for recipients of a broadcast that did not get it
    ///
    /// The broadcast has to be finished or cancelled. The new one has its category and options, and the
    /// filter `broadcast:ID:failed`. Nothing is sent until `start`.
    Resend(resend::Resend),
    /// List the categories that users can opt out of, and add some
    Categories(categories::Categories),
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
            Self::Pick(command) => command.run(&services.broadcasts()).await?,
            Self::List(command) => command.run(&services.broadcasts()).await?,
            Self::Show(command) => command.run(&services.broadcasts(), environment).await?,
            Self::Report(command) => command.run(services).await?,
            Self::Resend(command) => command.run(&services.broadcasts()).await?,
            Self::Categories(command) => command.run(&services.broadcasts()).await?,
        }
        Ok(ExitCode::SUCCESS)
    }
}
