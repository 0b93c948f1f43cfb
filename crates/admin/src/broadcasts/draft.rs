//! The form of a new broadcast: what was typed, what is wrong with it, and the plan that it means.

use chrono::{DateTime, NaiveDateTime, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;
use rollcall_domain::{
    BROADCAST_LASTS, Broadcast, BroadcastContent, BroadcastPlan, Buttons, ByLanguage,
    DeliveryTimes, Filter, InvalidQuietHours, LabelName, MAX_BROADCAST_NAME_CHARS, MessageText,
    OnUnknown, Picture, QuietHours,
};
use rollcall_service::{BroadcastCategory, Message, StoredPicture, check_experiment};

use super::{
    experiment::{ExperimentFields, lines},
    trouble::Trouble,
};

use crate::{App, page::Failure, request::value, users::query::Query};

/// The most texts in languages beside the default one.
pub(super) const MAX_LANGUAGES: usize = 30;
/// The most hours that a broadcast can last.
const MAX_HOURS: i64 = 30 * 24;
/// The most messages a second.
pub(super) const MAX_RATE: u32 = 1_000;
/// How browsers write the value of a field for a local time.
const LOCAL: [&str; 2] = ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"];

/// What was typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Draft {
    pub(super) name: String,
    pub(super) category: String,
    pub(super) filter: String,
    /// The time zone of the filter's days and of the start.
    pub(super) zone: String,
    /// The languages and their texts; the first one is the default, whose language is empty.
    pub(super) texts: Vec<(String, String)>,
    pub(super) buttons: String,
    /// The `file_id` of the picture; empty if there is none.
    pub(super) picture: String,
    /// The id of the picture that was picked and stored; empty if there is none.
    pub(super) stored: String,
    /// That picture.
    pub(super) picked: Option<StoredPicture>,
    /// What is wrong with the picture that was picked.
    pub(super) not_picked: Option<String>,
    /// The local time of the start; empty if an owner starts it.
    pub(super) at: String,
    /// Whether each user gets it at that time of their own clock.
    pub(super) is_local: bool,
    /// When the quiet hours begin and end; empty if there are none.
    pub(super) quiet: [String; 2],
    pub(super) rate: String,
    pub(super) hours: String,
    pub(super) on_unknown: String,
    pub(super) is_paid: bool,
    /// What it tries out.
    pub(super) experiment: ExperimentFields,
}

impl Draft {
    /// An empty form, for an admin with this time zone.
    pub(super) fn empty(zone: Tz) -> Self {
        Self {
            name: String::new(),
            category: "news".to_owned(),
            filter: String::new(),
            zone: zone.name().to_owned(),
            texts: vec![Default::default()],
            buttons: String::new(),
            picture: String::new(),
            stored: String::new(),
            picked: None,
            not_picked: None,
            at: String::new(),
            is_local: false,
            quiet: Default::default(),
            rate: String::new(),
            hours: BROADCAST_LASTS.num_hours().to_string(),
            on_unknown: OnUnknown::default().name().to_owned(),
            is_paid: false,
            experiment: ExperimentFields::default(),
        }
    }

    /// The form of another broadcast. Its start is left out. `None` if it is a copy of a message, or if a
    /// variant has a picture or a language of its own.
    pub(super) fn of(broadcast: &Broadcast) -> Option<Self> {
        let plan = &broadcast.plan;
        let BroadcastContent::Text { texts, buttons, picture } = &plan.content else {
            return None;
        };
        let first_picture = picture;
        let picture = picture.as_ref();
        let stored = picture.and_then(Picture::stored).map(|id| id.to_string());
        let picture = picture.and_then(Picture::file_id).map(str::to_owned);
        let mut texts: Vec<_> =
            texts.iter().map(|(language, text)| (language.clone(), text.clone())).collect();
        // The default is the first one already, because its language is empty.
        if texts.first().is_none_or(|(language, _)| !language.is_empty()) {
            texts.insert(0, Default::default());
        }
        let languages: Vec<&str> = texts.iter().map(|(language, _)| language.as_str()).collect();
        let experiment =
            ExperimentFields::of(&plan.experiment, &languages, first_picture.as_ref())?;
        let quiet = plan.times.quiet_hours.map(|it| [it.from(), it.until()]);
        Some(Self {
            quiet: quiet.map_or_else(Default::default, |it| {
                it.map(|time| time.format("%H:%M").to_string())
            }),
            name: plan.name.clone(),
            category: plan.category.to_string(),
            filter: plan.filter.to_string(),
            texts,
            buttons: buttons.clone(),
            picture: picture.unwrap_or_default(),
            stored: stored.unwrap_or_default(),
            rate: plan.rate.map(|rate| rate.to_string()).unwrap_or_default(),
            hours: plan.lasts.num_hours().max(1).to_string(),
            on_unknown: plan.on_unknown.name().to_owned(),
            is_paid: plan.is_paid,
            experiment,
            ..Self::empty(plan.zone)
        })
    }

