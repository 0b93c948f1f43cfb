//! The variants of a broadcast: the options that create them, and what `show` prints.

use std::{collections::BTreeMap, io::Write, path::Path, str::FromStr};

use chrono::TimeDelta;
use clap::Args;
use rollcall_domain::{
    Arm, ArmResponse, ArmSums, Broadcast, BroadcastContent, BroadcastResponse, Experiment, Percent,
    RecipientState, ResponseSums, Variant, VariantTest, WinnerBy, grouped,
};
use rollcall_service::ExperimentError;
use serde_json::{Value, json};

use super::{text_file::read_file, time::read_span};
use crate::{
    WrongUsage,
    manage::{
        output::{rfc3339, safe, second, span, stdout},
        table::Table,
    },
};

const EXPECTED: &str = "expected a variant from B to E, '=' and its value, such as B=Hello";

/// What a broadcast tries out.
#[derive(Args, Debug)]
pub(super) struct Variants {
    /// Random part of the users that does not get it, such as 5%, to compare the others with. `show` has
    /// how many of both parts were active within seven days
    #[arg(long, value_name = "PERCENT", value_parser = Percent::from_str)]
    hold_out: Option<Percent>,
    /// Another text, such as B='<b>Hello</b>'. --text is A, and each user gets one of them at random.
    /// B:de=Hallo is that for the language de
    #[arg(long = "variant", value_name = "B=HTML", value_parser = read_variant)]
    variants: Vec<(Variant, String, String)>,
    /// The same from a file, such as B=b.html
    #[arg(long = "variant-file", value_name = "B=FILE", value_parser = read_variant)]
    variant_files: Vec<(Variant, String, String)>,
    /// A row of buttons below a variant, such as 'B=Shop = https://example.org'; repeat it for more rows.
    /// A variant without any has those of --button
    #[arg(long = "variant-button", value_name = "B=TEXT = URL", value_parser = read_variant)]
    variant_buttons: Vec<(Variant, String, String)>,
    /// Random part of the users that gets the variants first, such as 20%. All others wait, and get the
    /// winner
    #[arg(long, value_name = "PERCENT", value_parser = Percent::from_str, requires = "winner")]
    test_part: Option<Percent>,
    /// What decides: presses is the largest share of users who press a button, blocks the smallest share
    /// of users who block the bot
    #[arg(
        long,
        value_name = "presses|blocks",
        value_parser = WinnerBy::from_str,
        requires = "test_part"
    )]
    winner: Option<WinnerBy>,
    /// How long after the last message of the test part the winner is decided, such as 30m or 4h
    #[arg(
        long,
        value_name = "SPAN",
        default_value = "4h",
        value_parser = read_span,
        requires = "test_part"
    )]
    after: TimeDelta,
}

/// Reads `B=VALUE` or `B:LANG=VALUE`.
fn read_variant(text: &str) -> Result<(Variant, String, String), &'static str> {
    let (name, value) = text.split_once('=').ok_or(EXPECTED)?;
    let (variant, language) = name.split_once(':').unwrap_or((name, ""));
    let variant: Variant = variant.trim().parse().map_err(|_| EXPECTED)?;
    if variant == Variant::A {
        return Err("A is the text of --text; expected a variant from B to E");
    }
    Ok((variant, language.to_ascii_lowercase().replace('_', "-"), value.to_owned()))
}

