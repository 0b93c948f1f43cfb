//! `statement!`: SQL that Diesel's DSL does not express, or not in one statement.
//!
//! A statement is a struct with its parameters, each with its SQL type, and the SQL of each
//! database as one literal. `:name` stands for the parameter of that name, as in `psql` and in
//! `sqlite3`: paste the literal there, after `\set name …` or `.parameter set :name …`.
//!
//! ```ignore
//! statement! {
//!     /// Renames a user.
//!     struct Rename<'a> -> BigInt {
//!         telegram_id: i64 as BigInt,
//!         first_name: &'a str as Text,
//!     }
//!     Sqlite | Pg => "
//!         UPDATE telegram_users SET first_name = :first_name
//!         WHERE telegram_id = :telegram_id
//!         RETURNING telegram_id",
//! }
//!
//! let id: i64 = Rename { telegram_id: 7, first_name: "Ann" }.get_result(connection)?;
//! ```
//!
//! After `->` come the SQL types of the rows, [`Columns`] of a row struct or a single type.
//! A parameter without `as` is a group of parameters: `parameters!` declares one, and `rows!` one
//! for the columns of rows to insert.
//!
//! Placeholders are numbered in the order of the fields, on PostgreSQL each with a cast to its type: so
//! the text is complete, and can be prepared without us (`statements.rs`). A connection finds the
//! statement by its type, so that it is prepared once.

use std::{collections::BTreeSet, sync::OnceLock};

use diesel::{
    QueryResult,
    backend::Backend,
    dsl::SqlTypeOf,
    expression::Selectable,
    pg::Pg,
    query_builder::AstPass,
    result::Error as DieselError,
    sql_types::{
        Array, BigInt, Binary, Bool, Date, Integer, Nullable, SmallInt, SqlType, Text, Timestamp,
        is_nullable::NotNull,
    },
    sqlite::Sqlite,
};

/// The SQL types of the columns of a row struct that derives `Selectable`.
pub(crate) type Columns<R> = SqlTypeOf<<R as Selectable<Pg>>::SelectExpression>;

/// A database with numbered placeholders.
pub(crate) trait Placeholders: Backend {
    /// The placeholder with a number, for a parameter of an SQL type of PostgreSQL.
    fn placeholder(number: usize, sql_type: &str) -> String;
}

impl Placeholders for Sqlite {
    fn placeholder(number: usize, _: &str) -> String {
        format!("?{number}")
    }
}

impl Placeholders for Pg {
    fn placeholder(number: usize, sql_type: &str) -> String {
        format!("${number}::{sql_type}")
    }
}

/// An SQL type of a parameter.
pub(crate) trait Typed {
    /// PostgreSQL's name for it.
    fn name() -> String;
}

macro_rules! typed {
    ($($sql:ty => $name:literal),+ $(,)?) => {
        $(impl Typed for $sql {
            fn name() -> String {
                $name.to_owned()
            }
        })+
    };
}

typed! {
    BigInt => "bigint",
    Binary => "bytea",
    Bool => "boolean",
    Date => "date",
    Integer => "integer",
    SmallInt => "smallint",
    Text => "text",
    Timestamp => "timestamp",
}

impl<T: Typed + SqlType<IsNull = NotNull>> Typed for Nullable<T> {
    fn name() -> String {
        T::name()
    }
}

impl<T: Typed + SqlType> Typed for Array<T> {
    fn name() -> String {
        format!("{}[]", T::name())
    }
}

/// The name of a parameter, and its SQL type on PostgreSQL.
pub(crate) type Name = (&'static str, String);

/// The parameters of a statement, or a group of them.
pub(crate) trait Parameters<DB: Backend> {
    /// Adds their names, in the order in which they are bound.
    fn names(&self, names: &mut Vec<Name>);

    /// Binds their values.
    fn bind<'b>(&'b self, out: &mut AstPass<'_, 'b, DB>) -> QueryResult<()>;
}

/// The text of a statement with numbers in place of the names of its parameters. It is written when
/// the statement is first used, and then the same for every connection.
pub(crate) struct Numbered(OnceLock<String>);

impl Numbered {
    pub(crate) const fn new() -> Self {
        Self(OnceLock::new())
    }