    /// Reads the fields of the form.
    pub(super) fn read(pairs: &[(String, String)], zone: Tz) -> Self {
        let field = |name| value(pairs, name).to_owned();
        let all = |name: &'static str| {
            let pairs = pairs.iter().filter(move |(key, _)| key == name);
            pairs.map(|(_, value)| lines(value))
        };
        let languages = std::iter::once(String::new()).chain(all("language"));
        let texts = languages.zip(all("text")).take(1 + MAX_LANGUAGES);
        let mut texts: Vec<_> = texts.collect();
        if texts.is_empty() {
            texts.push(Default::default());
        }
        let empty = Self::empty(zone);
        let or = |typed: String, default: String| if typed.is_empty() { default } else { typed };
        Self {
            name: field("name"),
            category: or(field("category"), empty.category),
            filter: field("filter"),
            zone: or(field("zone"), empty.zone),
            texts,
            buttons: lines(value(pairs, "buttons")),
            picture: value(pairs, "picture").trim().to_owned(),
            stored: match value(pairs, "no_picture") {
                "" => field("stored_picture"),
                _ => String::new(),
            },
            picked: None,
            not_picked: None,
            at: field("at"),
            is_local: !value(pairs, "local").is_empty(),
            quiet: [field("quiet_from"), field("quiet_until")],
            rate: field("rate"),
            hours: or(field("hours"), empty.hours),
            on_unknown: or(field("on_unknown"), empty.on_unknown),
            is_paid: !value(pairs, "paid").is_empty(),
            experiment: ExperimentFields::read(pairs),
        }
    }

    /// Looks for the picture: the one that was `stored` just now, or before. Call this before the plan.
    pub(super) async fn find_picture(
        &mut self,
        app: &App,
        stored: Option<Result<String, String>>,
    ) -> Result<(), Failure> {
        match stored {
            Some(Ok(id)) => self.stored = id,
            Some(Err(wrong)) => self.not_picked = Some(wrong),
            None => {}
        }
        if self.stored.is_empty() {
            return Ok(());
        }
        self.picked = match self.stored.parse() {
            Ok(id) => app.broadcasts.pictures().find(id).await?,
            Err(_) => None,
        };
        if self.picked.is_none() {
            self.stored.clear();
            let wrong = || "the picture is not stored any more; pick it again".to_owned();
            self.not_picked.get_or_insert_with(wrong);
        }
        Ok(())
    }

    /// The plan, and what is wrong. The plan is `None` if something in it cannot even be looked at: the
    /// filter or a text. A `preview` may still lack a name and be without a text.
    pub(super) async fn plan(
        &self,
        app: &App,
        categories: &[BroadcastCategory],
        is_preview: bool,
    ) -> Result<(Option<BroadcastPlan>, Vec<Trouble>), Failure> {
        let mut troubles = Vec::new();
        let chars = self.name.chars().count();
        let is_named = !self.name.is_empty() && !self.name.chars().any(char::is_control);
        if chars > MAX_BROADCAST_NAME_CHARS || !(is_named || is_preview && chars == 0) {
            let message = format!(
                "expected a name of 1 to {MAX_BROADCAST_NAME_CHARS} characters in one line"
            );
            troubles.push(Trouble::new("name", &message));
        }
        let category = categories.iter().find(|it| it.name.as_str() == self.category);
        if category.is_none() {
            troubles.push(Trouble::new("category", "there is no such category; choose another"));
        }
        let zone = self.zone.parse().unwrap_or(Tz::UTC);
        if self.zone.parse::<Tz>().is_err() {
            let message = "expected a time zone such as Europe/Berlin, or UTC";
            troubles.push(Trouble::new("filter", message));
        }
        let now = app.clock.now();
        let filter = self.filter(app, zone, now, &mut troubles).await?;
        let content = self.content(is_preview, &mut troubles);
        let (starts_at, local_time) = self.starts_at(zone, now, &mut troubles);
        let times = DeliveryTimes { local_time, quiet_hours: self.quiet_hours(&mut troubles) };
        let rate = match self.rate.as_str() {
            "" => None,
            typed => {
                let rate = typed.parse().ok().filter(|rate| (1..=MAX_RATE).contains(rate));
                if rate.is_none() {
                    let message = format!("expected a number from 1 to {MAX_RATE}, or nothing");
                    troubles.push(Trouble::new("rate", &message));
                }
                rate
            }
        };
        let hours = self.hours.parse().ok().filter(|hours| (1..=MAX_HOURS).contains(hours));
        if hours.is_none() {
            let message = format!("expected a number from 1 to {MAX_HOURS}");
            troubles.push(Trouble::new("hours", &message));
        }
        let languages: Vec<&str> = self.texts.iter().map(|(it, _)| it.as_str()).collect();
        // What is wrong with the picture is known already.
        let picture = self.picture(&mut Vec::new());
        let experiment = self.experiment.plan(&languages, &self.buttons, picture, &mut troubles);
        let on_unknown = self.on_unknown.parse();
        if on_unknown.is_err() {
            troubles.push(Trouble::new("on_unknown", "choose one of the two"));
        }
        let (Some(filter), Some(content), Some(experiment)) = (filter, content, experiment) else {
            return Ok((None, troubles));
        };
        let Ok(category) = self.category.parse::<LabelName>() else { return Ok((None, troubles)) };
        let has_opt_out_button = BroadcastPlan::has_opt_out_button_by_default(&category);
        let plan = BroadcastPlan {
            name: self.name.clone(),
            category,
            filter,
            zone,
            content,
            rate,
            is_paid: self.is_paid,
            on_unknown: on_unknown.unwrap_or_default(),
            starts_at,
            lasts: hours.and_then(TimeDelta::try_hours).unwrap_or(BROADCAST_LASTS),
            times,
            has_opt_out_button,
            experiment,
        };
        if let Err(error) = check_experiment(&plan) {
            troubles.push(ExperimentFields::trouble(&error));
        }
        Ok((Some(plan), troubles))
    }

    async fn filter(
        &self,
        app: &App,
        zone: Tz,
        now: DateTime<Utc>,
        troubles: &mut Vec<Trouble>,
    ) -> Result<Option<Filter>, Failure> {
        let query = Query { zone: Some(zone), ..Query::of_filter(self.filter.clone()) };
        let selection = query.selection(app, zone, now).await?;
        let filter = match (query.filter, selection) {
            (Ok(filter), Ok(_)) => return Ok(Some(filter)),
            (_, Err(invalid)) | (Err(invalid), _) => invalid,
        };
        troubles.push(Trouble {
            field: "filter".to_owned(),
            message: filter.message(),
            place: filter.marked(&self.filter),
        });
        Ok(None)
    }

    /// The texts and the buttons; `None` if there is none that can be shown.
    fn content(&self, is_preview: bool, troubles: &mut Vec<Trouble>) -> Option<BroadcastContent> {
        let before = troubles.len();
        let picture = self.picture(troubles);
        let limit = Message::limit(picture.as_ref());
        let mut texts = std::collections::BTreeMap::new();
        // Of each language, whether it is one, and known already.
        let mut known = ByLanguage::new(());
        let mut is_empty = false;
        for (place, (language, typed)) in self.texts.iter().enumerate() {
            let is_default = place == 0;
            if typed.is_empty() && (language.is_empty() || is_preview) {
                is_empty |= is_default;
                if is_default && !is_preview {
                    troubles.push(Trouble::new("text0", "write the message"));
                }
                continue;
            }
            if !is_default {
                match known.set(language, ()) {
                    Ok(None) => {}
                    Ok(Some(())) => {
                        let message = "there is a text for this language already";
                        troubles.push(Trouble::new(format!("language{place}"), message));
                    }
                    Err(error) => {
                        let message = error.to_string();
                        troubles.push(Trouble::new(format!("language{place}"), &message));
                    }
                }
            }
            if let Err(error) = MessageText::parse(typed, limit) {
                troubles.push(Trouble::of_text(format!("text{place}"), typed, error));
            }
            texts.insert(language.to_ascii_lowercase().replace('_', "-"), typed.clone());
        }
        if let Err(error) = self.buttons.parse::<Buttons>() {
            troubles.push(Trouble::of_text("buttons", &self.buttons, error));
        }
        let is_right = troubles.len() == before && !is_empty;
        is_right.then(|| BroadcastContent::Text { texts, buttons: self.buttons.clone(), picture })
    }

    /// The picture that was picked, or that a `file_id` names.
    fn picture(&self, troubles: &mut Vec<Trouble>) -> Option<Picture> {
        if let Some(wrong) = &self.not_picked {
            troubles.push(Trouble::new("file", wrong));
        }
        let named = Picture::of_file_id(&self.picture);
        if named.is_none() && !self.picture.is_empty() {
            let message = "expected a file_id of letters, digits, - and _, as your bot gets it";
            troubles.push(Trouble::new("picture", message));
        }
        let picked = self.picked.as_ref().map(|picked| Picture::Stored(picked.id));
        if picked.is_some() && named.is_some() {
            let message = "there is an uploaded picture already; remove one of the two";
            troubles.push(Trouble::new("picture", message));
        }
        picked.or(named)
    }

    /// When it starts by itself, and the time at which each user gets it by their own clock.
    fn starts_at(
        &self,
        zone: Tz,
        now: DateTime<Utc>,
        troubles: &mut Vec<Trouble>,
    ) -> (Option<DateTime<Utc>>, Option<NaiveDateTime>) {
        if self.at.is_empty() {
            if self.is_local {
                troubles.push(Trouble::new("at", "choose the time at which each user gets it"));
            }
            return (None, None);
        }
        let typed = LOCAL.iter().find_map(|it| NaiveDateTime::parse_from_str(&self.at, it).ok());
        let local_time = typed.filter(|_| self.is_local);
        let times = DeliveryTimes { local_time, ..DeliveryTimes::default() };
        let moment = match local_time {
            Some(_) => typed.map(|_| Some(times.due(zone, DateTime::UNIX_EPOCH))),
            None => typed.map(|at| zone.from_local_datetime(&at).earliest().map(|it| it.to_utc())),
        };
        let trouble = match moment {
            Some(Some(at)) if at > now => {
                return (times.span().map_or(Some(at), |(first, _)| Some(first)), local_time);
            }
            Some(Some(_)) => "this time is in the past; expected a later one",
            Some(None) => "the clocks skip this time on that day; choose another",
            None => "expected a day and a time, such as 2027-01-31T18:00",
        };
        troubles.push(Trouble::new("at", trouble));
        (None, None)
    }

    fn quiet_hours(&self, troubles: &mut Vec<Trouble>) -> Option<QuietHours> {
        let [from, until] = &self.quiet;
        if from.is_empty() && until.is_empty() {
            return None;
        }
        // Browsers may send the seconds.
        let minutes = |time: &String| time.get(..5).unwrap_or(time).to_owned();
        match format!("{}-{}", minutes(from), minutes(until)).parse() {
            Ok(quiet_hours) => Some(quiet_hours),
            Err(error) => {
                let message = match error {
                    InvalidQuietHours::Form => "fill in both times, such as 22:00 and 08:00",
                    InvalidQuietHours::Empty => {
                        "the quiet hours end when they begin; choose another time"
                    }
                };
                troubles.push(Trouble::new("quiet", message));
                None
            }
        }
    }
}
