//! The queries of a part.

use std::slice;

use diesel::{RunQueryDsl, sql_types::BigInt};
use rollcall_domain::{SearchText, Selection, TelegramUser, Term};

use super::{
    atoms::{Atoms, From, Numbered},
    bits::Bits,
};
use crate::{
    base::{connection::AnyConnection, error::Failure, statement::Columns},
    directory::{filter::Known, sql::Sql},
    row::columns::{UserRow, columns},
};

/// How many atoms a column of a row has.
const ATOMS_OF_COLUMN: usize = 62;
/// How many such columns a row has.
const COLUMNS: usize = 4;
/// The most bytes and parameters of the atoms of a query. SQLite takes a million and 32,766.
const MOST_BYTES: usize = 300_000;
const MOST_PARAMETERS: usize = 10_000;
/// How many users are read at once where their names must be compared.
const READ_AT_ONCE: i64 = 2_000;
/// How many users of all atoms together a part may have, each a bit: eight megabytes.
const BITS: i64 = 8 * 8 * 1024 * 1024;

/// The ids of a part: after one id and up to another, and no more users than `most`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Range {
    pub(crate) after: i64,
    pub(crate) until: i64,
    pub(crate) most: i64,
}

/// The users of a part, by id, and which of them each selection selects.
#[derive(Debug)]
pub(crate) struct Members {
    pub(crate) ids: Vec<i64>,
    pub(crate) of: Vec<Bits>,
    /// Whether there may be more users in the range: the part has as many as it may have. Parts with
    /// many different terms have fewer.
    pub(crate) is_full: bool,
}

/// The number of a user, and the atoms that the user meets.
type Row = (i64, i64, i64, i64, i64);
type Columns5 = (BigInt, BigInt, BigInt, BigInt, BigInt);

/// Evaluates selections for the users of a part. Runs in a transaction that sees one moment.
pub(crate) fn members(
    connection: &mut AnyConnection,
    selections: &[Selection],
    range: Range,
) -> Result<Members, Failure> {
    let known = Known::read_all(connection, selections)?;
    let mut atoms = Atoms::default();
    let trees: Vec<_> = selections.iter().map(|it| atoms.add(it, &known)).collect();
    let most = range.most.min(most_users(atoms.count));
    let mut part = Part::read(connection, &atoms, Range { most, ..range })?;
    part.read_rows(connection, &atoms)?;
    part.read_names(connection, &atoms)?;
    let places = part.ids.len();
    let of = trees.iter().map(|tree| tree.users(&part.atoms, places)).collect();
    let is_full = i64::try_from(places).is_ok_and(|places| places >= most);
    Ok(Members { ids: part.ids, of, is_full })
}

/// How many users a part may have with so many atoms.
fn most_users(atoms: usize) -> i64 {
    let atoms = i64::try_from(atoms).unwrap_or(i64::MAX).max(1);
    (BITS / atoms).max(100)
}

struct Part {
    ids: Vec<i64>,
    after: i64,
    /// The users of each atom.
    atoms: Vec<Bits>,
}

impl Part {
    /// The users of a range, with the atoms about their own rows.
    fn read(
        connection: &mut AnyConnection,
        atoms: &Atoms,
        Range { after, until, most }: Range,
    ) -> Result<Self, Failure> {
        let mut groups = groups(&atoms.users).into_iter();
        let first = groups.next().unwrap_or_default();
        let rows = users(connection, first, after, until, most)?;
        let ids: Vec<i64> = rows.iter().map(|row| row.0).collect();
        let none = Bits::none(ids.len());
        let mut part = Self { ids, after, atoms: vec![none; atoms.count] };
        part.note(first, &rows);
        let Some(last) = part.ids.last().copied() else { return Ok(part) };
        for group in groups {
            let rows = users(connection, group, after, last, most)?;
            part.note(group, &rows);
        }
        Ok(part)
    }

    /// Adds the atoms about other tables.
    fn read_rows(&mut self, connection: &mut AnyConnection, atoms: &Atoms) -> Result<(), Failure> {
        let Some(last) = self.ids.last().copied() else { return Ok(()) };
        for (From { table, joined }, conditions) in &atoms.rows {
            for group in groups(conditions) {
                let mut sql = Sql::new(format!("SELECT {table}.telegram_id"));
                sql.append(masks(group, |condition| {
                    Sql::between("MAX(CASE WHEN ", condition.clone(), " THEN 1 ELSE 0 END) = 1")
                }));
                sql.push(&format!(
                    " FROM {joined} WHERE {table}.telegram_id > {} AND {table}.telegram_id <= \
                     {last} GROUP BY {table}.telegram_id ORDER BY {table}.telegram_id",
                    self.after
                ));
                let rows: Vec<Row> = sql.returning::<Columns5>().load(connection)?;
                self.note(group, &rows);
            }
        }
        Ok(())
    }

