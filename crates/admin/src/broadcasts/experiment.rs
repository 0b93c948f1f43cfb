//! The fields of the form for what a broadcast tries out.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use rollcall_domain::{
    BroadcastContent, Buttons, Experiment, MAX_VARIANTS, MessageText, Percent, Picture, Variant,
    VariantTest, WinnerBy,
};
use rollcall_service::{ExperimentError, Message};

use super::trouble::Trouble;
use crate::request::value;

/// The units of the time after which a winner is decided, and their seconds.
pub(super) const UNITS: [(&str, i64); 2] = [("minutes", 60), ("hours", 3_600)];

/// What was typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ExperimentFields {
    /// The variants beside A, from B on.
    pub(super) others: Vec<OtherFields>,
    /// What decides; empty if all variants go out.
    pub(super) winner: String,
    /// How many percent of the recipients test the variants.
    pub(super) test_part: String,
    /// The time after which the winner is decided.
    pub(super) after: String,
    pub(super) unit: String,
    /// How many percent of the recipients are held out; empty if none are.
    pub(super) hold_out: String,
}

/// A variant beside A.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct OtherFields {
    /// The texts in the order of the languages of A.
    pub(super) texts: Vec<String>,
    /// The buttons; empty for those of A.
    pub(super) buttons: String,
}

impl OtherFields {
    /// The text at a place.
    pub(super) fn text(&self, place: &usize) -> &str {
        self.texts.get(*place).map_or("", String::as_str)
    }

    /// Such a variant is left out.
    fn is_empty(&self) -> bool {
        self.buttons.is_empty() && self.texts.iter().all(String::is_empty)
    }
}

impl Default for ExperimentFields {
    fn default() -> Self {
        Self {
            others: Vec::new(),
            winner: String::new(),
            test_part: "20".to_owned(),
            after: "4".to_owned(),
            unit: "hours".to_owned(),
            hold_out: String::new(),
        }
    }
}

/// The variants beside A, and how the names of their fields end.
fn letters() -> impl Iterator<Item = (Variant, String)> {
    Variant::ALL.into_iter().skip(1).map(|it| (it, it.to_string().to_lowercase()))
}

impl ExperimentFields {
    /// The fields of an experiment; `None` if a variant has a picture or a language that A does not have.
    pub(super) fn of(
        experiment: &Experiment,
        languages: &[&str],
        first_picture: Option<&Picture>,
    ) -> Option<Self> {
        let fields = |content: &BroadcastContent| match content {
            BroadcastContent::Text { texts, buttons, picture }
                if picture.as_ref() == first_picture
                    && texts.keys().all(|it| languages.contains(&it.as_str())) =>
            {
                let text = |language: &&str| texts.get(*language).cloned().unwrap_or_default();
                let texts = languages.iter().map(text).collect();
                Some(OtherFields { texts, buttons: buttons.clone() })
            }
            _ => None,
        };
        let others = experiment.others.iter().map(fields).collect::<Option<_>>()?;
        let hold_out = experiment.hold_out.map(|it| it.get().to_string()).unwrap_or_default();
        let empty = Self { others, hold_out, ..Self::default() };
        let Some(test) = experiment.test else { return Some(empty) };
        let seconds = test.after.num_seconds();
        let unit = UNITS.iter().rev().find(|(_, size)| seconds % size == 0);
        let (unit, size) = unit.unwrap_or(&("minutes", 60));
        Some(Self {
            winner: test.by.name().to_owned(),
            test_part: test.part.get().to_string(),
            after: (seconds / size).max(1).to_string(),
            unit: (*unit).to_owned(),
            ..empty
        })
    }

    /// Reads the fields of the form.
    pub(super) fn read(pairs: &[(String, String)]) -> Self {
        let field = |name| value(pairs, name).trim().to_owned();
        let or = |typed: String, default: String| if typed.is_empty() { default } else { typed };
        let mut others: Vec<OtherFields> = Vec::new();
        for (_, letter) in letters() {
            let name = format!("text_{letter}");
            let texts = pairs.iter().filter(|(key, _)| *key == name);
            let texts: Vec<String> = texts.map(|(_, text)| lines(text)).collect();
            if texts.is_empty() {
                break;
            }
            let buttons = lines(value(pairs, &format!("buttons_{letter}")));
            others.push(OtherFields { texts, buttons });
        }
        let empty = Self::default();
        Self {
            others,
            winner: field("winner"),
            test_part: or(field("test_part"), empty.test_part),
            after: or(field("after"), empty.after),
            unit: or(field("unit"), empty.unit),
            hold_out: field("hold_out"),
        }
    }

