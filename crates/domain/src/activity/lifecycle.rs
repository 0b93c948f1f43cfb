/// The class of a user on a day or in a week, by PostHog's definitions of lifecycle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Lifecycle {
    /// Active for the first time.
    New,
    /// Active, and also in the period before.
    Returning,
    /// Active, but not in the period before; also active earlier.
    Resurrected,
    /// Not active, but active in the period before.
    Dormant,
}

impl Lifecycle {
    /// Every class.
    pub const ALL: [Self; 4] = [Self::New, Self::Returning, Self::Resurrected, Self::Dormant];

    /// The class's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Returning => "returning",
            Self::Resurrected => "resurrected",
            Self::Dormant => "dormant",
        }
    }
}