    /// Adds the atoms about names.
    fn read_names(&mut self, connection: &mut AnyConnection, atoms: &Atoms) -> Result<(), Failure> {
        let (Some(last), false) = (self.ids.last().copied(), atoms.names.is_empty()) else {
            return Ok(());
        };
        let mut after = self.after;
        while after < last {
            let sql = Sql::new(format!(
                concat!(
                    "SELECT ",
                    columns!(row name),
                    " FROM telegram_users AS users WHERE telegram_id > {} AND telegram_id <= {} \
                     ORDER BY telegram_id LIMIT {}"
                ),
                after, last, READ_AT_ONCE
            ));
            let rows: Vec<UserRow> = sql.returning::<Columns<UserRow>>().load(connection)?;
            after = last;
            for row in rows {
                let user = row.into_user()?;
                after = user.telegram_id.get();
                let Ok(place) = self.ids.binary_search(&after) else { continue };
                for (number, term) in &atoms.names {
                    if has_name(&user, term)
                        && let Some(users) = self.atoms.get_mut(*number)
                    {
                        users.add(place);
                    }
                }
            }
        }
        Ok(())
    }

    /// Notes which users meet the atoms of a query, whose rows are sorted by user.
    fn note(&mut self, group: &[Numbered], rows: &[Row]) {
        let mut places = self.ids.iter().enumerate();
        for (id, a, b, c, d) in rows {
            let Some((place, _)) = places.by_ref().find(|(_, user)| *user == id) else { return };
            for (mask, column) in [a, b, c, d].into_iter().zip(group.chunks(ATOMS_OF_COLUMN)) {
                if *mask == 0 {
                    continue;
                }
                for (bit, (number, _)) in column.iter().enumerate() {
                    if mask >> bit & 1 == 1
                        && let Some(users) = self.atoms.get_mut(*number)
                    {
                        users.add(place);
                    }
                }
            }
        }
    }
}

fn has_name(user: &TelegramUser, term: &Term) -> bool {
    match term {
        Term::Name(term) => SearchText::of_names(user).matches(term),
        Term::Search(term) => {
            term.id() == Some(user.telegram_id) || SearchText::of(user).matches(term)
        }
        // Every other term is SQL.
        _ => false,
    }
}

/// Users of a range with the atoms of a group.
fn users(
    connection: &mut AnyConnection,
    group: &[Numbered],
    after: i64,
    until: i64,
    most: i64,
) -> Result<Vec<Row>, Failure> {
    let mut sql = Sql::new("SELECT users.telegram_id");
    sql.append(masks(group, Sql::clone));
    sql.push(&format!(
        " FROM telegram_users AS users WHERE users.telegram_id > {after} AND users.telegram_id <= \
         {until} ORDER BY users.telegram_id LIMIT {most}"
    ));
    Ok(sql.returning::<Columns5>().load(connection)?)
}

/// The columns with the atoms of a group, a bit for each.
fn masks(group: &[Numbered], condition: impl Fn(&Sql) -> Sql) -> Sql {
    let mut columns = group.chunks(ATOMS_OF_COLUMN);
    let mut all = Sql::default();
    for _ in 0..COLUMNS {
        let bits = columns.next().unwrap_or_default().iter().enumerate().map(|(bit, (_, sql))| {
            let value = 1_i64 << bit;
            let then = format!(" THEN CAST({value} AS BIGINT) ELSE 0 END");
            Sql::between("CASE WHEN ", condition(sql), &then)
        });
        let sum = Sql::joined(bits.collect(), " + ", "0");
        all.append(Sql::between(", CAST(", sum, " AS BIGINT)"));
    }
    all
}

/// Splits atoms so that each group fits into a query.
fn groups(mut atoms: &[Numbered]) -> Vec<&[Numbered]> {
    let mut groups = Vec::new();
    while let Some(first) = atoms.first() {
        let (mut bytes, mut parameters) = first.1.size();
        let more = atoms.iter().skip(1).take_while(|(_, sql)| {
            let (more_bytes, more_parameters) = sql.size();
            bytes += more_bytes;
            parameters += more_parameters;
            bytes <= MOST_BYTES && parameters <= MOST_PARAMETERS
        });
        let size = (1 + more.count()).min(ATOMS_OF_COLUMN * COLUMNS);
        let (group, rest) = atoms.split_at_checked(size).unwrap_or((slice::from_ref(first), &[]));
        groups.push(group);
        atoms = rest;
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_with_many_terms_have_fewer_users() {
        assert!(most_users(0) > 1_000_000 && most_users(100) > 20_000);
        // 200 segments with 200 terms each, none of which is in two of them.
        assert_eq!(most_users(40_000), 1_677);
        assert_eq!(most_users(usize::MAX), 100);
    }
}
