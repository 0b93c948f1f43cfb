//! The row of the key.

use diesel::prelude::*;

use crate::base::{
    connection::AnyConnection,
    error::Failure,
    schema::suppression_key,
    suppression_key::{KeySource, StoredKey, SuppressionKey, SuppressionKeyPlace},
    transaction::{Transaction, alike},
};

const ONLY_ROW: i16 = 1;

/// The key of the database; `None` if no user was erased yet. The transaction may not have written it.
pub(super) fn committed(
    connection: &mut Transaction<'_>,
    source: &KeySource,
) -> Result<Option<SuppressionKey>, Failure> {
    if let Some(key) = source.known() {
        return Ok(Some(key.clone()));
    }
    let stored = read(connection)?;
    stored.map(|stored| source.remember(&stored)).transpose()
}

/// The key of the database, which gets one if it has none.
pub(crate) fn given_or_created(
    connection: &mut Transaction<'_>,
    source: &KeySource,
) -> Result<SuppressionKey, Failure> {
    if let Some(key) = committed(connection, source)? {
        return Ok(key);
    }
    let key = source.first()?;
    let secret = (!source.is_given()).then(|| key.bytes().to_vec());
    alike!(connection => diesel::insert_into(suppression_key::table)
        .values((
            suppression_key::only_row.eq(ONLY_ROW),
            suppression_key::key_check.eq(key.check()),
            suppression_key::secret.eq(secret),
        ))
        .on_conflict_do_nothing()
        .execute(connection))?;
    // Another process may have been faster. It is not remembered, because this transaction may be
    // rolled back.
    let stored = read(connection)?;
    stored.map_or(Ok(key), |stored| source.find(&stored))
}

fn read(connection: &mut Transaction<'_>) -> QueryResult<Option<StoredKey>> {
    let row: Option<(Vec<u8>, Option<Vec<u8>>)> = alike!(connection => suppression_key::table
        .find(ONLY_ROW)
        .select((suppression_key::key_check, suppression_key::secret))
        .first(connection)
        .optional())?;
    Ok(row.map(|(check, secret)| StoredKey { check, secret }))
}

/// Checks the key, and returns where it is.
pub(crate) fn place(
    connection: &mut AnyConnection,
    source: &KeySource,
) -> Result<SuppressionKeyPlace, Failure> {
    let stored = read(&mut Transaction::from(connection))?;
    let is_stored = stored.as_ref().map(|stored| source.remember(stored)).transpose()?.is_some();
    Ok(match (source.is_given(), is_stored) {
        (true, _) => SuppressionKeyPlace::Given,
        (false, true) => SuppressionKeyPlace::Database,
        (false, false) => SuppressionKeyPlace::None,
    })
}

/// As [`place`], and deletes the database's own copy of a key that was given.
pub(crate) fn settle(
    connection: &mut AnyConnection,
    source: &KeySource,
) -> Result<SuppressionKeyPlace, Failure> {
    let place = place(connection, source)?;
    if place == SuppressionKeyPlace::Given {
        diesel::update(suppression_key::table.filter(suppression_key::secret.is_not_null()))
            .set(suppression_key::secret.eq(None::<Vec<u8>>))
            .execute(connection)?;
    }
    Ok(place)
}

/// The key that the database keeps, or that it is to have. `None` if it is not in the database.
pub(crate) fn to_move(
    connection: &mut AnyConnection,
    source: &KeySource,
) -> Result<Option<SuppressionKey>, Failure> {
    let stored = read(&mut Transaction::from(&mut *connection))?;
    match stored {
        None => source.first().map(Some),
        Some(stored) if stored.secret.is_some() => source.find(&stored).map(Some),
        Some(_) => Ok(None),
    }
}