    /// Adds an empty variant.
    pub(super) fn add(&mut self) {
        if self.others.len() + 1 < MAX_VARIANTS {
            self.others.push(OtherFields::default());
        }
    }

    /// Whether there can be one more variant.
    pub(super) fn has_room(&self) -> bool {
        self.others.len() + 1 < MAX_VARIANTS
    }

    /// The variants beside A with their letters.
    pub(super) fn lettered(&self) -> impl Iterator<Item = (Variant, String, &OtherFields)> {
        letters().zip(&self.others).map(|((variant, letter), other)| (variant, letter, other))
    }

    /// What is tried out; `None` if a text cannot be shown. `buttons` are those of A.
    pub(super) fn plan(
        &self,
        languages: &[&str],
        buttons: &str,
        picture: Option<Picture>,
        troubles: &mut Vec<Trouble>,
    ) -> Option<Experiment> {
        let before = troubles.len();
        let limit = Message::limit(picture.as_ref());
        let mut others = Vec::new();
        for (_, letter, other) in self.lettered().filter(|(.., other)| !other.is_empty()) {
            let mut texts = BTreeMap::new();
            for (place, (language, typed)) in languages.iter().zip(&other.texts).enumerate() {
                let field = format!("text_{letter}{place}");
                if typed.is_empty() {
                    if place == 0 {
                        let message = "write the text of this variant, or leave all of it empty";
                        troubles.push(Trouble::new(field, message));
                    }
                    continue;
                }
                if let Err(error) = MessageText::parse(typed, limit) {
                    troubles.push(Trouble::of_text(field, typed, error));
                }
                texts.insert(language.to_ascii_lowercase().replace('_', "-"), typed.clone());
            }
            if let Err(error) = other.buttons.parse::<Buttons>() {
                troubles.push(Trouble::of_text(format!("buttons_{letter}"), &other.buttons, error));
            }
            let buttons = if other.buttons.is_empty() { buttons } else { &other.buttons };
            let (buttons, picture) = (buttons.to_owned(), picture.clone());
            others.push(BroadcastContent::Text { texts, buttons, picture });
        }
        if troubles.len() > before {
            return None;
        }
        let hold_out = match self.hold_out.as_str() {
            "" => None,
            typed => percent("hold_out", typed, ", or nothing", troubles),
        };
        let test = if self.winner.is_empty() { None } else { self.test(troubles) };
        Some(Experiment { hold_out, others, test })
    }

    /// How the winner is found.
    fn test(&self, troubles: &mut Vec<Trouble>) -> Option<VariantTest> {
        let by = self.winner.parse::<WinnerBy>();
        if by.is_err() {
            troubles.push(Trouble::new("winner", "choose one of these"));
        }
        let part = percent("test_part", &self.test_part, "", troubles);
        let unit = UNITS.iter().find(|(name, _)| *name == self.unit);
        let number = self.after.parse::<i64>().ok().filter(|it| (1..=1_000).contains(it));
        let after = unit.zip(number).and_then(|((_, size), it)| TimeDelta::try_seconds(size * it));
        if after.is_none() {
            troubles.push(Trouble::new("after", "expected a number from 1 to 1000"));
        }
        Some(VariantTest { part: part?, by: by.ok()?, after: after? })
    }

    /// At which field an error of the whole experiment is shown.
    pub(super) fn trouble(error: &ExperimentError) -> Trouble {
        let field = match error {
            ExperimentError::After => "after",
            _ => "winner",
        };
        Trouble::new(field, &error.to_string())
    }
}

fn percent(field: &str, typed: &str, or: &str, troubles: &mut Vec<Trouble>) -> Option<Percent> {
    let percent = typed.parse();
    if let Err(error) = &percent {
        troubles.push(Trouble::new(field, &format!("{error}{or}")));
    }
    percent.ok()
}

/// A text of lines as it was typed, without what browsers add.
pub(super) fn lines(typed: &str) -> String {
    typed.replace("\r\n", "\n").replace('\r', "\n").trim().to_owned()
}
