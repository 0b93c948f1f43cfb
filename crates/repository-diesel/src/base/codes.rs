//! Classifying errors by the databases' codes: SQLSTATEs of PostgreSQL, result codes of SQLite.

use diesel::result::DatabaseErrorKind;
use rollcall_repository::{DatabaseError, RepositoryError};

/// Where the cause of an error lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// In one row: permanent.
    Row,
    /// In the connection, or in the server itself.
    Connection,
    /// Another program keeps the SQLite file locked.
    Locked,
    /// The database is read-only.
    ReadOnly,
    /// Elsewhere, where an operator can fix it.
    Other,
}

impl Class {
    pub(crate) fn error(self, error: DatabaseError) -> RepositoryError {
        match self {
            Self::Row => RepositoryError::Rejected(error),
            Self::Connection => RepositoryError::Unavailable(error),
            Self::Locked => RepositoryError::Locked(error),
            Self::ReadOnly => RepositoryError::ReadOnly(error),
            Self::Other => RepositoryError::Failed(error),
        }
    }
}

/// The class of an SQLSTATE (PostgreSQL, appendix A).
pub(crate) fn of_sqlstate(code: &str) -> Class {
    match code {
        // A row that is too large for its index or page; data or index of it are damaged.
        "54000" | "XX001" | "XX002" => Class::Row,
        "25006" => Class::ReadOnly,
        // Data exceptions, and integrity constraints.
        _ if code.starts_with("22") || code.starts_with("23") => Class::Row,
        // Connections that fail, and servers that shut down or start up.
        _ if code.starts_with("08") || code.starts_with("57P") => Class::Connection,
        _ => Class::Other,
    }
}

/// Whether work that failed with this SQLSTATE may succeed if it is repeated without a pause: the
/// transaction was ended because of another one, which held its locks.
pub(crate) fn may_pass_at_once(code: &str) -> bool {
    matches!(code, "40001" | "40P01" | "55P03")
}

/// The SQLSTATE that Diesel names with a kind. It names only twelve, and does not distinguish the four
/// of a closed connection.
pub(crate) fn sqlstate_of(kind: DatabaseErrorKind) -> Option<&'static str> {
    Some(match kind {
        DatabaseErrorKind::RestrictViolation => "23001",
        DatabaseErrorKind::NotNullViolation => "23502",
        DatabaseErrorKind::ForeignKeyViolation => "23503",
        DatabaseErrorKind::UniqueViolation => "23505",
        DatabaseErrorKind::CheckViolation => "23514",
        DatabaseErrorKind::ExclusionViolation => "23P01",
        DatabaseErrorKind::ReadOnlyTransaction => "25006",
        DatabaseErrorKind::SerializationFailure => "40001",
        _ => return None,
    })
}

/// SQLite's result code for an error, and its class, by the kind that Diesel names or by the text.
/// The text is that of `sqlite3_errstr`, unless SQLite adds details: then this is `None`.
pub(crate) fn of_sqlite(kind: DatabaseErrorKind, text: &str) -> Option<(&'static str, Class)> {
    match kind {
        DatabaseErrorKind::UniqueViolation
        | DatabaseErrorKind::ForeignKeyViolation
        | DatabaseErrorKind::NotNullViolation
        | DatabaseErrorKind::CheckViolation => Some(SQLITE_CONSTRAINT),
        _ => TEXTS.iter().find(|(known, _)| *known == text).map(|(_, code)| *code),
    }
}

/// A violated constraint, or a trigger that raises an error.
pub(crate) const SQLITE_CONSTRAINT: (&str, Class) = ("SQLITE_CONSTRAINT", Class::Row);

/// The complete texts of `sqlite3_errstr` for errors.
const TEXTS: [(&str, (&str, Class)); 22] = [
    ("SQL logic error", ("SQLITE_ERROR", Class::Other)),
    ("access permission denied", ("SQLITE_PERM", Class::Other)),
    ("query aborted", ("SQLITE_ABORT", Class::Other)),
    ("abort due to ROLLBACK", ("SQLITE_ABORT_ROLLBACK", Class::Other)),
    ("database is locked", ("SQLITE_BUSY", Class::Locked)),
    ("database table is locked", ("SQLITE_LOCKED", Class::Locked)),
    ("out of memory", ("SQLITE_NOMEM", Class::Other)),
    ("attempt to write a readonly database", ("SQLITE_READONLY", Class::ReadOnly)),
    ("interrupted", ("SQLITE_INTERRUPT", Class::Other)),
    ("disk I/O error", ("SQLITE_IOERR", Class::Other)),
    ("database disk image is malformed", ("SQLITE_CORRUPT", Class::Row)),
    ("unknown operation", ("SQLITE_NOTFOUND", Class::Other)),
    ("database or disk is full", ("SQLITE_FULL", Class::Other)),
    ("unable to open database file", ("SQLITE_CANTOPEN", Class::Connection)),
    ("locking protocol", ("SQLITE_PROTOCOL", Class::Other)),
    ("database schema has changed", ("SQLITE_SCHEMA", Class::Other)),
    ("string or blob too big", ("SQLITE_TOOBIG", Class::Row)),
    ("constraint failed", SQLITE_CONSTRAINT),
    ("datatype mismatch", ("SQLITE_MISMATCH", Class::Row)),
    ("bad parameter or other API misuse", ("SQLITE_MISUSE", Class::Other)),
    ("authorization denied", ("SQLITE_AUTH", Class::Other)),
    ("file is not a database", ("SQLITE_NOTADB", Class::Other)),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_in_one_row_are_permanent() {
        for code in ["22000", "22001", "22021", "22P05", "23000", "23505", "23P01"] {
            assert_eq!(of_sqlstate(code), Class::Row, "{code}");
        }
        for code in ["54000", "XX001", "XX002"] {
            assert_eq!(of_sqlstate(code), Class::Row, "{code}");
        }
        for code in ["08006", "08P01", "57P01", "57P03"] {
            assert_eq!(of_sqlstate(code), Class::Connection, "{code}");
        }
        assert_eq!(of_sqlstate("25006"), Class::ReadOnly);
        let others = "0A000 25P02 26000 28000 28P01 3D000 40001 40P01 42501 42703 42P01 53100 \
                      53200 53300 54001 54011 54023 55000 55P03 57000 57014 58000 58030 72000 F0000 \
                      P0001 XX000 XX003";
        for code in others.split_whitespace() {
            assert_eq!(of_sqlstate(code), Class::Other, "{code}");
        }
    }

    #[test]
    fn texts_of_sqlite_are_compared_completely() {
        let of = |text| of_sqlite(DatabaseErrorKind::Unknown, text);
        assert_eq!(of("database or disk is full"), Some(("SQLITE_FULL", Class::Other)));
        assert_eq!(of("constraint failed"), Some(("SQLITE_CONSTRAINT", Class::Row)));
        for text in
            ["", "no such table: constraint failed", "constraint failed ", "Constraint failed"]
        {
            assert_eq!(of(text), None, "{text:?}");
        }
        assert_eq!(
            of_sqlite(DatabaseErrorKind::CheckViolation, "CHECK constraint failed: x"),
            Some(("SQLITE_CONSTRAINT", Class::Row))
        );
    }
}