impl Variants {
    /// What is tried out beside the content of the variant A.
    pub(super) fn experiment(&self, first: &BroadcastContent) -> anyhow::Result<Experiment> {
        let BroadcastContent::Text { buttons: first_buttons, picture, .. } = first else {
            return Ok(Experiment { hold_out: self.hold_out, ..Experiment::default() });
        };
        let mut texts: BTreeMap<Variant, BTreeMap<String, String>> = BTreeMap::new();
        let given = self.variants.iter().cloned().map(Ok);
        let read = self.variant_files.iter().map(|(variant, language, path)| {
            read_file(Path::new(path)).map(|text| (*variant, language.clone(), text))
        });
        for text in given.chain(read) {
            let (variant, language, text) = text?;
            if texts.entry(variant).or_default().insert(language.clone(), text).is_some() {
                let language = match language.as_str() {
                    "" => String::new(),
                    language => format!(" for '{}'", safe(language)),
                };
                let twice = format!(
                    "variant {variant} has two texts{language}; expected one for each language"
                );
                return Err(WrongUsage(twice).into());
            }
        }
        let last =
            texts.keys().chain(self.variant_buttons.iter().map(|(it, ..)| it)).max().copied();
        let expected = Variant::ALL.into_iter().skip(1).take_while(|it| Some(*it) <= last);
        let mut others = Vec::new();
        for variant in expected {
            let Some(texts) = texts.remove(&variant) else {
                let missing =
                    format!("variant {variant} has no text; expected --variant {variant}=…");
                return Err(WrongUsage(missing).into());
            };
            let rows = self.variant_buttons.iter().filter(|(its, ..)| *its == variant);
            let rows: Vec<&str> = rows.map(|(.., row)| row.as_str()).collect();
            let buttons = if rows.is_empty() { first_buttons.clone() } else { rows.join("\n") };
            others.push(BroadcastContent::Text { texts, buttons, picture: picture.clone() });
        }
        let test = self.test_part.zip(self.winner);
        let test = test.map(|(part, by)| VariantTest { part, by, after: self.after });
        Ok(Experiment { hold_out: self.hold_out, others, test })
    }
}

/// The content of a variant that the broadcast has.
pub(super) fn content_of(
    broadcast: &Broadcast,
    variant: Variant,
) -> anyhow::Result<&BroadcastContent> {
    let variants = broadcast.plan.experiment.variants();
    let last = variants.last().unwrap_or_default();
    if variant > last {
        return Err(ExperimentError::NoVariant(broadcast.id, variant, last).into());
    }
    Ok(broadcast.plan.content_of(variant))
}

/// The arms of a broadcast, from A on; the last one has those that get the winner.
fn arms(broadcast: &Broadcast) -> Vec<Arm> {
    let experiment = &broadcast.plan.experiment;
    let variants = experiment.variants().map(Arm::Variant);
    variants.chain(experiment.test.map(|_| Arm::Winner)).collect()
}

/// What became of each variant.
pub(super) fn print_variants(
    broadcast: &Broadcast,
    sums: &ArmSums,
    responses: &ResponseSums,
) -> anyhow::Result<()> {
    let experiment = &broadcast.plan.experiment;
    if !experiment.has_variants() || broadcast.started_at.is_none() {
        return Ok(());
    }
    let mut out = stdout();
    writeln!(out)?;
    let mut table =
        Table::new(["VARIANT", "SENT", "OTHER OUTCOMES", "PRESSED", "BLOCKED", "OPTED OUT"], 1);
    for arm in arms(broadcast) {
        let sent = sums.of(arm, RecipientState::Sent);
        let of = |response| grouped(responses.of(BroadcastResponse::Of(arm, response)));
        table.row([
            arm.name(),
            grouped(sent),
            grouped(sums.all(arm) - sent),
            of(ArmResponse::Pressed),
            of(ArmResponse::Blocked),
            of(ArmResponse::OptedOut),
        ]);
    }
    table.print(&mut out)?;
    if let Some(standing) = standing(broadcast) {
        writeln!(out, "\n{standing}")?;
    }
    Ok(())
}

