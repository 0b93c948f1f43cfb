//! A bot on its database: start, receiving updates, and shutdown.

use std::{
    collections::BTreeSet,
    convert::Infallible,
    net::SocketAddr,
    sync::{Arc, OnceLock},
    time::Duration,
};

use anyhow::Context;
use rollcall_api::OutgoingWebhooks;
use rollcall_conversation::{BROADCAST_BUTTONS, Beside, Conversation, Greetings, PrivacyNotice};
use rollcall_domain::{Clock, SystemClock, TelegramId, error_chain};
use rollcall_nhl::Client;
use rollcall_repository::BotRepository;
use rollcall_repository_diesel::{Database, MigrationState, SuppressionKeyPlace};
use rollcall_service::{
    ActivityService, AdminService, Alerts, LastingLink, LeaseTimes, Retention, ScheduleService,
};
use rollcall_telegram::{Bot, Handler, OutboxMessenger, Receiver, Webhook};
use tokio::{net::TcpListener, sync::watch, time::timeout};

use crate::{
    api_proxy,
    health::{self, Health},
    http, maintenance,
    patient_open::open_when_there,
    refresh,
    services::Services,
    settings::{
        BehindWay, DatabaseSettings, EventsSettings, ForwardSettings, HttpSettings,
        KEPT_SUPPRESSION_KEY, NhlSettings, ScheduleSettings,
    },
    shutdown::Shutdown,
    take_over::{refuse_another, refuse_foreign_use},
    web_admin::{self, WebAdmin},
};

/// How long broadcasts may take to stop: longer than the messages that are going out take on a database that
/// answers.
const SENDING_ENDS: Duration = Duration::from_secs(10);

/// What is served over HTTP, and the listener for it; `None` where nothing listens.
pub(crate) struct Site {
    pub(crate) settings: HttpSettings,
    pub(crate) listener: Option<TcpListener>,
}

impl Site {
    /// Listens at the address of the settings. A port that is in use is an error only if the settings
    /// ask for a webhook or for a public address.
    pub(crate) fn open(settings: HttpSettings) -> anyhow::Result<Self> {
        let listener = listen(&settings)?;
        Ok(Self { settings, listener })
    }
}

/// The settings of what the bot sends.
pub(crate) struct ConversationSettings {
    /// `None` for a bot without the schedule.
    pub(crate) schedule: Option<ScheduleSettings>,
    /// The owner's greetings.
    pub(crate) greetings: Greetings,
    /// What `/privacy` says about the owner.
    pub(crate) notice: PrivacyNotice,
    /// When the lease of the process that sends broadcasts is renewed and taken over.
    pub(crate) lease: LeaseTimes,
    /// The bot that answers instead of our own, if there is one.
    pub(crate) forward: Option<ForwardSettings>,
    /// Where events of users are delivered, if anywhere.
    pub(crate) events: Option<EventsSettings>,
    /// How long things are kept.
    pub(crate) retention: Retention,
}

/// The admins that sign in through Telegram.
pub(crate) struct TelegramAdmins {
    pub(crate) owners: BTreeSet<TelegramId>,
    /// Whether they count in the figures.
    pub(crate) are_counted: bool,
    /// A link that signs one of them in besides those of `/admin`; only for the demo.
    pub(crate) link: Option<LastingLink>,
}

