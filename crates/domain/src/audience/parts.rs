//! The parts of a filter that each user must meet, which are shown and changed one by one.

use super::{
    Filter,
    filter::{Node, all},
};

impl Filter {
    /// The parts that each user must meet, from left to right. Alternatives are one part.
    pub fn parts(&self) -> &[Node] {
        self.0.parts()
    }

    /// The same filter without one of its parts.
    #[must_use]
    pub fn without_part(&self, place: usize) -> Self {
        let parts = self.parts().iter().enumerate();
        Self(all(parts.filter(|(at, _)| *at != place).map(|(_, part)| part.clone()).collect()))
    }
}

impl Node {
    /// The parts of an `All`, or the node itself.
    pub fn parts(&self) -> &[Self] {
        match self {
            Self::All(parts) => parts,
            one => std::slice::from_ref(one),
        }
    }

    /// The text of this part between others: alternatives are in parentheses.
    pub fn text_among_others(&self) -> String {
        if matches!(self, Self::Any(_)) { format!("({self})") } else { self.to_string() }
    }
}
