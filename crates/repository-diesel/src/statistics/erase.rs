//! Keeping the sums right when users are deleted.

use diesel::QueryResult;
use rollcall_domain::Sums;

use super::{
    add::{add_erased, add_sums},
    facts::add_user_with_id,
    uncounted,
};
use crate::{
    base::{connection::AnyConnection, error::Failure, transaction::Transaction},
    users::lock::lock,
};

/// Locks the rows of users that are to be deleted. Returns those that exist, and what they count in the
/// sums. Of users that the sums leave out, that is what they had counted before, which is deleted.
pub(crate) fn share_of(
    connection: &mut AnyConnection,
    ids: &[i64],
) -> Result<(Vec<i64>, Sums), Failure> {
    let (mut locked, mut sums) = (Vec::new(), Sums::default());
    for &id in ids {
        if !lock(connection, id)? {
            continue;
        }
        locked.push(id);
        if uncounted::is_counted(connection, id)? {
            add_user_with_id(connection, id, &mut sums)?;
        } else {
            uncounted::take_kept(connection, id, &mut sums)?;
        }
    }
    Ok((locked, sums))
}

/// Subtracts what users counted, who are deleted in this transaction, from the sums about the
/// present, and keeps it in the others.
pub(crate) fn erase(connection: &mut AnyConnection, share: Sums) -> QueryResult<()> {
    let (mut present, mut past) = (Sums::default(), Sums::default());
    for ((figure, day, label), value) in share {
        if figure.is_of_the_present() {
            present.add(figure, day, label, -value);
        } else {
            past.add(figure, day, label, value);
        }
    }
    let mut transaction = Transaction::from(connection);
    add_sums(&mut transaction, &present)?;
    add_erased(&mut transaction, &past)
}