/// Runs a bot on a database until the process should stop, by long polling unless there is a webhook.
pub(crate) async fn serve(
    settings: rollcall_telegram::Settings,
    take_over: bool,
    telegram_admins: TelegramAdmins,
    Site { settings: http, listener }: Site,
    conversation: ConversationSettings,
    database: DatabaseSettings,
    shutdown: Shutdown,
) -> anyhow::Result<()> {
    let metrics = http.metrics_address.map(|it| http::listen("METRICS_ADDR", it)).transpose()?;
    if let Some(listener) = &metrics {
        log::info!("metrics, healthz and readyz are at {}", listener.local_addr()?);
    }
    let listening = listener.as_ref().map(TcpListener::local_addr).transpose()?;
    let health = Health::new()?;
    let receiver = Arc::default();
    let web_admin = WebAdmin::new(listening.map(|address| http.admin_url(address)));
    let mut router = web_admin.router(&http);
    router = router.merge(web_admin::front_door(&http));
    router = router.merge(http::security_txt(http.security_contact.as_ref()));
    if metrics.is_none() {
        router = router.merge(health.clone().router());
    }
    if let Some(webhook) = &http.webhook {
        router = router.merge(http::webhook(webhook.url.path(), Arc::clone(&receiver)));
    }
    let served = async {
        match listener {
            // From the beginning, so that monitoring sees it start.
            Some(listener) => {
                http::serve(listener, router, http.trusted_proxies.clone(), shutdown.clone()).await
            }
            None => shutdown.clone().requested().await,
        }
        Ok(())
    };
    let watched = async {
        if let Some(listener) = metrics {
            http::serve(listener, health.clone().router(), Vec::new(), shutdown.clone()).await;
        }
        Ok(())
    };
    let ConversationSettings { schedule, greetings, notice, lease, forward, events, retention } =
        conversation;
    let proxy_listener = match &forward {
        Some(ForwardSettings { way: BehindWay::Proxy { address, .. }, .. }) => {
            Some(http::listen("API_PROXY_ADDR", *address)?)
        }
        _ => None,
    };
    let has_schedule = schedule.is_some();
    let nhl = schedule.and_then(|schedule| schedule.nhl).map(NhlSettings::client).transpose();
    let nhl = nhl.context("cannot set up the client for the NHL's API")?;
    let parts = Parts {
        take_over,
        telegram_admins,
        has_schedule,
        greetings,
        notice,
        lease,
        forward,
        events,
        retention,
        proxy_listener,
        health: &health,
        receiver: &receiver,
        web_admin: &web_admin,
    };
    let worked = work(settings, &http, nhl, database, shutdown.clone(), parts);
    tokio::try_join!(served, watched, worked)?;
    if let Some(receiver) = receiver.get() {
        receiver.finish().await;
    }
    log::info!("stopped");
    Ok(())
}

fn listen(http: &HttpSettings) -> anyhow::Result<Option<TcpListener>> {
    let Some(address) = http.address else { return Ok(None) };
    match http::listen("LISTEN_ADDR", address) {
        Err(error) if http.webhook.is_none() && http.public_url.is_none() => {
            log::warn!(
                "{error:#}; the bot runs without the web admin, {} (LISTEN_ADDR=off disables them)",
                health::PATHS.join(", ")
            );
            Ok(None)
        }
        listener => listener.map(Some),
    }
}

/// The parts that exist before the bot starts.
struct Parts<'a> {
    take_over: bool,
    telegram_admins: TelegramAdmins,
    has_schedule: bool,
    greetings: Greetings,
    notice: PrivacyNotice,
    lease: LeaseTimes,
    forward: Option<ForwardSettings>,
    events: Option<EventsSettings>,
    retention: Retention,
    proxy_listener: Option<TcpListener>,
    health: &'a Health,
    receiver: &'a OnceLock<Receiver>,
    web_admin: &'a WebAdmin,
}

