//! Updates that another program received from Telegram, and sends on.

use std::{fmt, sync::Arc};

use rollcall_domain::{Clock, Registration};
use rollcall_service::{ServiceError, UserService};
use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, SeqAccess, Visitor},
};
use serde_json::value::RawValue;

use crate::{
    dating::date_undated,
    json::describe_error,
    registrar::{Registered, Registrar, log_faults},
    update::{self, Update},
};

/// The most updates in one request.
pub const MAX_UPDATES: usize = 1000;

/// Registers the users of updates that another program received. It needs no connection to Telegram,
/// and answers no commands. Cheap to clone.
#[derive(Clone)]
pub struct Intake {
    registrar: Registrar,
    clock: Arc<dyn Clock>,
    commands: &'static [&'static str],
    button_family: fn(&str) -> Option<&'static str>,
}

/// What became of one update.
#[derive(Clone, Debug)]
pub struct TakenUpdate {
    /// Its id.
    pub update_id: i64,
    /// What became of it.
    pub outcome: Outcome,
    /// The registration of its user, if it has one.
    pub registration: Option<Registration>,
}

/// What became of an update.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// Its user is registered.
    Registered,
    /// It was registered before, so it changed nothing.
    Repeated,
    /// It could not be read in full, or the database refused it: it is in quarantine.
    SetAside,
    /// No user caused it.
    NoActor,
    /// Its user is known only from messages to a business account, and such users are not registered.
    NotStored,
    /// Its user was erased and has not agreed to be stored again, so nothing about them was stored.
    Suppressed,
}

impl Outcome {
    /// Every outcome.
    pub const ALL: [Self; 6] = [
        Self::Registered,
        Self::Repeated,
        Self::SetAside,
        Self::NoActor,
        Self::NotStored,
        Self::Suppressed,
    ];

    /// The outcome's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Registered => "registered",
            Self::Repeated => "repeated",
            Self::SetAside => "set_aside",
            Self::NoActor => "no_actor",
            Self::NotStored => "not_stored",
            Self::Suppressed => "suppressed",
        }
    }
}

/// Why updates were not taken.
#[derive(Debug, thiserror::Error)]
pub enum IntakeError {
    /// The request contains something else than updates. Nothing was stored.
    #[error(transparent)]
    Invalid(#[from] InvalidUpdates),
    /// The storage failed. Some updates may be stored; send all of them again.
    #[error(transparent)]
    Storage(#[from] ServiceError),
}

/// A text that does not contain updates. The reason quotes no user.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct InvalidUpdates {
    /// The index of the wrong update, if one of several is wrong.
    pub element: Option<usize>,
    /// What is wrong.
    pub reason: String,
}

impl InvalidUpdates {
    fn new(reason: impl Into<String>) -> Self {
        Self { element: None, reason: reason.into() }
    }
}

impl Intake {
    /// Registers with `users`. `commands` and `button_family` name what counts as a command or button;
    /// see [`Handler`](crate::Handler).
    pub fn new(
        users: UserService,
        clock: impl Clock + 'static,
        commands: &'static [&'static str],
        button_family: fn(&str) -> Option<&'static str>,
    ) -> Self {
        Self { registrar: Registrar::new(users), clock: Arc::new(clock), commands, button_family }
    }

    /// Registers the users of the updates in `body`, in their order: one update, a JSON array of them, or
    /// the response of getUpdates. Returns what became of each, in their order, once that is durable.
    ///
    /// # Errors
    /// If the body contains something else, or more than [`MAX_UPDATES`] updates, which changes nothing;
    /// or if the storage fails.
    pub async fn take(&self, body: &[u8]) -> Result<Vec<TakenUpdate>, IntakeError> {
        let (raw, is_list) = split(body)?;
        self.take_parts(raw, is_list).await
    }

    /// Registers the user of one update, as Telegram sent it. Returns what became of it, once that is
    /// durable.
    ///
    /// # Errors
    /// If `update` is something else, which changes nothing; or if the storage fails.
    pub async fn take_one(&self, update: &str) -> Result<TakenUpdate, IntakeError> {
        let (raw, is_list) = split(update.as_bytes())?;
        if is_list {
            return Err(InvalidUpdates::new("several updates; expected one").into());
        }
        let taken = self.take_parts(raw, is_list).await?.pop();
        Ok(taken.ok_or(ServiceError::Stopped)?)
    }

    async fn take_parts(
        &self,
        raw: Vec<&RawValue>,
        is_list: bool,
    ) -> Result<Vec<TakenUpdate>, IntakeError> {
        let received = self.clock.now();
        let mut updates: Vec<Update<'_>> = raw
            .into_iter()
            .map(|raw| update::read(raw.get(), received, None, self.commands, &self.button_family))
            .collect();
        let ids = updates.iter().enumerate().map(|(index, update)| {
            let fault = update.fault.as_deref().unwrap_or_default();
            update.update_id.ok_or_else(|| InvalidUpdates {
                element: is_list.then_some(index),
                reason: format!("not an update of the Bot API: {fault}"),
            })
        });
        let ids: Vec<i64> = ids.collect::<Result<_, _>>()?;
        log_faults(&updates);
        date_undated(&mut updates, received);
        let Registered { registrations, held } = self.registrar.register(&updates).await?;
        if let Some(held) = held {
            return Err(held.error.into());
        }
        let mut of_each: Vec<Option<Registration>> = vec![None; updates.len()];
        for (index, registration) in registrations {
            if let Some(place) = of_each.get_mut(index) {
                *place = Some(registration);
            }
        }
        let taken = ids.into_iter().zip(&updates).zip(of_each);
        let taken = taken.map(|((update_id, update), registration)| {
            let outcome = outcome(update, registration.as_ref());
            TakenUpdate { update_id, outcome, registration }
        });
        Ok(taken.collect())
    }
}

