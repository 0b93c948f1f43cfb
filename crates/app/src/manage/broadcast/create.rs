//! `manage broadcast create`.

use std::{
    collections::BTreeMap,
    io::Write,
    path::{Path, PathBuf},
    str::FromStr,
};

use chrono::TimeDelta;
use chrono_tz::Tz;
use clap::Args;
use rollcall_domain::{
    BroadcastContent, BroadcastPlan, Filter, LabelName, MAX_BROADCAST_NAME_CHARS, OnUnknown,
    Picture, QuietHours,
};
use rollcall_service::{BroadcastError, ExperimentError, PAID_RATE};
use serde_json::json;

use super::{
    picture::store_picture,
    text_file::read_file,
    time::{WrittenTime, read_span, read_time},
    times::{planned, times},
    variants::Variants,
};
use crate::{
    WrongUsage,
    manage::{
        filter::{read_filter, read_zone},
        labels::read_name,
        output::{print_json, safe, stdout},
    },
    services::Services,
    values::{OneOf, whole},
};

const ON_OR_OFF: [(&str, bool); 2] = [("on", true), ("off", false)];
const POLICIES: [(&str, OnUnknown); 2] = [("skip", OnUnknown::Skip), ("resend", OnUnknown::Resend)];

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  manage broadcast create --name Opening --filter 'lang:de reachable' \\
    --text 'Hello {first_name|friend}, <b>we are open!</b>' --button 'Shop = https://example.org'
  manage broadcast create --name Opening --filter '' --text-file en.html --text-file-for de=de.html
  manage broadcast create --name Advent --filter segment:regulars --category promo \\
    --at '2026-12-01 18:00' --zone Europe/Berlin --text-file advent.html
  manage broadcast create --name Evening --filter '' --at '2026-12-01 18:00' --local \\
    --zone Europe/Berlin --quiet-hours 22:00-08:00 --text 'Good evening!'
  manage broadcast create --name Sale --filter '' --picture sale.jpg --text '<b>Today only</b>'
  manage broadcast create --name Sale --filter '' --category promo --text 'Sale!' --variant 'B=20% off!' \
    --button 'Shop = /start shop' --test-part 20% --winner presses --after 4h
  ID=$(manage broadcast create --name X --filter tag:test --text Hi) && manage broadcast start $ID

