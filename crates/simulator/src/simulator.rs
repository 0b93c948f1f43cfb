//! What a test holds in its hand: a running Telegram.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::broadcast;
use tokio::task::JoinHandle;

use crate::exchange::Exchange;
use crate::fault::Fault;
use crate::params::Params;
use crate::people::{Chat, Person};
use crate::record::{Request, SentMessage};
use crate::telegram::{Look, OutOfReach, Setup, Telegram, raw_incoming};
use crate::updates::Update;
use crate::{methods, server};

/// A running Telegram with one bot; it ends when it is dropped.
pub struct Simulator {
    telegram: Arc<Telegram>,
    address: SocketAddr,
    server: JoinHandle<()>,
}

/// A Telegram that is not started yet.
#[derive(Clone, Debug)]
#[must_use = "it is started with start()"]
pub struct Builder {
    setup: Setup,
}

/// What a test waited for did not happen in time, or cannot happen.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[error("waited for {what}: {reason}")]
pub struct NotSeen {
    what: String,
    reason: String,
}

/// Shows the message, because this is what `unwrap` and a test's `Result` print.
impl fmt::Debug for NotSeen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Default for Builder {
    fn default() -> Self {
        let bot = Person::new(123_456_789, "Rollcall").username("rollcall_bot").bot();
        let setup = Setup {
            token: simulated_token(bot.id),
            bot,
            first_update_id: 500_000_001,
            first_message_id: 1,
            every_kind_allowed: false,
            get_me_omits: vec![],
            lacking_methods: vec![],
            strict_chats: true,
            record_limit: 10_000,
            patience: Duration::from_secs(10),
            webhook_retry: Duration::from_millis(50),
        };
        Self { setup }
    }
}

impl Builder {
    /// The bot's id, which also begins its token.
    pub fn bot_id(mut self, id: i64) -> Self {
        self.setup.bot.id = id;
        self.setup.token = simulated_token(id);
        self
    }

    /// The bot's username.
    pub fn bot_username(mut self, username: impl Into<String>) -> Self {
        self.setup.bot.username = Some(username.into());
        self
    }

    /// The bot's token; the bot's id follows from it if it begins with one.
    pub fn token(mut self, token: impl Into<String>) -> Self {
        self.setup.token = token.into();
        let id = self.setup.token.split(':').next().and_then(|id| id.parse().ok());
        self.setup.bot.id = id.unwrap_or(self.setup.bot.id);
        self
    }

    /// The id of the first update, by default 500000001. A second Telegram in one test goes on
    /// where the first one ended with [`Simulator::next_update_id`].
    pub fn first_update_id(mut self, id: i64) -> Self {
        self.setup.first_update_id = id;
        self
    }

    /// The number of the first message, by default 1.
    pub fn first_message_id(mut self, id: i64) -> Self {
        self.setup.first_message_id = id;
        self
    }

    /// As if the bot had asked for every kind of update some time ago, so that a test may push any
    /// kind before the bot starts.
    pub fn every_kind_allowed(mut self) -> Self {
        self.setup.every_kind_allowed = true;
        self
    }

    /// Leaves a field out of getMe's answer, as other servers of the Bot API do with `is_bot`.
    pub fn get_me_without(mut self, field: &str) -> Self {
        self.setup.get_me_omits.push(field.to_owned());
        self
    }

    /// Does not know a method, as other servers of the Bot API do.
    pub fn without_method(mut self, method: &str) -> Self {
        self.setup.lacking_methods.push(method.to_lowercase());
        self
    }

    /// Lets the bot write to people who never wrote to it.
    pub fn every_chat_open(mut self) -> Self {
        self.setup.strict_chats = false;
        self
    }

    /// How many calls and messages are remembered, by default 10000 of each; 0 for load runs.
    pub fn record_limit(mut self, limit: usize) -> Self {
        self.setup.record_limit = limit;
        self
    }

    /// How long the waiting methods wait, by default ten seconds.
    pub fn patience(mut self, patience: Duration) -> Self {
        self.setup.patience = patience;
        self
    }

    /// How long a delivery that the webhook refused waits for its second try, by default 50 ms;
    /// each further wait is twice as long, up to five seconds.
    pub fn webhook_retry(mut self, delay: Duration) -> Self {
        self.setup.webhook_retry = delay;
        self
    }

    /// Starts on a free port of this machine.
    ///
    /// # Errors
    ///
    /// When no port can be bound.
    pub async fn start(self) -> io::Result<Simulator> {
        self.start_on(TcpListener::bind(("127.0.0.1", 0)).await?)
    }

