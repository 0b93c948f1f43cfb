//! The parts of a filter that each user must meet, which are shown and changed one by one.

use super::{
    Filter, Term,
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

    /// Whether it is `bot or -bot`, which everyone meets. In a filter, it lists bots, too.
    pub fn is_people_and_bots(&self) -> bool {
        let is_bot = |part: &Self| *part == Self::Term(Term::Bot);
        let Self::Any(parts) = self else { return false };
        let is_other = |part: &Self| matches!(part, Self::Not(part) if is_bot(part));
        parts.len() == 2 && parts.iter().any(is_bot) && parts.iter().any(is_other)
    }

    /// The text of this part between others: alternatives are in parentheses.
    pub fn text_among_others(&self) -> String {
        if matches!(self, Self::Any(_)) { format!("({self})") } else { self.to_string() }
    }
}