Nobody gets a broadcast twice. If a crash leaves unknown whether a message arrived, the user is left out; \
with --on-unknown resend the message is sent again, and may arrive twice. docs/broadcasts.md has the \
markup, the variables and the promises.")]
pub struct Create {
    /// What you call it; only admins see it
    #[arg(long)]
    name: String,
    /// Users that get it, such as 'lang:de reachable seen<14d'; '' for everyone. Bots are left out.
    /// See docs/filters.md
    #[arg(long, value_name = "FILTER", allow_hyphen_values = true, value_parser = read_filter)]
    filter: Filter,
    /// Time zone of the filter's days and of --at, such as Europe/Berlin
    #[arg(long, value_name = "ZONE", default_value = "UTC", value_parser = read_zone)]
    zone: Tz,
    #[command(flatten)]
    text: Text,
    /// Text for users whose Telegram app has this language, such as de='<b>Hallo</b>'; repeat it for
    /// more languages. All others get --text
    #[arg(long, value_name = "LANG=HTML", value_parser = read_pair)]
    text_for: Vec<(String, String)>,
    /// The same from a file, such as de=de.html
    #[arg(long, value_name = "LANG=FILE", value_parser = read_pair)]
    text_file_for: Vec<(String, String)>,
    /// Picture above the text, by the file_id that your bot got for it. The text is its caption then, of
    /// at most 1,024 characters
    #[arg(long, value_name = "FILE_ID", value_parser = read_picture)]
    picture_id: Option<Picture>,
    /// Picture above the text, from a file: a JPEG, PNG or WebP of at most 10 MiB. The bot uploads it with the
    /// first message
    #[arg(long, value_name = "FILE", conflicts_with = "picture_id")]
    picture: Option<PathBuf>,
    /// A row of buttons below the message, such as 'Shop = https://example.org'; repeat it for more
    /// rows. ' | ' separates buttons in one row
    #[arg(long = "button", value_name = "TEXT = URL", allow_hyphen_values = true)]
    buttons: Vec<String>,
    /// Category, which users can opt out of; `manage broadcast categories` lists them
    #[arg(long, default_value = "news", value_parser = read_name)]
    category: LabelName,
    /// Whether the messages have a button that opts out of the category: on for promo, off for others
    #[arg(long, value_name = "on|off", value_parser = OneOf(&ON_OR_OFF))]
    opt_out_button: Option<bool>,
    /// Most messages a second. What SEND_RATE leaves is never exceeded, unless it is paid
    #[arg(
        long,
        value_name = "NUMBER",
        allow_negative_numbers = true,
        value_parser = whole(1..=PAID_RATE)
    )]
    rate: Option<u32>,
    /// Pay 0.1 Telegram Stars for each message above 30 a second, to send up to 1,000 a second
    #[arg(long)]
    paid: bool,
    /// When it begins, such as '2026-12-01 18:00' in the zone of --zone, or 2026-12-01T18:00:00+01:00.
    /// `start` then schedules it
    #[arg(long, value_name = "TIME", value_parser = read_time)]
    at: Option<WrittenTime>,
    /// Send at the time of --at by each user's own clock. Users without a time zone in /settings get it at
    /// the time in the zone of --zone
    #[arg(long, requires = "at")]
    local: bool,
    /// Hours of each user's own day in which no message is sent, such as 22:00-08:00; users wait for
    /// their end
    #[arg(long, value_name = "FROM-UNTIL", value_parser = QuietHours::from_str)]
    quiet_hours: Option<QuietHours>,
    #[command(flatten)]
    variants: Variants,
    /// How long after its beginning messages may be sent, such as 90m, 24h or 7d; with --local, after its
    /// time has come everywhere. Users that are left then are skipped
    #[arg(long, value_name = "SPAN", default_value = "24h", value_parser = read_span)]
    lasts: TimeDelta,
    /// What becomes of users of which a crash leaves unknown whether they got the message: skip leaves
    /// them out (at most once), resend sends it again (at least once)
    #[arg(long, value_name = "skip|resend", default_value = "skip", value_parser = OneOf(&POLICIES))]
    on_unknown: OnUnknown,
    /// Print {"id": N}
    #[arg(long)]
    json: bool,
}

/// The text for everyone.
#[derive(Args, Debug)]
#[group(required = true, multiple = false)]
struct Text {
    /// The text in Telegram's HTML, with variables such as {first_name|friend}
    #[arg(long, value_name = "HTML", allow_hyphen_values = true)]
    text: Option<String>,
    /// File with the text, in UTF-8; - for the standard input
    #[arg(long, value_name = "FILE")]
    text_file: Option<PathBuf>,
}

fn read_picture(text: &str) -> Result<Picture, &'static str> {
    Picture::of_file_id(text).ok_or("expected a file_id of letters, digits, - and _")
}

/// Reads LANG=VALUE.
fn read_pair(text: &str) -> Result<(String, String), &'static str> {
    let pair = text.split_once('=').filter(|(language, _)| !language.is_empty());
    let (language, value) =
        pair.ok_or("expected a language, '=' and its text or file, such as de=Hallo")?;
    Ok((language.to_ascii_lowercase().replace('_', "-"), value.to_owned()))
}

impl Create {
    pub(super) async fn run(self, services: &Services) -> anyhow::Result<()> {
        let is_json = self.json;
        let file = self.picture.clone();
        let mut plan = self.plan()?;
        let broadcasts = services.broadcasts();
        if let Some(file) = file {
            let id = store_picture(broadcasts.pictures(), &file).await?;
            if let BroadcastContent::Text { picture, .. } = &mut plan.content {
                *picture = Some(Picture::Stored(id));
            }
        }
        let broadcast = match broadcasts.create(&plan, None).await {
            Ok(broadcast) => broadcast,
            Err(error) => return Err(as_usage(error)),
        };
        let id = broadcast.id;
        if is_json {
            return print_json(&json!({ "id": id }));
        }
        writeln!(stdout(), "{id}")?;
        let starts = match planned(&plan) {
            None => "starts it".to_owned(),
            Some(time) => format!("schedules it for {time}"),
        };
        eprintln!(
            "Broadcast {id} is a draft; nothing is sent yet. `manage broadcast preview {id}` shows it, and \
             `manage broadcast start {id}` {starts}."
        );
        Ok(())
    }

