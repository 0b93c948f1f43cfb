//! The answers to commands.

use std::{
    convert::Infallible,
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use rollcall_domain::{
    Chat, ChatKind, Clock, Cursor, Language, LogPace, Preferences, Registration, TelegramId,
    TelegramUser, UnreachableReason, UserFilter, UserSort, error_chain,
};
use rollcall_service::{
    ActivityService, AdminService, Alerts, AudienceService, BroadcastService, ClaimCode,
    ComposingService, DirectoryService, Messenger, OptOutService, Paces, PreferencesService,
    PressService, PrivacyService, ScheduleService, ScheduleView, SegmentService, ServiceError,
    UserService,
};

use rollcall_telegram::{
    Bot, Client, CommandMessage, Destination, Handler, Outbox, Request, SendError,
};

use crate::{
    action::button_family,
    audience::Audience,
    command::{Command, commands},
    consent,
    greeting::Greetings,
    locale::Locale,
    menu::{self, Menu},
    owners::KnownOwners,
    privacy_notice::PrivacyNotice,
    reply::{PageButton, Screen, send},
    schedule, settings_menu, text, user_list,
};

/// The services that the conversation uses.
#[derive(Clone)]
pub struct Services {
    /// The users.
    pub users: UserService,
    /// The list of users.
    pub directory: DirectoryService,
    /// The users of filters.
    pub audience: AudienceService,
    /// The saved segments.
    pub segments: SegmentService,
    /// The games; `None` for a bot without the schedule.
    pub schedule: Option<ScheduleService>,
    /// The preferences of users.
    pub preferences: PreferencesService,
    /// The categories of broadcasts that users have opted out of.
    pub opt_outs: OptOutService,
    /// The broadcasts.
    pub broadcasts: BroadcastService,
    /// The broadcasts that owners compose.
    pub composing: ComposingService,
    /// Sends copies of broadcasts to owners.
    pub messenger: Arc<dyn Messenger>,
    /// The presses of buttons below broadcasts.
    pub presses: PressService,
    /// What users ask about their own data.
    pub privacy: PrivacyService,
    /// The owners, who may use the admin commands.
    pub admins: AdminService,
    /// Leaves a new owner out of the figures; `None` if owners count.
    pub uncounting: Option<ActivityService>,
}

/// Answers commands, and button presses (in `press.rs`).
pub struct Conversation {
    pub(crate) client: Client,
    pub(crate) outbox: Outbox,
    pub(crate) users: UserService,
    pub(crate) directory: DirectoryService,
    pub(crate) selected: AudienceService,
    pub(crate) segments: SegmentService,
    pub(crate) schedule: Option<ScheduleService>,
    pub(crate) preferences: PreferencesService,
    pub(crate) opt_outs: OptOutService,
    pub(crate) broadcasts: BroadcastService,
    pub(crate) composing: ComposingService,
    pub(crate) messenger: Arc<dyn Messenger>,
    pub(crate) paces: Paces,
    pub(crate) owners: KnownOwners,
    pub(crate) presses: PressService,
    pub(crate) privacy: PrivacyService,
    notice: PrivacyNotice,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) admins: AdminService,
    pub(crate) uncounting: Option<ActivityService>,
    /// The address of the web admin for a browser, if it is served.
    admin_url: Option<String>,
    greetings: Greetings,
    /// How often forged updates are logged.
    forged: Mutex<LogPace>,
}

#[async_trait]
impl Handler for Conversation {
    fn commands(&self) -> &'static [&'static str] {
        commands(self.schedule.is_some())
    }

    fn button_family(&self, data: &str) -> Option<&'static str> {
        button_family(data).filter(|family| *family != "schedule" || self.schedule.is_some())
    }

    fn wants(&self, text: &str) -> bool {
        ClaimCode::read(text).is_some()
    }

    fn wants_messages_of(&self, user: TelegramId) -> bool {
        self.owners.has(user)
    }

    async fn handle(&self, request: Request, registration: Registration) {
        match request {
            Request::Command(message) => self.command(&message, &registration).await,
            Request::Text(message) => self.text(&message, &registration).await,
            Request::Message(message) => self.message(&message, &registration).await,
            Request::ButtonPress(press) => self.press(&press, &registration).await,
        }
    }
}

