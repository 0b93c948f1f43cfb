//! `manage broadcast preview`.

use std::{io::Write, str::FromStr};

use anyhow::{Context, bail};
use clap::Args;
use rollcall_domain::{
    Broadcast, BroadcastContent, Element, LinkPart, Part, Picture, TelegramId, TelegramUser,
    UserText, Variable, Variant,
};
use rollcall_service::{AudienceSize, BothWays, BroadcastError, Message, StoredPicture};
use serde_json::{Value, json};

use super::{
    audience::{audience, index_names_of, left_out_as_json, opt_out_button},
    forecast::{both_ways, forecast_as_json, lines},
    number::{Number, title},
    variants::content_of,
};
use crate::{
    environment::Environment,
    manage::output::{print_json, safe, stdout},
    services::Services,
};

#[derive(Args, Debug)]
pub struct Preview {
    #[command(flatten)]
    number: Number,
    /// Which variant, such as B
    #[arg(long, value_name = "VARIANT", default_value = "A", value_parser = Variant::from_str)]
    variant: Variant,
    /// Show it as this user would get it, instead of one of its users
    #[arg(long, value_name = "TELEGRAM_ID")]
    user: Option<TelegramId>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Preview {
    pub(super) async fn run(
        self,
        services: &Services,
        environment: &Environment,
    ) -> anyhow::Result<()> {
        let broadcasts = services.broadcasts();
        let broadcast = broadcasts.find(self.number.id).await?;
        index_names_of(services, &broadcast.plan).await?;
        let user = match self.user {
            Some(id) => services
                .users()
                .get_user_by_telegram_id(id)
                .await?
                .with_context(|| format!("there is no user with the id {id}"))?,
            None => match broadcasts.example(&broadcast.plan).await? {
                Some(user) => user,
                None => bail!(BroadcastError::Nobody(broadcast.plan.filter.to_string())),
            },
        };
        let size = broadcasts.size(&broadcast.plan).await?;
        let message = Message::new(content_of(&broadcast, self.variant)?)?;
        let picture = match message.picture().and_then(Picture::stored) {
            Some(id) => broadcasts.pictures().find(id).await?,
            None => None,
        };
        let shown = Shown {
            message,
            picture,
            both: both_ways(size.messages, &broadcast.plan, environment)?,
            opt_out: opt_out_button(services, &broadcast.plan, &user)
                .await?
                .map(|button| rollcall_conversation::opt_out_button(&button).text),
            broadcast,
            variant: self.variant,
            user,
            size,
        };
        if self.json { print_json(&shown.as_json()) } else { shown.print() }
    }
}

/// A preview.
struct Shown {
    broadcast: Broadcast,
    variant: Variant,
    message: Message,
    /// Its picture, if it was uploaded and is stored.
    picture: Option<StoredPicture>,
    /// The text on the opt-out button.
    opt_out: Option<String>,
    user: TelegramUser,
    size: AudienceSize,
    both: BothWays,
}

impl Shown {
    fn print(&self) -> anyhow::Result<()> {
        let mut out = stdout();
        let plan = &self.broadcast.plan;
        writeln!(out, "Preview of {}, category {}", title(&self.broadcast), plan.category)?;
        for line in audience(self.size).into_iter().chain(lines(plan, self.both)) {
            writeln!(out, "{line}")?;
        }
        let user = &self.user;
        writeln!(out, "\n{} ({}) gets:\n", user.shown_name(), user.telegram_id)?;
        match (self.message.text_for(user), &self.message) {
            (Some(text), Message::Text { buttons, picture, .. }) => {
                if let Some(picture) = picture {
                    let what = match (picture, &self.picture) {
                        (Picture::FileId(_), _) => "picture by file_id".to_owned(),
                        (Picture::Stored(_), Some(stored)) => {
                            format!("picture: {stored}")
                        }
                        (Picture::Stored(_), None) => {
                            "picture that is not stored any more".to_owned()
                        }
                    };
                    writeln!(out, "  [ {what}; `{}` shows it ]\n", self.test_command())?;
                }
                for line in readable(&text).lines() {
                    writeln!(out, "{}", format!("  {}", safe(line)).trim_end())?;
                }
                if !buttons.is_empty() || self.opt_out.is_some() {
                    writeln!(out)?;
                }
                for row in buttons.rows() {
                    let row = row.iter().map(|button| {
                        format!(
                            "[ {} ] {}",
                            safe(button.text()),
                            safe(&button.target().to_string())
                        )
                    });
                    writeln!(out, "  {}", row.collect::<Vec<_>>().join("   "))?;
                }
                if let Some(text) = &self.opt_out {
                    writeln!(out, "  [ {} ] opts out of {}", safe(text), plan.category)?;
                }
                if let Some(line) = unfilled(&text) {
                    writeln!(out, "\n{line}")?;
                }
            }
            _ => writeln!(
                out,
                "  A copy of a message in Telegram. `{}` sends it to you.",
                self.test_command()
            )?,
        }
        Ok(())
    }