fn outcome(update: &Update<'_>, registration: Option<&Registration>) -> Outcome {
    match registration {
        Some(registration) if registration.suppressed => Outcome::Suppressed,
        Some(registration) if registration.repeated => Outcome::Repeated,
        Some(registration) if !registration.stored && update.fault.is_none() => Outcome::NotStored,
        _ if update.fault.is_some() => Outcome::SetAside,
        Some(_) => Outcome::Registered,
        // Its user is not registered, so the database refused it.
        None if update.interaction.is_some() => Outcome::SetAside,
        None => Outcome::NoActor,
    }
}

/// The updates in a body, and whether it is a list of them.
fn split(body: &[u8]) -> Result<(Vec<&RawValue>, bool), InvalidUpdates> {
    let body = str::from_utf8(body).map_err(|_| InvalidUpdates::new("the body is not UTF-8"))?;
    let raw: &RawValue = serde_json::from_str(body)
        .map_err(|error| InvalidUpdates::new(format!("the body is {}", describe_error(&error))))?;
    match raw.get().chars().next() {
        Some('[') => Ok((elements(raw)?, true)),
        Some('{') => match serde_json::from_str::<Response>(raw.get()) {
            Ok(Response { update_id: None, result: Some(result), .. }) => {
                Ok((elements(result)?, true))
            }
            Ok(Response { update_id: None, ok: Some(_), .. }) => {
                Err(InvalidUpdates::new("a response of the Bot API without updates"))
            }
            _ => Ok((vec![raw], false)),
        },
        _ => Err(InvalidUpdates::new(
            "expected an update, an array of updates, or the response of getUpdates",
        )),
    }
}

fn elements(list: &RawValue) -> Result<Vec<&RawValue>, InvalidUpdates> {
    let Elements { first, all } = serde_json::from_str(list.get())
        .map_err(|_| InvalidUpdates::new("`result` is not an array of updates"))?;
    if all > MAX_UPDATES {
        let reason = format!("{all} updates; expected at most {MAX_UPDATES} in one request");
        return Err(InvalidUpdates::new(reason));
    }
    Ok(first)
}

/// The fields by which the response of getUpdates differs from an update.
#[derive(Deserialize)]
struct Response<'a> {
    #[serde(borrow, default)]
    update_id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    ok: Option<&'a RawValue>,
    #[serde(borrow, default)]
    result: Option<&'a RawValue>,
}

/// The first elements of an array, and how many there are. Memory stays bounded.
struct Elements<'a> {
    first: Vec<&'a RawValue>,
    all: usize,
}

impl<'de: 'a, 'a> Deserialize<'de> for Elements<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Array;

        impl<'de> Visitor<'de> for Array {
            type Value = Elements<'de>;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("an array")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<Self::Value, A::Error> {
                let mut first = Vec::new();
                while first.len() < MAX_UPDATES
                    && let Some(element) = array.next_element()?
                {
                    first.push(element);
                }
                let mut all = first.len();
                while array.next_element::<IgnoredAny>()?.is_some() {
                    all += 1;
                }
                Ok(Elements { first, all })
            }
        }

        deserializer.deserialize_seq(Array)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(body: &str) -> Result<Vec<&str>, String> {
        let (raw, _) = split(body.as_bytes()).map_err(|error| error.reason)?;
        Ok(raw.into_iter().map(RawValue::get).collect())
    }

    #[test]
    fn a_body_is_an_update_an_array_or_a_response() {
        assert_eq!(parts(r#" {"update_id":1} "#).unwrap(), [r#"{"update_id":1}"#]);
        assert_eq!(parts(r#"[{"update_id":1}, 2]"#).unwrap(), [r#"{"update_id":1}"#, "2"]);
        let response = r#"{"ok":true,"result":[{"update_id":1},{"update_id":2}]}"#;
        assert_eq!(parts(response).unwrap(), [r#"{"update_id":1}"#, r#"{"update_id":2}"#]);
        // A later kind of update may have such a field.
        let odd = r#"{"update_id":1,"result":[]}"#;
        assert_eq!(parts(odd).unwrap(), [odd]);
        assert!(parts("[]").unwrap().is_empty());
        assert!(parts(r#"{"ok":true,"result":[]}"#).unwrap().is_empty());
    }

    #[test]
    fn other_bodies_are_refused_with_the_reason() {
        for (body, reason) in [
            ("", "the body is cut off at line 1 column 0"),
            ("{\"update_id\":1", "the body is cut off at line 1 column 14"),
            ("{} {}", "the body is not JSON at line 1 column 4"),
            ("5", "expected an update, an array of updates, or the response of getUpdates"),
            ("null", "expected an update, an array of updates, or the response of getUpdates"),
            (r#"{"ok":false,"error_code":409}"#, "a response of the Bot API without updates"),
            (r#"{"ok":true,"result":true}"#, "`result` is not an array of updates"),
        ] {
            assert_eq!(parts(body).unwrap_err(), reason, "{body}");
        }
        assert_eq!(split(b"\"\xff\"").unwrap_err().reason, "the body is not UTF-8");
        let many = format!("[{}0]", "0,".repeat(MAX_UPDATES));
        assert_eq!(parts(&many).unwrap_err(), "1001 updates; expected at most 1000 in one request");
        assert_eq!(parts(&many.replacen("0,", "", 1)).unwrap().len(), MAX_UPDATES);
    }
}
