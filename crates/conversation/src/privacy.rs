//! What users can do with their data: `/mydata` and `/deletemydata`.

use rollcall_domain::error_chain;
use rollcall_service::{CopyRequest, ServiceError};
use rollcall_telegram::MessagePlace;

use crate::{
    action::Action,
    audience::Audience,
    conversation::{Asker, Conversation},
    data_action::DataAction,
    locale::Locale,
    outcome::Outcome,
    reply::{Button, File, Screen, edit},
};

/// The most bytes of a copy that is sent. Telegram takes files of 50 MB from bots.
const MOST_BYTES: usize = 20 << 20;

/// A question with a button that goes on, and one that deletes nothing.
fn question(locale: &Locale, key: &str, go_on: (&str, DataAction)) -> Screen {
    let button = |(key, action)| Button { label: locale.text(key), action: Action::Data(action) };
    Screen {
        text: locale.text(key),
        buttons: vec![vec![button(go_on)], vec![button(("button-keep-data", DataAction::Keep))]],
        ..Screen::default()
    }
}

impl Conversation {
    /// A copy of everything that is stored about the user, as a file.
    pub(crate) async fn my_data(
        &self,
        audience: Audience,
        asker: &Asker,
    ) -> Result<Screen, ServiceError> {
        let locale = asker.locale();
        if !audience.is_private() {
            return Ok(locale.text("mydata-private").into());
        }
        let request = match self.privacy.request_copy(asker.id).await? {
            CopyRequest::Granted(request) => request,
            CopyRequest::TooSoon { minutes } => {
                return Ok(locale.format("mydata-again", &[("count", minutes.into())]).into());
            }
        };
        let Some(content) = self.privacy.data().copy(asker.id).within(MOST_BYTES).await? else {
            return Ok(locale.text("mydata-large").into());
        };
        let file = File { name: "mydata.json", content, request };
        Ok(Screen { text: locale.text("mydata-file"), file: Some(file), ..Screen::default() })
    }

    /// Notes that a copy has arrived.
    pub(crate) async fn note_delivered(&self, answer: &Screen) {
        let Some(file) = &answer.file else { return };
        if let Err(error) = self.privacy.copy_delivered(file.request).await {
            log::warn!(error = error_chain(&error); "a copy was sent, but its request stays open");
        }
    }

    /// Asks whether the user's data is to be deleted.
    pub(crate) fn ask_to_delete(&self, audience: Audience, locale: &Locale) -> Screen {
        match audience {
            Audience::Group => locale.text("deletemydata-private").into(),
            Audience::Owner => locale.text("deletemydata-owner").into(),
            Audience::Sender => {
                question(locale, "deletemydata-question", ("button-delete-data", DataAction::Ask))
            }
        }
    }

    /// The effect of a button below that question.
    pub(crate) async fn press_of_data(
        &self,
        action: DataAction,
        audience: Audience,
        place: MessagePlace,
        asker: &Asker,
    ) -> Outcome {
        let locale = asker.locale();
        match action {
            _ if audience == Audience::Owner => self.ask_to_delete(audience, locale).into(),
            DataAction::Ask => {
                question(locale, "deletemydata-sure", ("button-delete-now", DataAction::Delete))
                    .into()
            }
            DataAction::Keep => Screen::from(locale.text("deletemydata-kept")).into(),
            DataAction::Delete => self.delete_data(place, asker).await,
        }
    }

    /// Deletes the data. The user is informed first, because afterwards nothing is known of them.
    async fn delete_data(&self, place: MessagePlace, asker: &Asker) -> Outcome {
        let locale = asker.locale();
        let done = Screen::from(locale.text("deletemydata-done"));
        if let Err(error) = edit(&self.outbox, place, &done).await {
            log::info!(error = error_chain(&error); "could not confirm an erasure; it goes on");
        }
        match self.privacy.erase(asker.id).await {
            Ok(()) => Outcome::default(),
            Err(error) => {
                log::error!(error = error_chain(&error); "could not erase a user who asked for it");
                Screen::from(locale.text("deletemydata-failed")).into()
            }
        }
    }
}
