//! What all pages have in common: their layout, their error pages, their assets and their words.

mod admin_names;
mod assets;
mod failure;
mod kinds;
mod languages;
mod layout;
pub(crate) mod text;
mod theme;
pub(crate) mod time_zone;

pub(crate) use admin_names::AdminNames;
pub(crate) use assets::{Assets, get as get_asset};
pub(crate) use failure::{Failure, explain};
pub(crate) use kinds::kind_name;
pub(crate) use languages::language_name;
pub use layout::Behind;
pub(crate) use layout::{Layout, render};
pub(crate) use theme::Theme;
pub(crate) use time_zone::ViewerZone;