    fn plan(self) -> anyhow::Result<BroadcastPlan> {
        let times = times(self.at, self.local, self.quiet_hours)
            .map_err(|wrong| WrongUsage(format!("--local: {wrong}")))?;
        let starts_at = match times.span() {
            Some((first, _)) => Ok(Some(first)),
            None => self.at.map(|at| at.in_zone(self.zone)).transpose(),
        };
        let starts_at = starts_at.map_err(|wrong| WrongUsage(format!("--at: {wrong}")))?;
        let content = BroadcastContent::Text {
            texts: self.texts()?,
            buttons: self.buttons.join("\n"),
            picture: self.picture_id.clone(),
        };
        let experiment = self.variants.experiment(&content)?;
        let has_opt_out_button = self
            .opt_out_button
            .unwrap_or_else(|| BroadcastPlan::has_opt_out_button_by_default(&self.category));
        Ok(BroadcastPlan {
            has_opt_out_button,
            name: self.name.trim().to_owned(),
            category: self.category,
            filter: self.filter,
            zone: self.zone,
            content,
            rate: self.rate,
            is_paid: self.paid,
            on_unknown: self.on_unknown,
            starts_at,
            lasts: self.lasts,
            times,
            experiment,
        })
    }

    /// The text of each language.
    fn texts(&self) -> anyhow::Result<BTreeMap<String, String>> {
        let default = match (&self.text.text, &self.text.text_file) {
            (Some(text), _) => text.clone(),
            (None, Some(path)) => read_file(path)?,
            (None, None) => String::new(),
        };
        let mut texts = BTreeMap::from([(String::new(), default)]);
        let files = self.text_file_for.iter().map(|(language, path)| {
            read_file(Path::new(path)).map(|text| (language.clone(), text))
        });
        for text in self.text_for.iter().cloned().map(Ok).chain(files) {
            let (language, text) = text?;
            if texts.insert(language.clone(), text).is_some() {
                let twice =
                    format!("'{}' has two texts; expected one for each language", safe(&language));
                return Err(WrongUsage(twice).into());
            }
        }
        Ok(texts)
    }
}

/// What is wrong with the arguments is shown like any wrong argument, with its place.
fn as_usage(error: BroadcastError) -> anyhow::Error {
    match error {
        BroadcastError::Content(_) | BroadcastError::Variant(..) => {
            let shown = error.to_string();
            let mut lines = shown.lines().map(safe);
            let mut message = lines.next().unwrap_or_default();
            for (number, line) in lines.enumerate() {
                message += if number == 0 { "\n\n  " } else { "\n  " };
                message += &line;
            }
            WrongUsage(message).into()
        }
        BroadcastError::Name => {
            let message =
                format!("--name: expected 1 to {MAX_BROADCAST_NAME_CHARS} characters in one line");
            WrongUsage(message).into()
        }
        BroadcastError::SystemOptOut => {
            WrongUsage(format!("--opt-out-button: {error}; expected off")).into()
        }
        BroadcastError::Buttons => WrongUsage(format!("--button: {error}")).into(),
        BroadcastError::Experiment(error) => {
            let option = match error {
                ExperimentError::TooMany | ExperimentError::Copy => "--variant",
                ExperimentError::After => "--after",
                ExperimentError::NoPresses(_) => "--winner",
                _ => "--test-part",
            };
            WrongUsage(format!("{option}: {error}")).into()
        }
        BroadcastError::Past(_) => WrongUsage(format!("--at: {error}")).into(),
        error => error.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_has_a_language() {
        assert_eq!(read_pair("de=a=b"), Ok(("de".to_owned(), "a=b".to_owned())));
        assert_eq!(read_pair("pt_BR="), Ok(("pt-br".to_owned(), String::new())));
        assert!(read_pair("=x").is_err() && read_pair("Hallo").is_err());
    }
}