    /// Starts on a port that is bound already; call it inside a tokio runtime.
    ///
    /// # Errors
    ///
    /// When the listener does not know its address.
    pub fn start_on(self, listener: TcpListener) -> io::Result<Simulator> {
        let address = listener.local_addr()?;
        let telegram = Arc::new(Telegram::new(self.setup));
        let server = tokio::spawn(server::serve(listener, Arc::clone(&telegram)));
        Ok(Simulator { telegram, address, server })
    }
}

/// Starting, stopping, and what a bot needs to know.
impl Simulator {
    /// Starts a Telegram as it usually is, on a free port of this machine.
    ///
    /// # Errors
    ///
    /// When no port can be bound.
    pub async fn start() -> io::Result<Self> {
        Self::builder().start().await
    }

    /// A Telegram that differs from the usual one.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// Ends, and waits until every call was answered or cut off.
    pub async fn shutdown(mut self) {
        self.telegram.close();
        if let Err(error) = (&mut self.server).await {
            log::error!("the simulator's server failed: {error}");
        }
    }

    /// The address to give a bot as its Bot API server.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The bot's token.
    pub fn token(&self) -> &str {
        &self.telegram.setup.token
    }

    /// The bot's id.
    pub fn bot_id(&self) -> i64 {
        self.telegram.setup.bot.id
    }

    /// The bot's username, without the `@`.
    pub fn bot_username(&self) -> String {
        self.telegram.bot().username.unwrap_or_default()
    }

    /// The bot's owner gives it another username. Telegram does not announce it.
    pub fn rename_bot(&self, username: &str) {
        self.telegram.rename_bot(username);
    }

    /// Sets Telegram's clock so many seconds ahead of this machine's, or behind it. Messages are dated
    /// by it, and so are answers.
    pub fn set_clock(&self, ahead_s: i64) {
        self.telegram.set_clock(ahead_s);
    }

    /// Makes the token invalid: from now on every call is answered with 401.
    pub fn revoke_token(&self) {
        self.telegram.state().revoked = true;
        self.telegram.changed();
    }

    pub(crate) fn telegram(&self) -> &Arc<Telegram> {
        &self.telegram
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        self.telegram.close();
    }
}

/// What people do.
impl Simulator {
    /// Somebody with a name, language and username that only depend on `id`.
    pub fn person(&self, id: i64) -> Person {
        Person::made_up(id)
    }

    /// Sends an update to the bot and answers its id. An update of a kind that the bot does not
    /// want is not queued, and a wait for its confirmation says so.
    pub fn push(&self, update: impl Into<Update>) -> i64 {
        self.telegram.push(update.into())
    }

    /// Sends any text in the place of an update, also one that is no JSON, and answers its id: the
    /// `update_id` inside if it can be read, else the next one. It is queued whatever its kind, and
    /// Telegram learns nothing from it: it opens no chat.
    pub fn push_raw(&self, json: impl Into<String>) -> i64 {
        self.telegram.enqueue([raw_incoming(json.into())])
    }

    /// A person writes a text to the bot.
    pub fn write(&self, person: &Person, text: &str) -> i64 {
        self.push(Update::text(person, text))
    }

    /// A person presses a button below a message of the bot.
    pub fn press(&self, person: &Person, message: &SentMessage, data: &str) -> i64 {
        let below = message.json.clone();
        // Each press has an id of its own, by which it is answered.
        let id = self.telegram.next_message_id().to_string();
        self.push(Update::callback_query(person, data).with("message", below).with("id", id))
    }

    /// A person blocks the bot: it is told, and cannot write to them any more.
    pub fn block(&self, person: &Person) -> i64 {
        self.push(Update::blocked(person))
    }

    /// A person lets the bot write again, and it is told.
    pub fn unblock(&self, person: &Person) -> i64 {
        self.push(Update::unblocked(person))
    }

    /// A person's account is deleted: nobody is told, and the bot cannot write to them any more.
    pub fn deactivate(&self, person: &Person) {
        self.telegram.state().out_of_reach.insert(person.id, OutOfReach::Deactivated);
        self.telegram.changed();
    }

    /// A person wrote to the bot before this Telegram was started, so the bot may write to them.
    pub fn introduce(&self, person: &Person) {
        self.telegram.introduce(person);
    }

    /// The bot is in this group or channel since before this Telegram was started.
    pub fn introduce_chat(&self, chat: &Chat) {
        self.telegram.state().chats.insert(chat.id, chat.clone());
    }

    /// A topic is closed: the bot cannot write there any more.
    pub fn close_topic(&self, chat: &Chat, thread: i64) {
        self.telegram.state().places.close_topic(chat.id, thread);
    }

    /// A topic is deleted: Telegram knows it no more.
    pub fn delete_topic(&self, chat: &Chat, thread: i64) {
        self.telegram.state().places.delete_topic(chat.id, thread);
    }