/// How far the test is, in sentences.
fn standing(broadcast: &Broadcast) -> Option<String> {
    let test = broadcast.plan.experiment.test?;
    if let Some(decision) = &broadcast.decision {
        let figures = Variant::ALL.iter().zip(&decision.figures).map(|(variant, it)| {
            let (sent, pressed) = (grouped(it.sent), grouped(it.pressed));
            format!("{variant} {pressed} presses and {} blocks of {sent}", grouped(it.blocked))
        });
        let why = match &decision.pick {
            None => format!("by {}", test.by.name()),
            Some(pick) => match &pick.by {
                None => "picked via CLI".to_owned(),
                Some(by) => format!("picked by {}", safe(by)),
            },
        };
        return Some(format!(
            "The winner is {}, decided at {} UTC ({why}). The figures then: {}.",
            decision.winner,
            second(decision.at),
            figures.collect::<Vec<_>>().join("; ")
        ));
    }
    let by = match test.by {
        WinnerBy::Presses => "most presses",
        WinnerBy::Blocks => "fewest blocks",
    };
    Some(match (&broadcast.pick, broadcast.decides_at()) {
        (Some(pick), _) => {
            format!("{} is picked; the others get it within seconds.", pick.winner)
        }
        (None, Some(at)) => format!(
            "{} of the users test the variants. The one with the {by} wins at {} UTC, the first of \
             equal ones; the others wait for it.",
            test.part,
            second(at)
        ),
        (None, None) => format!(
            "{} of the users test the variants. The one with the {by} wins {} after the last of their \
             messages, the first of equal ones; the others wait for it.",
            test.part,
            span(test.after.to_std().unwrap_or_default())
        ),
    })
}

/// The same for programs.
pub(super) fn variants_as_json(
    broadcast: &Broadcast,
    sums: &ArmSums,
    responses: &ResponseSums,
) -> Value {
    let experiment = &broadcast.plan.experiment;
    if !experiment.has_variants() {
        return Value::Null;
    }
    let arm = |arm: Arm| {
        let of = |response| responses.of(BroadcastResponse::Of(arm, response));
        let states = RecipientState::ALL
            .into_iter()
            .filter(|state| *state != RecipientState::Queued)
            .map(|state| (state.name().to_owned(), sums.of(arm, state).into()));
        let buttons = broadcast.plan.content_of(broadcast.variant_of(arm)).counted_buttons();
        let buttons = buttons.into_iter().map(|(number, text)| {
            json!({ "number": number, "text": text, "presses": of(ArmResponse::Button(number)) })
        });
        json!({
            "variant": arm.name(),
            "recipients": states.collect::<serde_json::Map<_, _>>(),
            "pressed": of(ArmResponse::Pressed),
            "blocks": of(ArmResponse::Blocked),
            "opt_outs": of(ArmResponse::OptedOut),
            "buttons": buttons.collect::<Vec<_>>(),
        })
    };
    let test = experiment.test.map(|it| {
        json!({
            "percent": it.part.get(),
            "by": it.by.name(),
            "after_seconds": it.after.num_seconds(),
        })
    });
    let decision = broadcast.decision.as_ref().map(|it| {
        let figures = it
            .figures
            .iter()
            .map(|it| json!({ "sent": it.sent, "pressed": it.pressed, "blocks": it.blocked }));
        json!({
            "winner": it.winner.to_string(),
            "at": rfc3339(it.at),
            "picked": it.pick.is_some(),
            "figures": figures.collect::<Vec<_>>(),
        })
    });
    json!({
        "arms": arms(broadcast).into_iter().map(arm).collect::<Vec<_>>(),
        "test": test,
        "decides_at": broadcast.decides_at().map(rfc3339),
        "decision": decision,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variant_has_a_letter_and_may_have_a_language() {
        let read = |text| {
            read_variant(text).map(|(it, language, value)| (it.to_string(), language, value))
        };
        let of = |a: &str, b: &str, c: &str| Ok((a.to_owned(), b.to_owned(), c.to_owned()));
        assert_eq!(read("B=a=b"), of("B", "", "a=b"));
        assert_eq!(read("c:pt_BR=Oi"), of("C", "pt-br", "Oi"));
        for wrong in ["B", "F=x", "=x", "A=x", "AB=x"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