    /// The command that sends it.
    fn test_command(&self) -> String {
        let test = format!("manage broadcast test {}", self.broadcast.id);
        match self.broadcast.plan.experiment.has_variants() {
            true => format!("{test} --variant {}", self.variant),
            false => test,
        }
    }

    fn as_json(&self) -> Value {
        let text = self.message.text_for(&self.user);
        let buttons = match &self.message {
            Message::Text { buttons, .. } => buttons.rows(),
            Message::Copy { .. } => &[],
        };
        let button = |it: &rollcall_domain::Button| json!({ "text": it.text(), "target": it.target().to_string() });
        let buttons: Vec<Vec<Value>> =
            buttons.iter().map(|row| row.iter().map(button).collect()).collect();
        let unfilled = text.as_ref().map(UserText::unfilled).unwrap_or_default();
        let picture = self.message.picture();
        json!({
            "id": self.broadcast.id,
            "user": self.user.telegram_id.get(),
            "is_copy": matches!(self.broadcast.plan.content, BroadcastContent::Copy { .. }),
            "text": text.as_ref().map(UserText::plain),
            "html": text.as_ref().map(UserText::html),
            "unfilled": unfilled.into_iter().map(Variable::name).collect::<Vec<_>>(),
            "buttons": buttons,
            "picture_id": picture.and_then(Picture::file_id),
            "stored_picture": picture.and_then(Picture::stored).map(|id| id.to_string()),
            "opt_out_button": self.opt_out,
            "users": self.size.selected(),
            "left_out": left_out_as_json(self.size),
            "messages": self.size.messages,
            "forecast": forecast_as_json(self.both.chosen(self.broadcast.plan.is_paid)),
            "unpaid": forecast_as_json(self.both.unpaid),
            "paid": forecast_as_json(self.both.paid),
            "waits_for_local_times": !self.broadcast.plan.times.are_any(),
        })
    }
}

/// A text for a terminal: as Telegram shows it, with the addresses of links, and the names of unfilled
/// variables.
fn readable(text: &UserText) -> String {
    let mut shown = String::new();
    let mut addresses = Vec::new();
    for part in text.parts() {
        match part {
            Part::Text(text) => shown += text,
            Part::Variable(placeholder) => shown += &mark(placeholder.variable),
            Part::Open(element) => addresses.push(match element {
                Element::Link(link) => Some(link.parts().iter().map(address).collect::<String>()),
                _ => None,
            }),
            Part::Close => {
                if let Some(address) = addresses.pop().flatten() {
                    shown += &format!(" <{address}>");
                }
            }
        }
    }
    shown
}

fn address(part: &LinkPart) -> String {
    match part {
        LinkPart::Text(text) => text.clone(),
        LinkPart::Variable(placeholder) => mark(placeholder.variable),
    }
}

/// What stands for an unfilled variable.
fn mark(variable: Variable) -> String {
    format!("{{{}?}}", variable.name())
}

/// Which variables are unfilled, and what helps.
fn unfilled(text: &UserText) -> Option<String> {
    let unfilled = text.unfilled();
    let first = unfilled.first()?.name();
    let marks: Vec<String> = unfilled.iter().map(|it| mark(*it)).collect();
    Some(format!(
        "This user has no value for {}, so nothing stands there. A fallback does, such as {{{first}|friend}}.",
        marks.join(", ")
    ))
}
