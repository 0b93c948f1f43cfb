//! A PostgreSQL database that Citus has distributed over several servers; see docs/citus.md.
//!
//! The rows of a user are in one shard, found by a hash of `telegram_id`. A transaction about users of one
//! shard stays on one server, if each of its statements names the ids: `telegram_id = ANY(:ids)`. What has
//! no user, such as sums, is stored by a slot: a number that the hash puts into the shard of the batch.

use std::sync::Arc;

use diesel::{
    Connection, QueryResult, RunQueryDsl,
    connection::{Instrumentation, InstrumentationEvent, get_default_instrumentation},
    sql_types::{Bool, Integer},
};

use super::connection::PgConnection;

/// How many slots there are: those below this number, in `shard_slots`.
pub(crate) const SLOTS: i64 = 4096;

/// How many slots of a shard are used.
const SLOTS_OF_SHARD: usize = 8;

/// The most shards into which `manage distribute` divides the users. Each shard has many slots then.
pub(crate) const MOST_SHARDS: u32 = 64;

/// The shards of the users.
#[derive(Debug)]
pub(crate) struct Shards {
    /// The highest hash of each shard, in order. The highest of the last one is the highest of all.
    last_hashes: Vec<i32>,
    /// The slots of each shard.
    slots: Vec<Vec<i64>>,
    /// A number of the connection, by which it chooses a slot of each shard. So two connections seldom
    /// wait for each other's rows.
    turn: usize,
}

impl Shards {
    fn new(last_hashes: Vec<i32>, turn: usize) -> Self {
        let mut shards = Self { slots: vec![Vec::new(); last_hashes.len()], last_hashes, turn };
        for slot in 0..SLOTS {
            let shard = shards.of(slot);
            if let Some(slots) = shards.slots.get_mut(shard).filter(|it| it.len() < SLOTS_OF_SHARD)
            {
                slots.push(slot);
            }
        }
        shards
    }

    /// How many there are.
    pub(crate) fn number(&self) -> usize {
        self.last_hashes.len()
    }

    /// The shard of a user, or of a slot.
    pub(crate) fn of(&self, id: i64) -> usize {
        let hash = hash(id);
        self.last_hashes.partition_point(|last| *last < hash)
    }

    /// The slot in the shard of a user to which this connection adds.
    pub(crate) fn slot(&self, id: i64) -> i64 {
        let slots = self.slots.get(self.of(id)).filter(|slots| !slots.is_empty());
        let slot = slots.and_then(|slots| slots.get(self.turn % slots.len()));
        slot.copied().unwrap_or_default()
    }

    /// All slots of the shard of a user.
    pub(crate) fn slots(&self, id: i64) -> &[i64] {
        self.slots.get(self.of(id)).map_or(&[], Vec::as_slice)
    }

    /// A slot of each shard.
    pub(crate) fn first_slots(&self) -> Vec<i64> {
        self.slots.iter().filter_map(|slots| slots.first().copied()).collect()
    }

    /// Splits ids by their shards, which are in order; within a shard they keep their order.
    pub(crate) fn split(&self, ids: impl IntoIterator<Item = i64>) -> Vec<Vec<i64>> {
        let mut parts = vec![Vec::new(); self.number()];
        for id in ids {
            if let Some(part) = parts.get_mut(self.of(id)) {
                part.push(id);
            }
        }
        parts.retain(|part| !part.is_empty());
        parts
    }
}

/// What PostgreSQL's `hashint8` makes of a number: the last mixing of Jenkins's hash lookup3, of one word.
/// Citus divides its values among the shards.
fn hash(id: i64) -> i32 {
    let bytes = id.cast_unsigned();
    let (low, high) = (low_half(bytes), low_half(bytes >> 32));
    // So that it is the hash of the same number in four bytes.
    let word = low ^ if id >= 0 { high } else { !high };
    let start = 0x9e37_79b9_u32.wrapping_add(4).wrapping_add(3_923_095);
    let (mut a, mut b, mut c) = (start.wrapping_add(word), start, start);
    let mix = |to: u32, from: u32, bits: u32| (to ^ from).wrapping_sub(from.rotate_left(bits));
    c = mix(c, b, 14);
    a = mix(a, c, 11);
    b = mix(b, a, 25);
    c = mix(c, b, 16);
    a = mix(a, c, 4);
    b = mix(b, a, 14);
    c = mix(c, b, 24);
    c.cast_signed()
}

