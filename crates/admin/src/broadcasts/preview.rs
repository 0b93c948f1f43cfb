//! A message as a real user of the audience gets it.

use std::time::Duration;

use rollcall_domain::{BroadcastPlan, TelegramUser, Variable, Variant};
use rollcall_service::{BroadcastError, Message};
use tokio::time::timeout;

use super::{find::refusal, message::Bubbles};
use crate::{App, page::Failure};

/// How long the page waits for an example.
const PATIENCE: Duration = Duration::from_secs(5);

/// A message as a real user gets it, and with its variables.
pub(super) struct Preview {
    /// For which user; `None` if the audience has none.
    pub(super) user: Option<TelegramUser>,
    /// Each variant.
    pub(super) variants: Vec<VariantPreview>,
}

/// One of the messages.
pub(super) struct VariantPreview {
    /// Its letter; `None` if it is the only one.
    pub(super) letter: Option<Variant>,
    /// As the user gets it.
    pub(super) bubbles: Option<Bubbles>,
    /// The message with its variables, in all languages: instead of a user, and where there are several.
    pub(super) all: Option<Bubbles>,
    /// The variables without a value and a fallback.
    unfilled: Vec<Variable>,
}

impl VariantPreview {
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
        let variant = |variant: Variant| {
            let content = plan.content_of(variant);
            let message = Message::new(content).ok();
            let shown = example.as_ref().zip(message.as_ref()).and_then(|(user, message)| {
                let text = message.text_for(user)?;
                let Message::Text { buttons, picture, .. } = message else { return None };
                let bubbles = Bubbles::for_user(&text, buttons, picture.as_ref(), &app.base);
                Some((bubbles, text.unfilled()))
            });
            let all = Bubbles::of(content, &app.base);
            let all = all.filter(|all| shown.is_none() || all.are_several());
            let (bubbles, unfilled) = shown.unzip();
            let letter = plan.experiment.has_variants().then_some(variant);
            VariantPreview { letter, bubbles, all, unfilled: unfilled.unwrap_or_default() }
        };
        let variants = plan.experiment.variants().map(variant).collect();
        Ok(Self { variants, user: example })
    }
}