    /// The text, from the one with names.
    ///
    /// # Errors
    /// When there is no parameter of a name.
    pub(crate) fn text<DB: Placeholders>(
        &self,
        named: &str,
        parameters: &impl Parameters<DB>,
    ) -> QueryResult<&str> {
        if let Some(text) = self.0.get() {
            return Ok(text);
        }
        let mut names = Vec::new();
        parameters.names(&mut names);
        debug_assert!(are_distinct(&names), "two parameters have one name: {names:?}");
        let text = number::<DB>(named, &names)?;
        Ok(self.0.get_or_init(|| text))
    }
}

fn are_distinct(names: &[Name]) -> bool {
    let distinct: BTreeSet<&str> = names.iter().map(|(name, _)| *name).collect();
    distinct.len() == names.len()
}

fn number<DB: Placeholders>(named: &str, names: &[Name]) -> QueryResult<String> {
    let mut parts = named.split(':');
    let mut text = parts.next().unwrap_or_default().to_owned();
    while let Some(part) = parts.next() {
        if part.is_empty() {
            // A cast, such as `day::date`.
            text.push_str("::");
            text.push_str(parts.next().unwrap_or_default());
            continue;
        }
        let end = part.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        let (name, rest) = part.split_at(end.unwrap_or(part.len()));
        let unknown = || DieselError::QueryBuilderError(format!("no parameter :{name}").into());
        let mut numbered = (1..).zip(names);
        let (place, (_, sql_type)) =
            numbered.find(|(_, (it, _))| *it == name).ok_or_else(unknown)?;
        text.push_str(&DB::placeholder(place, sql_type));
        text.push_str(rest);
    }
    Ok(text)
}