fn low_half(number: u64) -> u32 {
    u32::try_from(number & u64::from(u32::MAX)).unwrap_or_default()
}

/// Keeps the shards with a connection of Diesel, which has no other place for what is known of it.
struct Kept {
    shards: Arc<Shards>,
    /// What the program watches its connections with, as the tests do.
    watch: Option<Box<dyn Instrumentation>>,
}

impl Instrumentation for Kept {
    fn on_connection_event(&mut self, event: InstrumentationEvent<'_>) {
        self.watch.on_connection_event(event);
    }
}

/// The shards of the database of a connection; `None` if it is not distributed.
pub(crate) fn shards<C: Connection>(connection: &mut C) -> Option<Arc<Shards>> {
    connection.instrumentation().downcast_ref::<Kept>().map(|kept| kept.shards.clone())
}

/// Finds out whether the database is distributed, and keeps its shards with the connection.
pub(crate) fn find(connection: &mut PgConnection) -> QueryResult<()> {
    let has_citus = "SELECT EXISTS (SELECT FROM pg_extension WHERE extname = 'citus')";
    if !diesel::dsl::sql::<Bool>(has_citus).get_result(connection)? {
        return Ok(());
    }
    let found: Vec<(i32, i32)> = diesel::dsl::sql::<(Integer, Integer)>(
        "SELECT shardmaxvalue::integer, pg_backend_pid() FROM pg_dist_shard \
         WHERE logicalrelid = to_regclass('telegram_users') ORDER BY shardmaxvalue::integer",
    )
    .load(connection)?;
    let Some(&(_, process)) = found.first() else { return Ok(()) };
    let last_hashes = found.into_iter().map(|(last, _)| last).collect();
    let turn = usize::try_from(process).unwrap_or_default();
    let shards = Arc::new(Shards::new(last_hashes, turn));
    connection.set_instrumentation(Kept { shards, watch: get_default_instrumentation() });
    Ok(())
}

#[cfg(test)]
mod tests {
    use rollcall_testkit::ThrowAwayDatabase;

    use super::*;

    /// As Citus divides them: equal parts of all hashes.
    fn shards(number: i64) -> Shards {
        let size = (1_i64 << 32) / number;
        let last = |n| i32::try_from(i64::from(i32::MIN) + size * n - 1).unwrap();
        let others = (1..number).map(last);
        Shards::new(others.chain([i32::MAX]).collect(), 3)
    }

    #[test]
    fn the_hash_is_that_of_postgresql() {
        let Some(database) = ThrowAwayDatabase::postgres() else { return };
        let mut connection = PgConnection::establish(database.url()).unwrap();
        for id in [0, 1, 7, -1, 123_456_789, 5_000_000_001, (1 << 52) - 1, i64::MAX, i64::MIN] {
            let theirs: i32 =
                diesel::dsl::sql::<Integer>(&format!("SELECT hashint8({id}::bigint)"))
                    .get_result(&mut connection)
                    .unwrap_or_else(|_| {
                        diesel::dsl::sql::<Integer>(
                            "SELECT hashint8((-9223372036854775808)::bigint)",
                        )
                        .get_result(&mut connection)
                        .unwrap()
                    });
            assert_eq!(hash(id), theirs, "{id}");
        }
    }

    #[test]
    fn a_slot_is_in_the_shard_of_its_users() {
        for number in [1, 2, 8, i64::from(MOST_SHARDS)] {
            let shards = shards(number);
            for id in 1..1000 {
                assert_eq!(shards.of(shards.slot(id)), shards.of(id));
                assert!(shards.slots(id).contains(&shards.slot(id)));
                assert_eq!(shards.slots(id).len(), SLOTS_OF_SHARD, "{number}");
            }
        }
    }

    #[test]
    fn ids_are_split_by_their_shards() {
        let shards = shards(4);
        let ids: Vec<i64> = (1..100).collect();
        let parts = shards.split(ids.iter().copied());
        assert_eq!(parts.len(), 4);
        for part in &parts {
            assert!(part.is_sorted());
            assert!(part.iter().all(|id| shards.of(*id) == shards.of(part[0])));
        }
        assert_eq!(parts.concat().len(), ids.len());
        assert_eq!(shards.split([]), Vec::<Vec<i64>>::new());
    }
}