/// The user who gets an answer, with their preferences.
pub(crate) struct Asker {
    pub(crate) id: TelegramId,
    /// The language of their Telegram client.
    client_language: Option<String>,
    pub(crate) preferences: Preferences,
}

impl Asker {
    pub(crate) fn locale(&self) -> &'static Locale {
        Locale::of(self.language())
    }

    pub(crate) fn language(&self) -> Language {
        self.preferences.language_or(self.client_language.as_deref())
    }
}

impl Conversation {
    /// The conversation of a bot. `/admin` sends owners links to `admin_url`, the address of the web admin
    /// for a browser, such as `https://bot.example.org/admin`, if it is served. `greetings` replace our
    /// own. `notice` is part of the answer to `/privacy`.
    pub fn new(
        bot: &Bot,
        services: Services,
        admin_url: Option<String>,
        greetings: Greetings,
        notice: PrivacyNotice,
    ) -> Self {
        let Services {
            users,
            directory,
            audience: selected,
            segments,
            schedule,
            preferences,
            opt_outs,
            broadcasts,
            composing,
            messenger,
            presses,
            privacy,
            admins,
            uncounting,
        } = services;
        Self {
            client: bot.client(),
            outbox: bot.outbox(),
            users,
            directory,
            selected,
            segments,
            schedule,
            preferences,
            opt_outs,
            broadcasts,
            composing,
            messenger,
            paces: Paces::default(),
            owners: KnownOwners::default(),
            presses,
            privacy,
            notice,
            clock: bot.clock(),
            admins,
            uncounting,
            admin_url,
            greetings,
            forged: Mutex::default(),
        }
    }

    /// Sets the menus of commands in the background, with retries.
    pub fn set_menus(&self) {
        tokio::spawn(menu::set_all(self.client.clone(), self.menu(), self.admins.clone()));
    }

    /// Looks up the owners. Call it before the first update; [`watch_broadcasts`](Self::watch_broadcasts)
    /// repeats it, because another process may have got a new owner.
    pub async fn look_up_owners(&self) {
        match self.admins.telegram_owners().await {
            Ok(owners) => self.owners.set(owners.into_iter().collect()),
            Err(error) => {
                log::warn!(error = error_chain(&error); "could not look up the owners");
            }
        }
    }

    /// Writes the alerts to owners who have written to the bot; Telegram does not let it write to others.
    /// Runs until it is dropped; call it once.
    pub async fn alert_owners(&self, alerts: Alerts) -> Infallible {
        loop {
            let report = alerts.next().await;
            if self.report(&report).await {
                alerts.postpone(report);
            }
        }
    }

    /// Answers a command of a registered user. Answers are best effort: one that the outbox cannot send
    /// is logged and dropped.
    async fn command(&self, message: &CommandMessage, registration: &Registration) {
        let Some(command) = Command::of(&message.command) else { return };
        let from = registration.user.telegram_id;
        let Some(audience) = self.audience(message.chat, from).await else {
            return self.note_forged();
        };
        if command.is_for_admins() && audience != Audience::Owner {
            return;
        }
        let to = match audience {
            Audience::Group => message.from,
            // The sender's own id, not the chat id in the update.
            Audience::Sender | Audience::Owner => Destination::user(from, message.from.topic),
        };
        let begun_at = Instant::now();
        let answer = match self.asker(&registration.user).await {
            Ok(asker) => {
                if audience == Audience::Owner && !matches!(command, Command::Broadcast { .. }) {
                    self.end_waiting(&asker, to).await;
                }
                let answer = self.answer(&command, audience, &asker, registration).await;
                answer.unwrap_or_else(|error| {
                    log::warn!(error = error_chain(&error); "a command failed");
                    failed(&command, &asker)
                })
            }
            Err((error, asker)) => {
                log::warn!(error = error_chain(&error); "a command failed");
                failed(&command, &asker)
            }
        };
        // A later interaction of the user proves that they are reachable.
        let begun = self.clock.now();
        match send(&self.outbox, to, &answer).await {
            Ok(()) => self.note_delivered(&answer).await,
            Err(error) => self.not_sent(from, error, begun).await,
        }
        metrics::histogram!("rollcall_handler_seconds").record(begun_at.elapsed());
        if matches!(command, Command::Start) && audience == Audience::Owner {
            self.set_menu(from).await;
        }
    }

