//! What a broadcast sends and tries out, as it is stored.

use chrono::{DateTime, Duration, Utc};
use rollcall_domain::{
    BroadcastContent, Decision, Experiment, InvalidPercent, Percent, Pick, Picture, VariantFigures,
    VariantTest,
};
use serde_json::{Value, json};

/// What is sent, as JSON.
pub(super) fn stored_content(content: &BroadcastContent) -> String {
    as_json(content).to_string()
}

fn as_json(content: &BroadcastContent) -> Value {
    match content {
        BroadcastContent::Text { texts, buttons, picture } => {
            let picture = picture.as_ref().map(|picture| match picture {
                Picture::FileId(id) => json!({ "file_id": id }),
                Picture::Stored(id) => json!({ "stored": id.to_string() }),
            });
            json!({"texts": texts, "buttons": buttons, "picture": picture})
        }
        BroadcastContent::Copy { from_chat_id, message_id, reply_markup } => {
            json!({"copy": [from_chat_id, message_id], "reply_markup": reply_markup})
        }
    }
}

/// What is sent, from its JSON.
pub(super) fn read_content(text: &str) -> Option<BroadcastContent> {
    from_json(&serde_json::from_str(text).ok()?)
}

fn from_json(json: &Value) -> Option<BroadcastContent> {
    let string = |value: &Value| value.as_str().map(str::to_owned);
    if let Some([from_chat_id, message_id]) =
        json.get("copy").and_then(Value::as_array).map(Vec::as_slice)
    {
        return Some(BroadcastContent::Copy {
            from_chat_id: from_chat_id.as_i64()?,
            message_id: message_id.as_i64()?,
            reply_markup: json.get("reply_markup").and_then(string),
        });
    }
    let texts = json.get("texts")?.as_object()?.iter();
    let texts = texts.map(|(language, text)| Some((language.clone(), string(text)?)));
    Some(BroadcastContent::Text {
        texts: texts.collect::<Option<_>>()?,
        buttons: json.get("buttons").and_then(string).unwrap_or_default(),
        // Broadcasts of former versions have no such field.
        picture: match json.get("picture") {
            None | Some(Value::Null) => None,
            Some(picture) => Some(match picture.get("stored") {
                Some(id) => Picture::Stored(id.as_str()?.parse().ok()?),
                None => Picture::FileId(string(picture.get("file_id")?)?),
            }),
        },
    })
}

/// What is tried out beside a held-out part, as JSON; `None` if there is nothing.
pub(super) fn stored_experiment(experiment: &Experiment) -> Option<String> {
    let others = experiment.others.iter().map(as_json).collect::<Vec<_>>();
    let test = experiment.test.map(|it| {
        json!({ "percent": it.part.get(), "by": it.by.name(), "after": it.after.num_seconds() })
    });
    let is_any = !others.is_empty() || test.is_some();
    is_any.then(|| json!({ "others": others, "test": test }).to_string())
}

/// What is tried out beside a held-out part.
pub(super) fn read_experiment(text: &str) -> Option<Experiment> {
    let json: Value = serde_json::from_str(text).ok()?;
    let others = json.get("others")?.as_array()?.iter().map(from_json).collect::<Option<_>>()?;
    let test = match json.get("test")? {
        Value::Null => None,
        test => Some(VariantTest {
            part: Percent::new(test.get("percent")?.as_u64()?.try_into().ok()?)?,
            by: test.get("by")?.as_str()?.parse().ok()?,
            after: Duration::try_seconds(test.get("after")?.as_i64()?)?,
        }),
    };
    Some(Experiment { hold_out: None, others, test })
}

pub(super) fn read_percent(stored: i32) -> Result<Percent, InvalidPercent> {
    stored.try_into().ok().and_then(Percent::new).ok_or(InvalidPercent)
}

/// An owner's choice as JSON.
pub(super) fn stored_pick(pick: &Pick) -> String {
    json!({ "winner": pick.winner.to_string(), "by": pick.by }).to_string()
}

/// An owner's choice from its JSON.
pub(super) fn read_pick(text: &str) -> Option<Pick> {
    let json: Value = serde_json::from_str(text).ok()?;
    let by = json.get("by")?.as_str().map(str::to_owned);
    Some(Pick { winner: json.get("winner")?.as_str()?.parse().ok()?, by })
}

/// A decision as JSON.
pub(super) fn stored_decision(decision: &Decision) -> String {
    let figures = decision.figures.iter();
    let figures = figures.map(|it| json!([it.sent, it.pressed, it.blocked]));
    json!({
        "winner": decision.winner.to_string(),
        "at": decision.at.timestamp_micros(),
        "picked": decision.pick.is_some(),
        "by": decision.pick.as_ref().and_then(|it| it.by.as_deref()),
        "figures": figures.collect::<Vec<_>>(),
    })
    .to_string()
}

/// A decision from its JSON.
pub(super) fn read_decision(text: &str) -> Option<Decision> {
    let json: Value = serde_json::from_str(text).ok()?;
    let winner = json.get("winner")?.as_str()?.parse().ok()?;
    let at: DateTime<Utc> = DateTime::from_timestamp_micros(json.get("at")?.as_i64()?)?;
    let by = json.get("by")?.as_str().map(str::to_owned);
    let figures = json.get("figures")?.as_array()?.iter().map(|row| {
        let [sent, pressed, blocked] = row.as_array()?.as_slice() else { return None };
        let (sent, pressed, blocked) = (sent.as_u64()?, pressed.as_u64()?, blocked.as_u64()?);
        Some(VariantFigures { sent, pressed, blocked })
    });
    let pick = json.get("picked")?.as_bool()?.then_some(Pick { winner, by });
    Some(Decision { winner, at, pick, figures: figures.collect::<Option<_>>()? })
}
