//! A copy of everything that is stored about one person, as JSON.

use std::sync::Arc;

use chrono::{DateTime, SecondsFormat, Utc};
use rollcall_domain::{Clock, DataRow, DataValue, LabelName, PersonalTable, TelegramId};
use rollcall_repository::{PersonalDataRepository, SegmentPassRepository, SegmentRepository};
use serde_json::{Map, Value};

use super::payload;
use crate::{SegmentService, ServiceError};

/// How many rows are read at once.
const ROWS_AT_ONCE: u32 = 2_000;
/// The column with an update as Telegram sent it.
const PAYLOAD: (PersonalTable, &str) = (PersonalTable::Quarantine, "payload");

/// Reads everything that is stored about a person. Cheap to clone.
#[derive(Clone)]
pub struct PersonalDataService {
    data: Arc<dyn PersonalDataRepository>,
    segments: SegmentService,
    clock: Arc<dyn Clock>,
}

impl PersonalDataService {
    /// Creates a service over `storage`.
    pub fn new(
        storage: impl PersonalDataRepository
        + SegmentRepository
        + SegmentPassRepository
        + Clone
        + 'static,
        clock: impl Clock + Clone + 'static,
    ) -> Self {
        Self {
            segments: SegmentService::new(storage.clone(), clock.clone()),
            data: Arc::new(storage),
            clock: Arc::new(clock),
        }
    }

    /// Whether anything is stored about a person, who need not be a user.
    ///
    /// # Errors
    /// If the storage fails.
    pub async fn has_any(&self, person: TelegramId) -> Result<bool, ServiceError> {
        for &table in PersonalTable::ALL {
            if !self.data.personal_rows(table, person, 0, 1).await?.is_empty() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// A copy of everything that is stored about a person, who need not be a user: one JSON object, with
    /// the rows of each table, and without the ids of other people. It reads nothing before the first
    /// call of [`UserCopy::next`].
    pub fn copy(&self, person: TelegramId) -> UserCopy {
        UserCopy {
            service: self.clone(),
            person,
            at: self.clock.now(),
            rest: PersonalTable::ALL,
            skipped: 0,
            state: State::Beginning,
        }
    }
}

/// A copy that is read part by part.
pub struct UserCopy {
    service: PersonalDataService,
    person: TelegramId,
    at: DateTime<Utc>,
    /// The tables that are left.
    rest: &'static [PersonalTable],
    /// How many rows of the next table were read.
    skipped: u64,
    state: State,
}

enum State {
    Beginning,
    Tables,
    Ended,
}

impl UserCopy {
    /// The next part of the text; `None` at the end.
    ///
    /// # Errors
    /// If the storage fails.
    pub async fn next(&mut self) -> Result<Option<Vec<u8>>, ServiceError> {
        match self.state {
            State::Beginning => {
                self.state = State::Tables;
                Ok(Some(self.head().await?.into_bytes()))
            }
            State::Tables => match self.rest.split_first() {
                Some((&table, rest)) => self.part(table, rest).await.map(Some),
                None => {
                    self.state = State::Ended;
                    Ok(Some(b"\n  }\n}\n".to_vec()))
                }
            },
            State::Ended => Ok(None),
        }
    }

    /// The rest of the text at once; `None` if it has more than `most` bytes.
    ///
    /// # Errors
    /// If the storage fails.
    pub async fn within(&mut self, most: usize) -> Result<Option<Vec<u8>>, ServiceError> {
        let mut text = Vec::new();
        while let Some(part) = self.next().await? {
            if text.len() + part.len() > most {
                return Ok(None);
            }
            text.extend_from_slice(&part);
        }
        Ok(Some(text))
    }

    async fn head(&self) -> Result<String, ServiceError> {
        let segments = self.service.segments.of_user(self.person).await?;
        let segments: Vec<&str> = segments.iter().map(LabelName::as_str).collect();
        Ok(format!(
            "{{\n  \"telegram_id\": {},\n  \"copied_at\": \"{}\",\n  \"segments\": {},\n  \"tables\": {{",
            self.person,
            time(self.at),
            Value::from(segments)
        ))
    }

    async fn part(
        &mut self,
        table: PersonalTable,
        rest: &'static [PersonalTable],
    ) -> Result<Vec<u8>, ServiceError> {
        let data = &self.service.data;
        let rows = match table.is_copied() {
            true => data.personal_rows(table, self.person, self.skipped, ROWS_AT_ONCE).await?,
            false => Vec::new(),
        };
        let number = u64::try_from(rows.len()).unwrap_or(u64::MAX);
        let is_whole = number < u64::from(ROWS_AT_ONCE);
        let mut text = String::new();
        let is_first_table = self.rest.len() == PersonalTable::ALL.len();
        if table.is_copied() && self.skipped == 0 {
            let comma = if is_first_table { "" } else { "," };
            text.push_str(&format!("{comma}\n    \"{}\": [", table.name()));
        }
        for (place, row) in rows.into_iter().enumerate() {
            let is_first = self.skipped == 0 && place == 0;
            text.push_str(if is_first { "\n      " } else { ",\n      " });
            text.push_str(&self.as_json(table, row).to_string());
        }
        self.skipped += number;
        if is_whole {
            if table.is_copied() {
                text.push_str(if self.skipped == 0 { "]" } else { "\n    ]" });
            }
            self.rest = rest;
            self.skipped = 0;
        }
        Ok(text.into_bytes())
    }

    fn as_json(&self, table: PersonalTable, row: DataRow) -> Value {
        let column = |(name, value): (&'static str, Option<DataValue>)| {
            let value = match value {
                Some(DataValue::Text(text)) if (table, name) == PAYLOAD => {
                    payload::of_person(&text, self.person)
                }
                value => as_json(value),
            };
            (name.to_owned(), value)
        };
        Value::Object(row.into_iter().map(column).collect::<Map<_, _>>())
    }
}

fn as_json(value: Option<DataValue>) -> Value {
    match value {
        None => Value::Null,
        Some(DataValue::Flag(flag)) => flag.into(),
        Some(DataValue::Number(number)) => number.into(),
        Some(DataValue::Text(text)) => text.into(),
        Some(DataValue::Time(at)) => time(at).into(),
        Some(DataValue::Day(day)) => day.to_string().into(),
    }
}

fn time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Micros, true)
}
