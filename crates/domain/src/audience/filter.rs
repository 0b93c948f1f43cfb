use super::{LabelName, Term};
use crate::{LabelKind, SearchTerm};

/// Selects users. Build one by parsing a text, or from terms.
///
/// Bots are left out unless the filter [names them](Filter::names_bots).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter(pub(super) Node);

/// A part of a filter in its simplest form: no part of an `All` is an `All`, no part of an `Any` is
/// an `Any`, each has two parts or more, and what is negated is not negated again. Only a whole
/// filter can be an `All` without parts: it selects everyone.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Node {
    All(Vec<Node>),
    Any(Vec<Node>),
    Not(Box<Node>),
    Term(Term),
}

impl Default for Filter {
    fn default() -> Self {
        Self::everyone()
    }
}

impl Filter {
    /// The empty filter, which selects everyone but bots.
    pub fn everyone() -> Self {
        Self(Node::All(Vec::new()))
    }

    /// The users that meet a term.
    pub fn with(term: Term) -> Self {
        Self(Node::Term(term))
    }

    /// The users that meet this filter and another one.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self(all(vec![self.0, other.0]))
    }

    /// The users that meet this filter and are no bots.
    #[must_use]
    pub fn without_bots(self) -> Self {
        match self.names_bots() {
            true => self.without(Term::Bot),
            false => self,
        }
    }

    /// The users of this filter who do not meet a term.
    #[must_use]
    pub fn without(self, term: Term) -> Self {
        self.and(Self(negated(Node::Term(term))))
    }

    /// The filter as a tree.
    pub fn node(&self) -> &Node {
        &self.0
    }

    /// Whether it selects everyone but bots.
    pub fn is_everyone(&self) -> bool {
        matches!(&self.0, Node::All(parts) if parts.is_empty())
    }

    /// Whether the word `bot` is in it. If not, bots are left out.
    pub fn names_bots(&self) -> bool {
        self.terms().any(|term| *term == Term::Bot)
    }

    /// Whether its users may be others in another time zone. The filter of a segment may have days.
    pub fn depends_on_days(&self) -> bool {
        let is_day =
            |term: &Term| matches!(term, Term::Day(..) | Term::UsedOn(..) | Term::Segment(_));
        self.terms().any(is_day)
    }

    /// Whether a term names this tag or group.
    pub fn names_label(&self, kind: LabelKind, name: &LabelName) -> bool {
        self.terms().any(|term| match (term, kind) {
            (Term::Tag(names), LabelKind::Tag) | (Term::Group(names), LabelKind::Group) => {
                names.contains(name)
            }
            _ => false,
        })
    }

    /// The filter for the audit log: names and usernames are left out, because erasing a user would
    /// not find them there.
    pub fn summary(&self) -> String {
        if self.is_everyone() { "all users".to_owned() } else { self.0.without_names().to_string() }
    }

    /// Every term, from left to right.
    pub fn terms(&self) -> impl Iterator<Item = &Term> {
        self.0.terms()
    }
}

impl Node {
    /// Every term, from left to right.
    pub fn terms(&self) -> impl Iterator<Item = &Term> {
        let mut nodes = vec![self];
        std::iter::from_fn(move || {
            loop {
                match nodes.pop()? {
                    Self::All(parts) | Self::Any(parts) => nodes.extend(parts.iter().rev()),
                    Self::Not(part) => nodes.push(part),
                    Self::Term(term) => return Some(term),
                }
            }
        })
    }

    /// The same with `…` in place of each name.
    fn without_names(&self) -> Self {
        let parts = |parts: &[Self]| parts.iter().map(Self::without_names).collect();
        match self {
            Self::All(nodes) => Self::All(parts(nodes)),
            Self::Any(nodes) => Self::Any(parts(nodes)),
            Self::Not(part) => Self::Not(Box::new(part.without_names())),
            Self::Term(Term::Search(_) | Term::Name(_) | Term::Username(_)) => {
                let name = SearchTerm::new("…").map(Term::Name);
                Self::Term(name.unwrap_or(Term::Note))
            }
            Self::Term(term) => Self::Term(term.clone()),
        }
    }

    /// Whether a term in it compares names, which only Rust folds.
    pub fn compares_names(&self) -> bool {
        self.terms().any(|term| matches!(term, Term::Name(_) | Term::Search(_)))
    }
}

/// All of some parts, in the simplest form.
pub(super) fn all(parts: Vec<Node>) -> Node {
    let flat = parts.into_iter().flat_map(|part| match part {
        Node::All(parts) => parts,
        part => vec![part],
    });
    one_or(flat.collect(), Node::All)
}

/// Any of some parts, which are not empty, in the simplest form.
pub(super) fn any(parts: Vec<Node>) -> Node {
    let flat = parts.into_iter().flat_map(|part| match part {
        Node::Any(parts) => parts,
        part => vec![part],
    });
    one_or(flat.collect(), Node::Any)
}

/// The opposite of a part.
pub(super) fn negated(part: Node) -> Node {
    match part {
        Node::Not(part) => *part,
        part => Node::Not(Box::new(part)),
    }
}

fn one_or(mut parts: Vec<Node>, join: impl Fn(Vec<Node>) -> Node) -> Node {
    match parts.pop() {
        Some(part) if parts.is_empty() => part,
        Some(part) => {
            parts.push(part);
            join(parts)
        }
        None => join(parts),
    }
}
