//! `manage runserver`.

use std::{io::Write, process::ExitCode};

use anyhow::Context;
use clap::Args;

use super::output::stdout;
use crate::{
    environment::Environment,
    http, maintenance,
    serve::deliver_events,
    services::Services,
    settings::{
        EventsArguments, HttpArguments, RetentionArguments, ScheduleArguments, TelegramArguments,
    },
    shutdown::Shutdown,
    web_admin,
};

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  manage runserver                                      at http://127.0.0.1:8080/admin
  manage runserver --listen :8090                       at http://127.0.0.1:8090/admin
  manage runserver --database-url sqlite://copy.db      on a copy of the database

Also serves the API: a bot that runs elsewhere sends its updates to /ingest, with a key of
`manage api-keys create`. See docs/api.md.

Creates the database if it is missing. `manage createsuperuser` creates an account to sign in with.")]
pub struct Runserver {
    /// Address to listen on, such as 127.0.0.1:8090, localhost:8090 or :8090
    /// [env: LISTEN_ADDR] [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<String>,
}

impl Runserver {
    /// Serves the web admin until Ctrl-C or SIGTERM. Meanwhile it maintains the database as a bot does,
    /// so that new names can be searched even without a bot.
    pub(super) async fn run(
        self,
        open: impl AsyncFnOnce() -> anyhow::Result<Services>,
        environment: &Environment,
    ) -> anyhow::Result<ExitCode> {
        let settings =
            HttpArguments::default().listening_at(self.listen).without_webhook(environment)?;
        let has_schedule = ScheduleArguments::default().settings(environment)?.is_some();
        let telegram = TelegramArguments::default();
        let owners = telegram.admins(environment)?;
        let bot = telegram.optional_settings(environment)?;
        let mini_app_key = bot.and_then(|bot| bot.token.mini_app_key());
        let address = settings
            .address
            .context("LISTEN_ADDR is off; expected an address such as 127.0.0.1:8080")?;
        let listener = http::listen("LISTEN_ADDR", address)?;
        let shutdown = Shutdown::on_signals()?;
        let services = open().await?;
        let admins = services
            .admins(owners)
            .with_mini_app(mini_app_key)
            .requiring_second_factor(settings.requires_second_factor);
        let has_accounts = !admins.accounts().await?.is_empty();
        let url = settings.admin_url(listener.local_addr()?);
        writeln!(stdout(), "The web admin is at {url}; press Ctrl-C to stop it.")?;
        if !has_accounts {
            writeln!(
                stdout(),
                "There is no account yet. Create one with `manage createsuperuser`."
            )?;
        }
        let events = EventsArguments::default().settings(environment)?;
        let delivered = deliver_events(&services, events)?;
        let retention = RetentionArguments::default().settings(environment)?;
        let users = services.users();
        if let Some(warning) = settings.warning() {
            log::warn!("{warning}");
        }
        let labels = services.labels();
        let shared = web_admin::Shared {
            users: users.clone(),
            admins: admins.clone(),
            messenger: None,
            labels: labels.clone(),
            shutdown: shutdown.clone(),
        };
        let pages = web_admin::pages(&settings, &services, has_schedule, shared);
        let pages = pages.merge(web_admin::front_door(&settings));
        let pages = pages.merge(http::security_txt(settings.security_contact.as_ref()));
        tokio::select! {
            () = http::serve(listener, pages, settings.trusted_proxies.clone(), shutdown) => {}
            never = maintenance::run(users, admins, labels, retention, &services) => match never {},
            never = delivered => match never {},
        }
        Ok(ExitCode::SUCCESS)
    }
}