/// Declares a group of parameters that several statements share.
macro_rules! parameters {
    (
        $(#[$meta:meta])* $vis:vis struct $name:ident<$life:lifetime>
        on $($database:ident)|+ { $($fields:tt)* }
    ) => {
        $crate::base::statement::parameters! {
            @struct [$(#[$meta])* $vis struct $name<$life>] { $($fields)* }
        }
        $crate::base::statement::parameters! {
            @on $($database)+ => [$name<'_>] { $($fields)* }
        }
    };
    (
        $(#[$meta:meta])* $vis:vis struct $name:ident
        on $($database:ident)|+ { $($fields:tt)* }
    ) => {
        $crate::base::statement::parameters! {
            @struct [$(#[$meta])* $vis struct $name] { $($fields)* }
        }
        $crate::base::statement::parameters! { @on $($database)+ => [$name] { $($fields)* } }
    };
    (@on $($database:ident)+ => $this:tt $fields:tt) => {
        $($crate::base::statement::parameters! { @bind $database $this $fields })+
    };
    (
        @struct [$($header:tt)*]
        { $($(#[$about:meta])* $vis:vis $field:ident: $type:ty $(as $sql:ty)?),* $(,)? }
    ) => {
        $($header)* {
            $($(#[$about])* $vis $field: $type,)*
        }
    };
    (
        @bind $database:ident [$this:ty]
        { $($(#[$about:meta])* $vis:vis $field:ident: $type:ty $(as $sql:ty)?),* $(,)? }
    ) => {
        impl $crate::base::statement::Parameters<$database> for $this {
            fn names(&self, names: &mut Vec<$crate::base::statement::Name>) {
                $($crate::base::statement::parameters!(
                    @name $database self names $field $(as $sql)?
                );)*
            }

            fn bind<'b>(
                &'b self,
                out: &mut diesel::query_builder::AstPass<'_, 'b, $database>,
            ) -> diesel::QueryResult<()> {
                $($crate::base::statement::parameters!(
                    @value $database self out $field $(as $sql)?
                );)*
                Ok(())
            }
        }
    };
    (@name $database:ident $this:ident $names:ident $field:ident as $sql:ty) => {
        $names.push((
            stringify!($field),
            <$sql as $crate::base::statement::Typed>::name(),
        ))
    };
    (@name $database:ident $this:ident $names:ident $field:ident) => {
        $crate::base::statement::Parameters::<$database>::names(&$this.$field, $names)
    };
    (@value $database:ident $this:ident $out:ident $field:ident as $sql:ty) => {
        $out.push_bind_param_value_only::<$sql, _>(&$this.$field)?
    };
    (@value $database:ident $this:ident $out:ident $field:ident) => {
        $crate::base::statement::Parameters::<$database>::bind(&$this.$field, $out)?
    };
}
pub(crate) use parameters;

/// Declares a group for one row to insert, and one for many rows with an array for each column.
/// SQLite gets a statement for each row, because that costs no round trip; PostgreSQL gets one for
/// all rows, which has the same text however many there are.
macro_rules! rows {
    (
        $(#[$meta:meta])* $vis:vis struct $row:ident<$life:lifetime>, $rows:ident { $($fields:tt)* }
    ) => {
        $crate::base::statement::rows! {
            @declare [$(#[$meta])*] [$vis] [$row<$life>] [$rows<$life>] { $($fields)* }
        }
        $crate::base::statement::rows! {
            @collect [$row<$life>] [$rows<$life>] [<$life>] { $($fields)* }
        }
    };
    (
        $(#[$meta:meta])* $vis:vis struct $row:ident, $rows:ident { $($fields:tt)* }
    ) => {
        $crate::base::statement::rows! {
            @declare [$(#[$meta])*] [$vis] [$row] [$rows] { $($fields)* }
        }
        $crate::base::statement::rows! { @collect [$row] [$rows] [] { $($fields)* } }
    };
    (
        @declare [$($meta:tt)*] [$($vis:tt)*] [$($row:tt)*] [$($rows:tt)*]
        { $($(#[$about:meta])* $field:ident: $type:ty as $sql:ty),* $(,)? }
    ) => {
        $crate::base::statement::parameters! {
            $($meta)*
            $($vis)* struct $($row)* on Sqlite | Pg {
                $($(#[$about])* pub(crate) $field: $type as $sql,)*
            }
        }
        $crate::base::statement::parameters! {
            #[derive(Default)]
            $($vis)* struct $($rows)* on Pg {
                $(pub(crate) $field: Vec<$type> as diesel::sql_types::Array<$sql>,)*
            }
        }
    };
    (
        @collect [$row:ty] [$rows:ty] [$($life:tt)*]
        { $($(#[$about:meta])* $field:ident: $type:ty as $sql:ty),* $(,)? }
    ) => {
        impl $($life)* FromIterator<$row> for $rows {
            fn from_iter<I: IntoIterator<Item = $row>>(iter: I) -> Self {
                let mut rows = Self::default();
                for row in iter {
                    $(rows.$field.push(row.$field);)*
                }
                rows
            }
        }
    };
}
pub(crate) use rows;

/// Declares a statement; see the [module](self).
macro_rules! statement {
    (
        $(#[$meta:meta])* $vis:vis struct $name:ident<$life:lifetime> $(-> $rows:ty)?
        { $($fields:tt)* } $($texts:tt)*
    ) => {
        $crate::base::statement::statement! {
            @all [$(#[$meta])* $vis struct $name<$life>] [$name<'_>] [$name<'static>]
            [$(-> $rows)?] { $($fields)* } $($texts)*
        }
    };
    (
        $(#[$meta:meta])* $vis:vis struct $name:ident $(-> $rows:ty)?
        { $($fields:tt)* } $($texts:tt)*
    ) => {
        $crate::base::statement::statement! {
            @all [$(#[$meta])* $vis struct $name] [$name] [$name]
            [$(-> $rows)?] { $($fields)* } $($texts)*
        }
    };
    (
        @all $header:tt $this:tt [$id:ty] [$(-> $rows:ty)?] $fields:tt
        $($($database:ident)|+ => $text:expr),+ $(,)?
    ) => {
        $crate::base::statement::parameters! { @struct $header $fields }
        $crate::base::statement::statement! { @any $this [$id] $(-> $rows)? }
        $($crate::base::statement::statement! { @on $($database)+ => $this $fields $text })+
    };
    (@any [$this:ty] [$id:ty] $(-> $rows:ty)?) => {
        impl diesel::query_builder::QueryId for $this {
            type QueryId = $id;
            const HAS_STATIC_QUERY_ID: bool = true;
        }

        $(impl diesel::query_builder::Query for $this {
            type SqlType = $rows;
        })?

        impl<C> diesel::RunQueryDsl<C> for $this {}
    };
    (@on $($database:ident)+ => $this:tt $fields:tt $text:expr) => {
        $($crate::base::statement::statement! { @each $database $this $fields $text })+
    };
    (@each $database:ident [$this:ty] $fields:tt $text:expr) => {
        $crate::base::statement::parameters! { @bind $database [$this] $fields }

        impl diesel::query_builder::QueryFragment<$database> for $this {
            fn walk_ast<'b>(
                &'b self,
                mut out: diesel::query_builder::AstPass<'_, 'b, $database>,
            ) -> diesel::QueryResult<()> {
                static TEXT: $crate::base::statement::Numbered =
                    $crate::base::statement::Numbered::new();
                out.push_sql(TEXT.text::<$database>($text, self)?);
                $crate::base::statement::Parameters::bind(self, &mut out)
            }
        }
    };
}
pub(crate) use statement;

#[cfg(test)]
mod tests {
    use diesel::{
        connection::SimpleConnection,
        debug_query,
        pg::Pg,
        prelude::*,
        query_builder::{QueryBuilder, QueryFragment},
        sql_types::BigInt,
        sqlite::Sqlite,
    };

    use super::*;

    parameters! {
        struct Range<'a> on Sqlite | Pg {
            first: &'a i64 as BigInt,
            last: &'a i64 as BigInt,
        }
    }

    statement! {
        struct Find<'a> -> BigInt {
            after: i64 as BigInt,
            range: Range<'a>,
        }
        Sqlite => "SELECT :last WHERE :after < :first",
        Pg => "SELECT :last::integer WHERE :after < :first",
    }

    statement! {
        struct Insert {
            x: i64 as BigInt,
        }
        Sqlite => "INSERT INTO t (x) VALUES (:x)",
    }

    statement! {
        struct Misspelt {
            after: i64 as BigInt,
        }
        Sqlite | Pg => "SELECT :afer",
    }

    fn text<DB: Backend + Default>(statement: &impl QueryFragment<DB>) -> QueryResult<String>
    where
        DB::QueryBuilder: Default,
    {
        let mut builder = DB::QueryBuilder::default();
        statement.to_sql(&mut builder, &DB::default())?;
        Ok(builder.finish())
    }

    #[test]
    fn placeholders_are_numbered_in_the_order_of_the_fields() {
        let find = Find { after: 1, range: Range { first: &2, last: &3 } };
        assert_eq!(text::<Sqlite>(&find), Ok("SELECT ?3 WHERE ?1 < ?2".to_owned()));
        assert_eq!(
            text::<Pg>(&find),
            Ok("SELECT $3::bigint::integer WHERE $1::bigint < $2::bigint".to_owned())
        );
        let shown = debug_query::<Pg, _>(&find).to_string();
        assert!(shown.ends_with("binds: [1, 2, 3]"), "{shown}");
    }

    #[test]
    fn values_arrive_where_their_names_are() {
        let mut connection = SqliteConnection::establish(":memory:").unwrap();
        let find = Find { after: 1, range: Range { first: &2, last: &3 } };
        assert_eq!(find.load::<i64>(&mut connection), Ok(vec![3]));
        let find = Find { after: 2, range: Range { first: &2, last: &3 } };
        assert_eq!(find.load::<i64>(&mut connection), Ok(vec![]));
    }

    #[test]
    fn a_statement_can_be_executed_again() {
        let mut connection = SqliteConnection::establish(":memory:").unwrap();
        connection.batch_execute("CREATE TABLE t (x)").unwrap();
        for x in [7, 8] {
            assert_eq!(Insert { x }.execute(&mut connection), Ok(1));
        }
        let sum = diesel::dsl::sql::<BigInt>("SELECT sum(x) FROM t").get_result(&mut connection);
        assert_eq!(sum, Ok(15));
    }

    #[test]
    fn an_unknown_name_is_an_error() {
        let error = text::<Pg>(&Misspelt { after: 1 }).unwrap_err();
        assert_eq!(error.to_string(), "no parameter :afer");
    }
}
