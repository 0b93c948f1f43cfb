use std::{collections::BTreeSet, fmt, str::FromStr};

use chrono::{DateTime, Utc};

use crate::LabelName;

/// What a program may do with a key. To add one, add a variant, its place in [`ApiScope::ALL`] and its
/// name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ApiScope {
    /// Send updates.
    Ingest,
    /// Read users, statistics, segments and broadcasts.
    Read,
    /// Change tags, and create and start broadcasts.
    Write,
}

impl ApiScope {
    /// Every scope.
    pub const ALL: [Self; 3] = [Self::Ingest, Self::Read, Self::Write];

    /// The scope's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ingest => "ingest",
            Self::Read => "read",
            Self::Write => "write",
        }
    }
}

/// What a program may do with a key: at least one scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiScopes(BTreeSet<ApiScope>);

impl ApiScopes {
    /// Whether a scope is one of them.
    pub fn has(&self, scope: ApiScope) -> bool {
        self.0.contains(&scope)
    }

    /// The scopes in their order.
    pub fn iter(&self) -> impl Iterator<Item = ApiScope> {
        self.0.iter().copied()
    }
}

impl fmt::Display for ApiScopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.iter().map(ApiScope::name).collect();
        f.write_str(&names.join(","))
    }
}

impl FromStr for ApiScopes {
    type Err = InvalidApiScopes;

    /// Reads names that are separated by commas.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let scope = |name: &str| {
            let name = name.trim();
            ApiScope::ALL.into_iter().find(|scope| scope.name() == name).ok_or(InvalidApiScopes)
        };
        text.split(',').map(scope).collect::<Result<_, _>>().map(Self)
    }
}

/// The text names no scopes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected scopes separated by commas: ingest, read, write")]
pub struct InvalidApiScopes;

/// A key of the API, without its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKey {
    /// What admins call it. Of keys that are not revoked, no two have one name.
    pub name: LabelName,
    /// What a program may do with it.
    pub scopes: ApiScopes,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When it was last used, to the minute.
    pub last_used_at: Option<DateTime<Utc>>,
    /// When it was revoked. From then on, it is refused.
    pub revoked_at: Option<DateTime<Utc>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_read_as_they_are_printed() {
        let scopes: ApiScopes = "write, ingest,ingest".parse().unwrap();
        assert_eq!(scopes.to_string(), "ingest,write");
        assert_eq!(scopes.to_string().parse(), Ok(scopes.clone()));
        assert!(scopes.has(ApiScope::Write) && !scopes.has(ApiScope::Read));
        for wrong in ["", ",", "read,", "READ", "read write", "admin"] {
            assert_eq!(wrong.parse::<ApiScopes>(), Err(InvalidApiScopes), "{wrong}");
        }
    }
}