    /// The users who read an answer in this chat; see [`Audience::of`].
    pub(crate) async fn audience(&self, chat: Chat, sender: TelegramId) -> Option<Audience> {
        let is_owner = chat.kind == ChatKind::Private
            && self.admins.is_telegram_owner(sender).await.unwrap_or_else(|error| {
                log::warn!(error = error_chain(&error); "could not check whether a user is an owner");
                false
            });
        if is_owner {
            self.owners.add(sender);
        }
        Audience::of(chat, sender, is_owner)
    }

    /// Looks up the preferences of a user. If that fails, the error comes with default preferences.
    pub(crate) async fn asker(&self, user: &TelegramUser) -> Result<Asker, (ServiceError, Asker)> {
        let (id, client_language) = (user.telegram_id, user.language_code.clone());
        match self.preferences.preferences(id).await {
            Ok(preferences) => Ok(Asker { id, client_language, preferences }),
            Err(error) => {
                Err((error, Asker { id, client_language, preferences: Preferences::default() }))
            }
        }
    }

    async fn answer(
        &self,
        command: &Command,
        audience: Audience,
        asker: &Asker,
        registration: &Registration,
    ) -> Result<Screen, ServiceError> {
        let locale = asker.locale();
        Ok(match command {
            command
                if registration.suppressed
                    && audience.is_private()
                    && consent::is_asked_before(command) =>
            {
                consent::question(locale)
            }
            Command::Start => self.start(audience, asker, &registration.user),
            Command::Schedule => match &self.schedule {
                Some(schedule) => self.games(schedule, ScheduleView::Next, audience, asker).await?,
                // Such a bot does not have the command.
                None => self.help(audience, locale),
            },
            Command::Settings if audience.is_private() => self.settings(asker).await?,
            Command::Settings => locale.text("settings-private").into(),
            Command::Help => self.help(audience, locale),
            Command::Id => text::id(locale, asker.id).into(),
            Command::MyData | Command::DeleteMyData
                if registration.suppressed && audience.is_private() =>
            {
                locale.text("privacy-nothing").into()
            }
            Command::Privacy => {
                let policy = self.notice.policy(locale, audience == Audience::Owner);
                match registration.suppressed && audience.is_private() {
                    // In front of another bot, this is where erased users are asked.
                    true => consent::question_below(locale, &policy),
                    false => policy.into(),
                }
            }
            Command::DeveloperInfo => {
                self.notice.developer(locale, audience == Audience::Owner).into()
            }
            Command::MyData => self.my_data(audience, asker).await?,
            Command::DeleteMyData => self.ask_to_delete(audience, locale),
            Command::Users { filter } if filter.is_empty() => self.users(None, locale).await?,
            Command::Users { filter } => self.selected(filter, None, locale).await?,
            Command::Segments => self.segments(0, locale).await?,
            Command::Broadcast { filter } => self.broadcast(filter, asker).await?,
            Command::Stats => {
                text::stats(locale, &self.users.get_user_stats().await?, self.admin_url.as_deref())
                    .into()
            }
            Command::Admin => self.link(asker).await?,
        })
    }

    /// The greeting, with buttons for what the bot can do.
    pub(crate) fn start(&self, audience: Audience, asker: &Asker, user: &TelegramUser) -> Screen {
        let has_schedule = self.schedule.is_some();
        let own = self.greetings.greeting(asker.language(), user);
        Screen {
            text: own.unwrap_or_else(|| text::greeting(asker.locale(), user, has_schedule)),
            buttons: menu::buttons(asker.locale(), audience, has_schedule),
            ..Screen::default()
        }
    }

    /// The list of commands.
    pub(crate) fn help(&self, audience: Audience, locale: &Locale) -> Screen {
        text::help(locale, audience == Audience::Owner, self.schedule.is_some()).into()
    }

    /// A page of the list of users. If the page is empty because its users were deleted, this is
    /// the first page.
    pub(crate) async fn users(
        &self,
        cursor: Option<Cursor>,
        locale: &Locale,
    ) -> Result<Screen, ServiceError> {
        let (filter, sort) = (UserFilter::new(), UserSort::default());
        let mut page = self.directory.users(&filter, sort, cursor, user_list::PAGE_SIZE).await?;
        if page.rows.is_empty() && cursor.is_some() {
            page = self.directory.users(&filter, sort, None, user_list::PAGE_SIZE).await?;
        }
        Ok(user_list::page(locale, &page))
    }