    /// A group becomes a supergroup, to which the bot has to write from now on. For the
    /// messages that announce it, push [`Update::migrated`].
    pub fn migrate(&self, group: &Chat, supergroup: &Chat) {
        let mut state = self.telegram.state();
        state.places.migrate(group.id, supergroup.id);
        state.chats.insert(supergroup.id, supergroup.clone());
    }

    /// Tells of everything that people and the bot say to each other from now on.
    pub fn subscribe(&self) -> broadcast::Receiver<Exchange> {
        self.telegram.subscribe()
    }
}

/// What goes wrong.
impl Simulator {
    /// The next call of `method` goes wrong; several faults strike one call each, in this order.
    /// A getUpdates that is waiting for updates is struck at once. The method `*` means any.
    pub fn fail_next(&self, method: &str, fault: Fault) {
        self.telegram.state().faults.add_next(method, fault);
        self.telegram.changed();
    }

    /// Every call of `method` goes wrong until [`clear_faults`](Self::clear_faults); `*` means any.
    pub fn fail_always(&self, method: &str, fault: Fault) {
        self.telegram.state().faults.set_always(method, fault);
        self.telegram.changed();
    }

    /// Nothing goes wrong any more.
    pub fn clear_faults(&self) {
        self.telegram.state().faults.clear();
    }
}

/// What the bot did.
impl Simulator {
    /// The highest offset that the bot has confirmed: updates with smaller ids are gone. 0 at first.
    pub fn confirmed(&self) -> i64 {
        self.telegram.state().queue.confirmed()
    }

    /// Whether the bot has confirmed an update, or its webhook taken it.
    pub fn is_confirmed(&self, update_id: i64) -> bool {
        self.telegram.state().queue.is_done(update_id)
    }

    /// Whether an update is on its way to the webhook just now.
    pub fn is_under_way(&self, update_id: i64) -> bool {
        self.telegram.state().queue.is_under_way(update_id)
    }

    /// Whether the bot has been given an update by getUpdates, confirmed or not.
    pub fn is_given(&self, update_id: i64) -> bool {
        self.telegram.state().queue.is_given(update_id)
    }

    /// How many updates the bot has been given by getUpdates, those that came again included.
    pub fn given(&self) -> u64 {
        self.telegram.state().queue.given_in_all()
    }

    /// How many updates wait for the bot.
    pub fn pending(&self) -> usize {
        self.telegram.state().queue.len()
    }

    /// The id of the next update.
    pub fn next_update_id(&self) -> i64 {
        self.telegram.state().queue.next_id()
    }

    /// The ids of the updates that a webhook took, in the order in which it did.
    pub fn delivered(&self) -> Vec<i64> {
        self.telegram.state().queue.delivered()
    }

    /// Every call of the bot that is remembered, oldest first.
    pub fn requests(&self) -> Vec<Request> {
        self.telegram.state().requests(|_| true)
    }

    /// Every call of one method that is remembered, oldest first.
    pub fn requests_to(&self, method: &str) -> Vec<Request> {
        self.telegram.state().requests(|request| request.method.eq_ignore_ascii_case(method))
    }

    /// How often a method was called, whether the calls are remembered or not.
    pub fn calls(&self, method: &str) -> u64 {
        self.telegram.state().calls(method)
    }

    /// Forgets the calls so far; messages and counts stay.
    pub fn forget_requests(&self) {
        self.telegram.state().forget_requests();
    }

    /// The messages in a chat that came from the bot, as they are now, oldest first.
    pub fn messages_to(&self, chat_id: i64) -> Vec<SentMessage> {
        let state = self.telegram.state();
        state.messages.iter().filter(|message| message.chat_id == chat_id).cloned().collect()
    }

    /// The texts of [`messages_to`](Self::messages_to).
    pub fn texts_to(&self, chat_id: i64) -> Vec<String> {
        self.messages_to(chat_id).into_iter().map(|message| message.text).collect()
    }

    /// The list of commands, with their descriptions, that the bot shows to everybody.
    pub fn commands(&self) -> Vec<(String, String)> {
        let everybody = methods::command_scope(&Params::default());
        let commands = self.telegram.state().commands.get(&everybody).cloned().unwrap_or_default();
        let text = |command: &Value, field| {
            command.get(field).and_then(Value::as_str).unwrap_or_default().to_owned()
        };
        let commands = commands.as_array().cloned().unwrap_or_default();
        commands.iter().map(|c| (text(c, "command"), text(c, "description"))).collect()
    }
}

