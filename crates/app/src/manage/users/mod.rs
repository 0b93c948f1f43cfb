//! `manage users`.

mod list;
mod show;
mod user;

use std::process::ExitCode;

use clap::Subcommand;

use crate::{environment::Environment, services::Services};

#[derive(Debug, Subcommand)]
pub enum Users {
    /// List users, the newest first
    ///
    /// Below a page is the command for the next one. Users who join meanwhile do not move it.
    List(list::List),
    /// Show one user
    Show(show::Show),
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
        }
        Ok(ExitCode::SUCCESS)
    }
}
