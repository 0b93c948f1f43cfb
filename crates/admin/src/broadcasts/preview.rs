//! A message as a real user of the audience gets it.

use std::time::Duration;

use rollcall_domain::{BroadcastPlan, TelegramUser, Variable};
use rollcall_service::{BroadcastError, Message};
use tokio::time::timeout;

use super::{find::refusal, message::Bubbles};
use crate::{App, page::Failure};

/// How long the page waits for an example.
const PATIENCE: Duration = Duration::from_secs(5);

/// A message as a real user gets it, and with its variables.
pub(super) struct Preview {
    /// For which user; `None` if the audience has none.
    pub(super) user: Option<Example>,
    /// The message with its variables, in all languages: instead of a user, and where there are several.
    pub(super) all: Option<Bubbles>,
}

/// A user as an example.
pub(super) struct Example {
    pub(super) user: TelegramUser,
    pub(super) bubbles: Bubbles,
    /// The variables without a value and a fallback.
    unfilled: Vec<Variable>,
}

impl Example {
    /// The unfilled variables, as they are written.
    pub(super) fn unfilled(&self) -> String {
        let names: Vec<_> = self.unfilled.iter().map(|it| format!("{{{}}}", it.name())).collect();
        names.join(", ")
    }
}

impl Preview {
    /// The preview of a plan, whose content is right.
    pub(super) async fn of(app: &App, plan: &BroadcastPlan) -> Result<Self, Failure> {
        let example = match timeout(PATIENCE, app.broadcasts.example(plan)).await {
            Ok(Ok(user)) => user,
            Ok(Err(BroadcastError::Audience(_))) | Err(_) => None,
            Ok(Err(error)) => return Err(refusal(error)),
        };
        let Ok(message) = Message::new(&plan.content) else {
            return Ok(Self { user: None, all: None });
        };
        let user = example.and_then(|user| {
            let text = message.text_for(&user)?;
            let Message::Text { buttons, picture, .. } = &message else { return None };
            let bubbles = Bubbles::for_user(&text, buttons, picture.as_ref(), &app.base);
            Some(Example { bubbles, unfilled: text.unfilled(), user })
        });
        let all =
            Bubbles::of(&plan.content, &app.base).filter(|all| user.is_none() || all.are_several());
        Ok(Self { user, all })
    }
}
