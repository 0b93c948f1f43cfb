//! Slots, so that processes do not wait for each other's commits. Rows that several writers add to, such as
//! sums, have a slot in their key. On PostgreSQL a transaction takes a slot that no other one has;
//! what counts is the sum over all slots. SQLite has one writer, and slot 0.

/// An SQL expression of PostgreSQL, a `SMALLINT`: the lowest slot that no other transaction has. The
/// transaction has it until its end. Should all 64 be taken, it shares one.
///
/// The key of the advisory locks is "slot" in ASCII.
macro_rules! slot {
    () => {
        "COALESCE(
            (SELECT slot FROM (SELECT generate_series(0, 63) AS slot) AS slots
             WHERE pg_try_advisory_xact_lock(1936486260, slot) LIMIT 1),
            pg_backend_pid() % 64)::smallint"
    };
}
pub(crate) use slot;
