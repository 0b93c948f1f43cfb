//! `manage users`.

mod delete;
mod export_data;
mod list;
mod show;
mod user;

use std::process::ExitCode;

use clap::Subcommand;

use super::export::ExportUsers;
use crate::{environment::Environment, services::Services};

#[derive(Debug, Subcommand)]
pub enum Users {
    /// List users, the newest first
    ///
    /// Below a page is the command for the next one. Users who join meanwhile do not move it.
    List(list::List),
    /// Show one user
    Show(show::Show),
    /// Export users to a CSV or JSON Lines file; the same as `manage export`
    Export(Box<ExportUsers>),
    /// Write everything that is stored about one user as JSON, for a user who asks for a copy
    ///
    /// Contains the rows of every table, without ids of other users. The audit log records it.
    ExportData(export_data::ExportData),
    /// Delete users by their ids or by a filter, with everything that is stored about them
    ///
    /// Prints how many users that are, and asks before it deletes them. Without a terminal it changes
    /// nothing unless --yes is given. Deleted users stay in the figures of the past. Nothing about
    /// them is stored again until they agree, which the bot asks them after /start. Owners of the
    /// bot are left.
    ///
    /// The users go in small parts, so a running bot never waits for it. After an interruption, run the
    /// same command again to delete the rest. Users who joined after it began stay. Each user gets an
    /// entry in the audit log, and so does the whole deletion, with its filter and number.
    #[command(visible_alias = "delete")]
    Erase(delete::Delete),
}

impl Users {
    pub(super) async fn run(
        self,
        services: Services,
        environment: &Environment,
    ) -> anyhow::Result<ExitCode> {
        match self {
            Self::List(command) => {
                command.run(&services.directory(), &services.audience()).await?;
            }
            Self::Show(command) => command.run(&services, environment).await?,
            Self::Export(command) => return command.run(services).await,
            Self::ExportData(command) => command.run(&services).await?,
            Self::Erase(command) => command.run(&services, environment).await?,
        }
        Ok(ExitCode::SUCCESS)
    }
}
