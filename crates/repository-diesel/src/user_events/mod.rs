//! Events that are to be delivered, in the table `user_events`.

pub(crate) mod rows;
mod store;
