//! The rows of a batch.

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum BatchContent {
    /// An upsert of users.
    Users,
    /// An upsert of users, and a row of counts.
    UsersAndCounts,
}
