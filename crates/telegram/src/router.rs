//! Commands and buttons of a bot, each answered by a function of its author.

mod context;
mod reply;

use std::{collections::BTreeMap, error::Error, sync::Arc};

use async_trait::async_trait;
use futures_util::future::BoxFuture;
use rollcall_domain::{Registration, error_chain};
use rollcall_service::UserService;

pub use context::Context;
pub use reply::Reply;

use crate::{
    bot::Bot,
    handler::{Handler, Request},
};
use context::Exchange;

/// Why a function of a bot failed. It is logged, so it must not contain what users wrote.
pub type HandlerError = Box<dyn Error + Send + Sync>;

/// Which function answers which command, button or text.
///
/// The user of each request is registered before the function is called. Requests of one chat are
/// answered in order, those of different chats at once. A function that fails is logged and not called
/// again.
///
/// ```no_run
/// use rollcall_telegram::{Context, HandlerError, Reply, Router};
///
/// async fn start(cx: Context) -> Result<(), HandlerError> {
///     let greeting = if cx.is_new() { "Welcome" } else { "Welcome back" };
///     cx.reply(Reply::text(greeting).button("Vote", "vote:yes")).await?;
///     Ok(())
/// }
///
/// async fn vote(cx: Context) -> Result<(), HandlerError> {
///     cx.edit(format!("You voted {}.", cx.argument())).await?;
///     Ok(())
/// }
///
/// let router = Router::new().command("start", start).callback("vote:", vote);
/// ```
#[derive(Clone, Default)]
pub struct Router {
    names: Vec<&'static str>,
    commands: BTreeMap<&'static str, Answer>,
    callbacks: BTreeMap<&'static str, Answer>,
    text: Option<Answer>,
}

/// A function of the bot's author.
type Answer =
    Arc<dyn Fn(Context) -> BoxFuture<'static, Result<(), HandlerError>> + Send + Sync + 'static>;

impl Router {
    /// A bot that answers nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Has `answer` answer the command `name`, such as `start`. If the command is named twice, the last
    /// function answers it.
    #[must_use]
    pub fn command<F, R, E>(mut self, name: &'static str, answer: F) -> Self
    where
        F: Fn(Context) -> R + Send + Sync + 'static,
        R: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<HandlerError>,
    {
        let name = name.trim_start_matches('/');
        self.commands.insert(name, boxed(answer));
        self.names = self.commands.keys().copied().collect();
        self
    }

    /// Has `answer` answer the buttons whose data begins with `prefix`, such as `vote:`. If several
    /// prefixes fit, the longest one decides. In the statistics, a button has the name of its prefix
    /// without the punctuation at the end. Users can forge data, so the rest of it is input.
    #[must_use]
    pub fn callback<F, R, E>(mut self, prefix: &'static str, answer: F) -> Self
    where
        F: Fn(Context) -> R + Send + Sync + 'static,
        R: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<HandlerError>,
    {
        self.callbacks.insert(prefix, boxed(answer));
        self
    }

    /// Has `answer` answer each new text that is not one of the commands.
    #[must_use]
    pub fn text<F, R, E>(mut self, answer: F) -> Self
    where
        F: Fn(Context) -> R + Send + Sync + 'static,
        R: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<HandlerError>,
    {
        self.text = Some(boxed(answer));
        self
    }

    /// The handler for [`Bot::poll`] or [`Bot::receiver`]. `users` should be the service that registers
    /// the users: users who can no longer be reached are marked there.
    pub fn handler(self, bot: &Bot, users: UserService) -> Arc<dyn Handler> {
        Arc::new(Routed { router: self, exchange: Exchange::new(bot, users) })
    }

    /// The function that answers a request, and the argument that it gets.
    fn route<'r>(&self, request: &'r Request) -> Option<(&Answer, &'r str)> {
        match request {
            Request::Command(message) => {
                let answer = self.commands.get(message.command.name)?;
                Some((answer, &message.command.argument))
            }
            Request::ButtonPress(press) => {
                let data = press.data.as_deref()?;
                let (prefix, answer) = self.callback_of(data)?;
                Some((answer, data.get(prefix.len()..).unwrap_or_default()))
            }
            Request::Text(message) => Some((self.text.as_ref()?, &message.text)),
            Request::Message(_) => None,
        }
    }

    /// The longest prefix of the data, and its function.
    fn callback_of(&self, data: &str) -> Option<(&'static str, &Answer)> {
        let fitting = self.callbacks.iter().filter(|(prefix, _)| data.starts_with(**prefix));
        let (prefix, answer) = fitting.max_by_key(|(prefix, _)| prefix.len())?;
        Some((prefix, answer))
    }
}

fn boxed<F, R, E>(answer: F) -> Answer
where
    F: Fn(Context) -> R + Send + Sync + 'static,
    R: Future<Output = Result<(), E>> + Send + 'static,
    E: Into<HandlerError>,
{
    Arc::new(move |context| {
        let answered = answer(context);
        Box::pin(async move { answered.await.map_err(Into::into) })
    })
}

/// A router of a bot.
struct Routed {
    router: Router,
    exchange: Exchange,
}

#[async_trait]
impl Handler for Routed {
    fn commands(&self) -> &[&'static str] {
        &self.router.names
    }