/// Starts the bot, and receives updates until the process should stop.
async fn work(
    settings: rollcall_telegram::Settings,
    http: &HttpSettings,
    nhl: Option<Client>,
    database: DatabaseSettings,
    shutdown: Shutdown,
    Parts {
        take_over,
        telegram_admins,
        has_schedule,
        greetings,
        notice,
        lease,
        forward,
        events,
        retention,
        proxy_listener,
        health,
        receiver,
        web_admin,
    }: Parts<'_>,
) -> anyhow::Result<()> {
    let mini_app_key = settings.token.mini_app_key();
    let read_url = database.read_url.clone();
    let (bot, database) = tokio::select! {
        started = start(settings, http.webhook.as_ref(), &forward, take_over, database) => started?,
        () = shutdown.clone().requested() => return Ok(()),
    };
    let database = match &events {
        Some(events) => database.recording(events.kinds),
        None => database,
    };
    let services = Services::beside_replica(database.clone(), read_url).await?;
    let delivered = deliver_events(&services, events)?;
    let TelegramAdmins { owners, are_counted, link } = telegram_admins;
    // Anyone knows the demo's token, and could sign data with it.
    let mini_app_key = mini_app_key.filter(|_| link.is_none());
    let users = services.users();
    let alerts = Alerts::default();
    let admins = services
        .admins(owners)
        .accepting(link)
        .with_mini_app(mini_app_key)
        .requiring_second_factor(http.requires_second_factor)
        .alerting(alerts.clone());
    count_admins(&services.activity(), &admins, are_counted).await?;
    let labels = services.labels();
    let messenger = Arc::new(OutboxMessenger::new(bot.outbox(), bot.username(), BROADCAST_BUTTONS));
    let admin_url = web_admin.url().map(|url| {
        let shared = web_admin::Shared {
            users: users.clone(),
            admins: admins.clone(),
            labels: labels.clone(),
            messenger: Some(messenger.clone()),
            shutdown: shutdown.clone(),
        };
        web_admin.open(http, &services, has_schedule, shared);
        log::info!("the web admin is at {url}");
        url.to_owned()
    });
    let schedule = services.schedule();
    let answers = rollcall_conversation::Services {
        users: users.clone(),
        directory: services.directory(),
        audience: services.audience(),
        segments: services.segments(),
        schedule: has_schedule.then(|| schedule.clone()),
        preferences: services.preferences(),
        opt_outs: services.opt_outs(),
        broadcasts: services.broadcasts(),
        composing: services.composing(),
        messenger: messenger.clone(),
        presses: services.presses(),
        privacy: services.privacy(users.clone(), admins.clone()),
        admins: admins.clone(),
        uncounting: (!are_counted).then(|| services.activity()),
    };
    health.started(database, users.clone(), bot.readiness());
    let conversation = Arc::new(Conversation::new(&bot, answers, admin_url, greetings, notice));
    print_claim_code(&bot, &admins).await;
    conversation.look_up_owners().await;
    let alerted = conversation.alert_owners(alerts.clone());
    let watched = conversation.watch_broadcasts();
    let (way, beside) = match forward {
        Some(ForwardSettings { way, own_commands }) => {
            let beside = Arc::new(Beside::new(conversation.clone(), own_commands));
            (Some(way), Some(beside))
        }
        None => (None, None),
    };
    let proxy = match &way {
        Some(BehindWay::Proxy { give_up_after, .. }) => {
            let subscriptions = services.subscriptions();
            Some(bot.api_proxy(*give_up_after, users.clone(), subscriptions).await?)
        }
        _ => None,
    };
    let behind = match (way, &proxy) {
        (Some(BehindWay::Forward(forwarding)), _) => Some(bot.forward(forwarding, users.clone())?),
        (_, Some(proxy)) => Some(proxy.behind()),
        _ => None,
    };
    let proxied = proxy.zip(proxy_listener).map(|(proxy, listener)| {
        let address = listener.local_addr().map(|it| it.to_string()).unwrap_or_default();
        log::info!("your bot finds its Bot API server at http://{address}");
        tokio::spawn(api_proxy::serve(listener, proxy, shutdown.clone()))
    });
    let handler: Arc<dyn Handler> = match &beside {
        Some(beside) => beside.clone(),
        None => conversation.clone(),
    };
    let set_menus = || {
        // The menus belong to the bot behind, if there is one.
        if beside.is_none() {
            conversation.set_menus();
        }
    };
    let followed = async {
        match &beside {
            Some(beside) => beside.follow_menus(bot.client()).await,
            None => std::future::pending().await,
        }
    };
    let (stop_sending, stopped) = watch::channel(false);
    let sender = services.broadcasts().sender(
        users.clone(),
        services.preferences(),
        messenger,
        lease,
        stopped,
    );
    let sending = tokio::spawn(sender.run());
    let received = async {
        match &http.webhook {
            Some(webhook) => {
                let secret = webhook.secret.clone();
                let opened = bot.receiver(users.clone(), handler, behind, secret, alerts.clone());
                let receiver = receiver.get_or_init(|| opened);
                tokio::select! {
                    result = bot.set_webhook(webhook) => result?,
                    () = shutdown.clone().requested() => return Ok(()),
                }
                set_menus();
                receive(&bot, http.address, receiver, shutdown).await
            }
            None => {
                set_menus();
                Ok(bot.poll(users.clone(), handler, behind, shutdown.requested()).await?)
            }
        }
    };
    let result = tokio::select! {
        result = received => result,
        never = maintenance::run(users.clone(), admins, labels, retention, &services) => match never {},
        never = delivered => match never {},
        never = alerted => match never {},
        never = watched => match never {},
        never = followed => match never {},
        never = refreshed(schedule, nhl) => match never {},
    };
    if let Some(proxied) = proxied {
        match &result {
            // It stops by itself, after the calls that are under way.
            Ok(()) => drop(proxied.await),
            Err(_) => proxied.abort(),
        }
    }
    stop_sending.send_replace(true);
    // What became of the messages that are going out is stored before the process ends, unless the database
    // does not answer. Then the next process finds them claimed.
    if timeout(SENDING_ENDS, sending).await.is_err() {
        log::warn!(
            "the database does not answer: what became of some messages of broadcasts is not stored"
        );
    }
    result
}