/// Waiting for what the bot does, without sleeping. Each gives up after the builder's
/// [`patience`](Builder::patience), with an error that says what was there instead.
impl Simulator {
    /// Waits until `found` finds something; it is asked again after every change.
    ///
    /// # Errors
    ///
    /// When patience is over.
    pub async fn wait_for<T>(
        &self,
        what: &str,
        mut found: impl FnMut(&Self) -> Option<T>,
    ) -> Result<T, NotSeen> {
        let mut changes = self.telegram.watch();
        let look = async {
            loop {
                if let Some(found) = found(self) {
                    return found;
                }
                if changes.changed().await.is_err() {
                    std::future::pending::<()>().await;
                }
            }
        };
        let patience = self.telegram.setup.patience;
        tokio::time::timeout(patience, look).await.map_err(|_| {
            let reason = format!("not within {} s: {}", patience.as_secs_f32(), self.so_far());
            NotSeen { what: what.to_owned(), reason }
        })
    }

    /// Waits until the bot has confirmed this update, or its webhook taken it.
    ///
    /// # Errors
    ///
    /// When patience is over, and at once for an update of a kind that the bot does not want.
    pub async fn wait_until_confirmed(&self, update_id: i64) -> Result<(), NotSeen> {
        let look = self.telegram.wait(|state| match state.queue.refused(update_id) {
            _ if state.queue.is_done(update_id) => Look::Found(()),
            Some(kind) => Look::Never(format!(
                "it was never queued, because the bot's allowed_updates leave {kind} out"
            )),
            None => Look::NotYet(format!(
                "{} are pending and the bot has confirmed up to {}",
                state.queue.len(),
                state.queue.confirmed(),
            )),
        });
        look.await.map_err(|reason| NotSeen { what: format!("update {update_id}"), reason })
    }

    /// Waits until no update is pending.
    ///
    /// # Errors
    ///
    /// When patience is over.
    pub async fn wait_until_drained(&self) -> Result<(), NotSeen> {
        self.wait_for("no pending updates", |sim| (sim.pending() == 0).then_some(())).await
    }

    /// Waits until a getUpdates of the bot is waiting for updates: the bot is up, and has done
    /// with those it got before.
    ///
    /// # Errors
    ///
    /// When patience is over.
    pub async fn wait_until_polled(&self) -> Result<(), NotSeen> {
        let is_polled = |sim: &Self| sim.telegram.state().is_polled().then_some(());
        self.wait_for("a getUpdates that waits", is_polled).await
    }

    /// Waits for the next message to this chat: the first one that no earlier wait has answered.
    ///
    /// # Errors
    ///
    /// When patience is over.
    pub async fn wait_for_message(&self, chat_id: i64) -> Result<SentMessage, NotSeen> {
        let look = self.telegram.wait(|state| match state.next_unseen(chat_id) {
            Some(message) => Look::Found(message),
            None => Look::NotYet(format!(
                "the bot sent {} messages, none of them new and to this chat; {} updates are pending",
                state.calls("sendMessage"),
                state.queue.len(),
            )),
        });
        look.await.map_err(|reason| NotSeen { what: format!("a message to {chat_id}"), reason })
    }

    /// Waits until the bot has changed this message since it looked like this.
    ///
    /// # Errors
    ///
    /// When patience is over.
    pub async fn wait_for_edit(&self, message: &SentMessage) -> Result<SentMessage, NotSeen> {
        let (chat_id, message_id) = (message.chat_id, message.message_id);
        let look = self.telegram.wait(|state| match state.message(chat_id, message_id) {
            Some(now) if now.edits > message.edits => Look::Found(now.clone()),
            _ => Look::NotYet(format!(
                "the bot called editMessageText {} times in all",
                state.calls("editMessageText"),
            )),
        });
        let what = || format!("an edit of message {message_id} to {chat_id}");
        look.await.map_err(|reason| NotSeen { what: what(), reason })
    }

    /// Waits until a method was called `count` times in all, and answers the remembered calls.
    ///
    /// # Errors
    ///
    /// When patience is over.
    pub async fn wait_for_requests(
        &self,
        method: &str,
        count: u64,
    ) -> Result<Vec<Request>, NotSeen> {
        let look = self.telegram.wait(|state| match state.calls(method) {
            calls if calls >= count => {
                Look::Found(state.requests(|request| request.method.eq_ignore_ascii_case(method)))
            }
            calls => Look::NotYet(format!("it was called {calls} times")),
        });
        look.await.map_err(|reason| NotSeen { what: format!("{count} calls of {method}"), reason })
    }

    fn so_far(&self) -> String {
        let last = self.requests().into_iter().rev().take(3).map(|request| request.method);
        let last: Vec<String> = last.collect();
        format!("{} updates are pending, the last calls were {last:?}", self.pending())
    }
}

fn simulated_token(bot_id: i64) -> String {
    format!("{bot_id}:SIMULATED-0123456789abcdefghijklmno")
}