    fn button_family(&self, data: &str) -> Option<&'static str> {
        let (prefix, _) = self.router.callback_of(data)?;
        let family = prefix.trim_end_matches(|c: char| !c.is_alphanumeric());
        (!family.is_empty()).then_some(family)
    }

    fn wants(&self, _text: &str) -> bool {
        self.router.text.is_some()
    }

    async fn handle(&self, request: Request, registration: Registration) {
        let routed = self.router.route(&request);
        let argument = routed.map(|(_, argument)| argument.to_owned()).unwrap_or_default();
        let answer = routed.map(|(answer, _)| Arc::clone(answer));
        let context = Context::new(self.exchange.clone(), request, registration, argument);
        if let Some(answer) = answer
            && let Err(error) = answer(context.clone()).await
        {
            log::warn!(error = error_chain(&*error); "a request was not answered");
        }
        context.finish().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ButtonPress, Command, CommandMessage, Destination};
    use rollcall_domain::{Chat, ChatKind};

    async fn nothing(_: Context) -> Result<(), HandlerError> {
        Ok(())
    }

    fn press(data: &str) -> Request {
        Request::ButtonPress(ButtonPress {
            id: "1".to_owned(),
            data: Some(data.to_owned()),
            message: None,
            text: None,
            buttons: None,
        })
    }

    #[test]
    fn the_longest_prefix_decides_and_the_rest_of_the_data_is_the_argument() {
        let router = Router::new().callback("vote:", nothing).callback("vote:no:", nothing);
        let argument = |data| router.route(&press(data)).map(|(_, argument)| argument.to_owned());
        assert_eq!(argument("vote:yes").as_deref(), Some("yes"));
        assert_eq!(argument("vote:no:3").as_deref(), Some("3"));
        assert_eq!(argument("vote:").as_deref(), Some(""));
        assert_eq!(argument("vote"), None);
        assert_eq!(argument("settings:"), None);
    }

    #[test]
    fn a_command_is_found_with_and_without_its_slash() {
        let router = Router::new().command("/start", nothing).command("help", nothing);
        assert_eq!(router.names, ["help", "start"]);
        let chat = Chat { id: 5, kind: ChatKind::Private };
        let from = Destination { chat_id: 5, topic: None };
        let command = Command { name: "start", argument: "ad".to_owned() };
        let request = Request::Command(CommandMessage { command, chat, from });
        assert_eq!(router.route(&request).map(|(_, argument)| argument), Some("ad"));
    }
}