/// Leaves admins out of the figures from now on, or counts them.
async fn count_admins(
    activity: &ActivityService,
    admins: &AdminService,
    are_counted: bool,
) -> anyhow::Result<()> {
    if are_counted {
        return Ok(activity.leave_out(&BTreeSet::new()).await?);
    }
    let owners = admins.telegram_owners().await?.into_iter().collect();
    activity.leave_out(&owners).await?;
    log::info!(admins = owners.len(); "admins are left out of the figures");
    Ok(())
}

/// Prints the code that makes its sender the owner, unless there is one.
async fn print_claim_code(bot: &Bot, admins: &AdminService) {
    let bot = bot.username();
    match admins.offer_claim_code().await {
        Ok(Some(code)) => log::info!(
            "this bot has no owner yet: to become the owner, send the claim code {code} to @{bot} in a \
             private chat within ten minutes"
        ),
        Ok(None) => {}
        Err(error) => {
            log::warn!(error = error_chain(&error); "could not create a claim code");
        }
    }
}

/// Delivers events of users, if there is a receiver.
pub(crate) fn deliver_events(
    services: &Services,
    settings: Option<EventsSettings>,
) -> anyhow::Result<impl Future<Output = Infallible>> {
    let events = services.user_events();
    let webhooks = settings.map(|it| OutgoingWebhooks::new(events, it.url, it.secret));
    let webhooks = webhooks.transpose().context("cannot deliver events")?;
    Ok(async {
        match webhooks {
            Some(webhooks) => webhooks.run().await,
            None => std::future::pending().await,
        }
    })
}

/// Keeps the schedule up to date, if it has a source.
async fn refreshed(schedule: ScheduleService, nhl: Option<Client>) -> Infallible {
    match nhl {
        Some(nhl) => refresh::run(schedule, nhl).await,
        None => std::future::pending().await,
    }
}

/// Receives updates by webhook until the process should stop. The webhook stays set: other processes
/// may serve it, and Telegram keeps undelivered updates.
async fn receive(
    bot: &Bot,
    address: Option<SocketAddr>,
    receiver: &Receiver,
    shutdown: Shutdown,
) -> anyhow::Result<()> {
    log::info!(
        bot_id = bot.id().get(), address:% = address.map_or_else(String::new, |it| it.to_string());
        "ready: @{} receives updates by webhook", bot.username()
    );
    tokio::select! {
        error = receiver.failed() => Err(error.into()),
        () = shutdown.requested() => Ok(()),
    }
}

/// Opens the database, asks Telegram which bot this is, and migrates the database if it belongs to it.
/// On a database that has not run this bot before, a bot that is in use elsewhere is refused first,
/// unless `take_over` is set.
async fn start(
    settings: rollcall_telegram::Settings,
    webhook: Option<&Webhook>,
    forward: &Option<ForwardSettings>,
    take_over: bool,
    database: DatabaseSettings,
) -> anyhow::Result<(Bot, Database)> {
    let database = open_when_there(database).await?;
    let bot = Bot::connect_with_retries(settings, Arc::new(SystemClock)).await?;
    let bots = Services::new(database.clone()).bot_repository();
    // Checked before the migration, which must not change another bot's database.
    let is_pending = |(_, state): &(_, MigrationState)| *state == MigrationState::Pending;
    let owner = match database.migrations().await?.iter().all(is_pending) {
        true => None,
        false => bots.owner().await?,
    };
    match owner {
        Some(owner) => refuse_another(owner, bot.id(), &database)?,
        None if take_over => {}
        None => {
            let behind = forward.as_ref().map(|it| &it.way);
            refuse_foreign_use(&bot, webhook, behind).await?;
        }
    }
    for migration in database.migrate().await? {
        log::info!("applied the migration {migration}");
    }
    if database.settle_suppression_key().await? == SuppressionKeyPlace::Database {
        log::warn!("{KEPT_SUPPRESSION_KEY}");
    }
    if !take_over && owner.is_some() && !bots.has_run().await? {
        // Its updates were sent by an API key, so it runs elsewhere.
        let behind = forward.as_ref().map(|it| &it.way);
        refuse_foreign_use(&bot, webhook, behind).await?;
    }
    refuse_another(bots.claim(bot.id(), SystemClock.now()).await?, bot.id(), &database)?;
    Ok((bot, database))
}
