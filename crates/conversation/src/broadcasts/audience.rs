//! Choosing the users of a new broadcast: `/broadcast`, with a filter or with buttons.

use std::time::Duration;

use rollcall_domain::{Counted, Filter, Selection, Term, UserSort};
use rollcall_service::{AudienceError, CountedSegment, ServiceError};

use super::{action::BroadcastAction, words};
use crate::{
    action::Action,
    conversation::{Asker, Conversation},
    locale::Locale,
    reply::{Button, Screen},
    schedule::pages,
    selected_users::refused,
};

/// How many segments there are on a page and in a row.
const A_PAGE: usize = 10;
const A_ROW: usize = 2;
/// How long an exact count may take. If it takes longer, an estimate is shown.
const PATIENCE: Duration = Duration::from_secs(3);

impl Conversation {
    /// Asks for the message of a broadcast to the users of a filter, or for the users if there is none.
    pub(crate) async fn broadcast(
        &self,
        filter: &str,
        asker: &Asker,
    ) -> Result<Screen, ServiceError> {
        self.composing.take(asker.id).await?;
        if filter.is_empty() {
            return self.audiences(0, asker.locale()).await;
        }
        match filter.parse::<Filter>() {
            Ok(filter) => self.ask_for_message(filter, asker).await,
            Err(error) => {
                let picture = error.picture(filter);
                Ok(refused(asker.locale(), words::COMMAND, &error.to_string(), Some(&picture)))
            }
        }
    }

    /// A page of the users to choose from, counted from 0.
    pub(super) async fn audiences(
        &self,
        page: u32,
        locale: &Locale,
    ) -> Result<Screen, ServiceError> {
        Ok(audiences(locale, &self.segments.list().await?, page))
    }

    /// Waits for the message to the users of a filter, if the bot can write to any of them.
    pub(super) async fn ask_for_message(
        &self,
        filter: Filter,
        asker: &Asker,
    ) -> Result<Screen, ServiceError> {
        let locale = asker.locale();
        let zone = self.zone_of(&filter, asker.preferences.zone()).await?;
        let number = match self.reachable(&filter, zone).await {
            Ok(number) => number,
            Err(AudienceError::Service(error)) => return Err(error),
            Err(error) => return Ok(refused(locale, words::COMMAND, &error.to_string(), None)),
        };
        if number == Counted::Exactly(0) {
            return Ok(locale.text("broadcast-nobody").into());
        }
        self.composing.wait_for_message(asker.id, filter.clone(), zone).await?;
        let stop = words::button(locale, "button-cancel", BroadcastAction::StopWaiting);
        let arguments = [
            ("users", words::users(locale, &filter).into()),
            ("number", words::number(locale, number).into()),
        ];
        let text = locale.format("broadcast-send-message", &arguments);
        Ok(Screen { text, buttons: vec![vec![stop]], ..Screen::default() })
    }

    /// How many users of a filter the bot can write to: exactly, unless counting takes long.
    pub(super) async fn reachable(
        &self,
        filter: &Filter,
        zone: chrono_tz::Tz,
    ) -> Result<Counted, AudienceError> {
        let filter = filter.clone().without_bots().and(Filter::with(Term::Reachable));
        let selection: Selection = self.selected.selection(&filter, zone).await?;
        if let Some(exactly) = self.selected.count_within(PATIENCE, &selection).await? {
            return Ok(Counted::Exactly(exactly));
        }
        Ok(self.selected.users(&selection, UserSort::default(), None, 1).await?.count)
    }
}

fn audiences(locale: &Locale, segments: &[CountedSegment], page: u32) -> Screen {
    let segment = |it: &CountedSegment| Button {
        label: it.segment.name.to_string(),
        action: Action::Broadcast(BroadcastAction::Segment(it.segment.name.clone())),
    };
    let turn = |page| Action::Broadcast(BroadcastAction::Audiences { page });
    let mut buttons =
        vec![vec![words::button(locale, "button-everyone", BroadcastAction::Everyone)]];
    buttons.extend(pages(segments, page, (A_PAGE, A_ROW), segment, turn));
    Screen { text: locale.text("broadcast-audience"), buttons, ..Screen::default() }
}
