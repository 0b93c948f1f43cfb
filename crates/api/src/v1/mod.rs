//! Reading and changing what is stored: `/api/v1`.

pub(crate) mod broadcasts;
pub(crate) mod json;
pub(crate) mod open_api;
mod parameters;
mod refusal;
pub(crate) mod segments;
pub(crate) mod stats;
pub(crate) mod users;
