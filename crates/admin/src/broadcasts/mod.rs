//! Broadcasts: writing them, their list, a page each with what became of the recipients, and starting,
//! pausing and ending them.

mod activity;
mod audience;
pub(crate) mod change;
pub(crate) mod compose;
mod draft;
mod experiment;
mod find;
pub(crate) mod list;
mod message;
pub(crate) mod one;
pub(crate) mod pick;
pub(crate) mod picked;
pub(crate) mod picture;
mod preview;
pub(crate) mod progress;
pub(crate) mod recipients;
pub(crate) mod resend;
mod responses;
pub(crate) mod send_test;
pub(crate) mod start;
mod trouble;
mod variants;
mod words;
