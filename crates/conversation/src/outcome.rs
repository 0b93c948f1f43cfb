//! The result of a button press.

use rollcall_domain::LabelName;

use crate::reply::Screen;

/// The result of a press.
#[derive(Default)]
pub(crate) struct Outcome {
    /// The text that pops up.
    pub(crate) notice: Option<&'static str>,
    /// The same, as the owner of a broadcast wrote it.
    pub(crate) written: Option<String>,
    /// The new content of the message.
    pub(crate) screen: Option<Screen>,
    /// The category of broadcasts that the user opted out of or into, by a button that now does the
    /// opposite.
    pub(crate) opt_out: Option<(LabelName, bool)>,
}

impl From<Screen> for Outcome {
    fn from(screen: Screen) -> Self {
        Self { screen: Some(screen), ..Self::default() }
    }
}

impl Outcome {
    pub(crate) fn notice(key: &'static str) -> Self {
        Self { notice: Some(key), ..Self::default() }
    }

    pub(crate) fn noticed(key: &'static str, screen: Screen) -> Self {
        Self { notice: Some(key), screen: Some(screen), ..Self::default() }
    }

    pub(crate) fn saved(screen: Screen) -> Self {
        Self::noticed("press-saved", screen)
    }
}