    /// The schedule in this view.
    pub(crate) async fn games(
        &self,
        schedule: &ScheduleService,
        view: ScheduleView,
        audience: Audience,
        asker: &Asker,
    ) -> Result<Screen, ServiceError> {
        let chosen = &asker.preferences;
        let games = schedule.schedule(view, chosen.zone(), &chosen.favourite_teams).await?;
        let mut screen = schedule::games(asker.locale(), view, &games, chosen);
        if audience.is_private() && chosen.time_zone.is_none() {
            screen.buttons.push(vec![schedule::choose_zone(asker.locale())]);
        }
        Ok(screen)
    }

    /// The user's preferences.
    pub(crate) async fn settings(&self, asker: &Asker) -> Result<Screen, ServiceError> {
        // The teams are needed only for the names of favourites.
        let teams = match &self.schedule {
            None => None,
            Some(_) if asker.preferences.favourite_teams.is_empty() => Some(Vec::new()),
            Some(schedule) => Some(schedule.teams().await?),
        };
        let messages = self.opt_outs.choices(asker.id).await?;
        let (teams, now) = (teams.as_deref(), self.clock.now());
        Ok(settings_menu::overview(asker.locale(), &asker.preferences, teams, &messages, now))
    }

    /// A link for an owner to sign in to the web admin. Where browsers use https, a button opens the same
    /// page as a Mini App.
    async fn link(&self, asker: &Asker) -> Result<Screen, ServiceError> {
        let locale = asker.locale();
        let none = || Screen::from(locale.text("admin-not-served"));
        let Some(url) = &self.admin_url else { return Ok(none()) };
        let Some(token) = self.admins.create_link(asker.id).await? else { return Ok(none()) };
        let link = format!("{url}/link/{}", token.as_str());
        let mut screen = Screen::from(text::link(locale, &link));
        // Telegram accepts no Mini App with another address.
        if url.starts_with("https://") {
            screen.text.push_str("\n\n");
            screen.text.push_str(&locale.text("admin-mini-app"));
            let page =
                |key, url, is_mini_app| PageButton { label: locale.text(key), url, is_mini_app };
            screen.pages = vec![
                page("button-open-here", format!("{url}/telegram"), true),
                // Telegram Web shows Mini Apps in a frame, which the web admin refuses.
                page("button-open-browser", link, false),
            ];
        }
        Ok(screen)
    }

    /// Counts and logs a forged update: its chat belongs to another user than the sender.
    pub(crate) fn note_forged(&self) {
        metrics::counter!("rollcall_made_up_updates_total").increment(1);
        // No code panics while holding it.
        let mut pace = self.forged.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(updates) = pace.note(Instant::now()) {
            log::warn!(
                updates;
                "did not answer in the private chat of another user than the sender; Telegram \
                 sends no such updates, so an attacker may know WEBHOOK_SECRET: change it"
            );
        }
    }

    /// Logs an answer that could not be sent. Records the user as unreachable since `begun` if that is the
    /// reason.
    pub(crate) async fn not_sent(&self, to: TelegramId, error: SendError, begun: DateTime<Utc>) {
        log::warn!(error = error_chain(&error); "an answer was not sent");
        log::debug!(telegram_id = to.get(); "it was for this user");
        if let SendError::Unreachable { cause, .. } = error {
            self.mark_unreachable(to, cause, begun).await;
        }
    }

    /// Records that a user is unreachable, according to Telegram.
    async fn mark_unreachable(&self, id: TelegramId, reason: UnreachableReason, at: DateTime<Utc>) {
        if let Err(error) = self.users.mark_unreachable(id, reason, at).await {
            log::warn!(error = error_chain(&error); "could not record that a user is unreachable");
        }
    }

    fn menu(&self) -> Menu {
        Menu { has_schedule: self.schedule.is_some() }
    }

    /// Sets the menu of an admin who had not written to the bot when it started.
    pub(crate) async fn set_menu(&self, admin: TelegramId) {
        if let Err(error) = self.menu().set_for_admin(&self.client, admin).await {
            log::warn!(error = error_chain(&error); "an admin's menu was not set");
        }
    }
}

/// The answer to a failed command.
fn failed(command: &Command, asker: &Asker) -> Screen {
    match command {
        Command::Schedule => schedule::failed(asker.locale(), &asker.preferences),
        _ => asker.locale().text("failed").into(),
    }
}
