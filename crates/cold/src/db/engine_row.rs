//! Decodes a row of either engine into a struct or a tuple, one column at a time, so that no statement is compiled once per engine and row type.
//!
//! To add a type of column: nothing, where both engines can decode it.

use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use sqlx::{Decode, Postgres, Row, Sqlite, Type};

/// A row of the engine that the statement ran on.
#[derive(Clone, Copy)]
pub enum EngineRow<'r> {
    /// Of the embedded engine.
    Sqlite(&'r SqliteRow),
    /// Of a server.
    Postgres(&'r PgRow),
}

/// A value that both engines can decode.
pub trait Column:
    for<'r> Decode<'r, Sqlite> + Type<Sqlite> + for<'r> Decode<'r, Postgres> + Type<Postgres> + Send + 'static
{
}
impl<T> Column for T where
    T: for<'r> Decode<'r, Sqlite> + Type<Sqlite> + for<'r> Decode<'r, Postgres> + Type<Postgres> + Send + 'static
{
}

impl EngineRow<'_> {
    /// The value of the column `name`.
    ///
    /// # Errors
    /// [`sqlx::Error`] where the row has no such column, or one of another type.
    pub fn column<T: Column>(self, name: &str) -> sqlx::Result<T> {
        match self {
            Self::Sqlite(row) => row.try_get(name),
            Self::Postgres(row) => row.try_get(name),
        }
    }

    /// The value of the column at `index`, counted from zero.
    ///
    /// # Errors
    /// As [`Self::column`].
    pub fn column_at<T: Column>(self, index: usize) -> sqlx::Result<T> {
        match self {
            Self::Sqlite(row) => row.try_get(index),
            Self::Postgres(row) => row.try_get(index),
        }
    }
}

/// A row of a statement; implemented by [`row_struct!`] and for tuples.
pub trait DbRow: Sized + Send + 'static {
    /// Decodes the columns.
    ///
    /// # Errors
    /// [`sqlx::Error`] where a column is missing or has another type.
    fn decode(row: EngineRow<'_>) -> sqlx::Result<Self>;
}

/// A struct whose fields are columns of the same name. `field: Type = "column"` names the column otherwise; a last line `..field: Row` decodes the rest of
/// the columns into another such struct.
macro_rules! row_struct {
    (
        $(#[$attribute:meta])*
        $visible:vis struct $name:ident {
            $($(#[$about:meta])* $field_visible:vis $field:ident: $type:ty $(= $column:literal)?,)*
            $(..$rest:ident: $rest_type:ty)?
        }
    ) => {
        $(#[$attribute])*
        $visible struct $name {
            $($(#[$about])* $field_visible $field: $type,)*
            $($rest: $rest_type,)?
        }

        impl $crate::db::DbRow for $name {
            fn decode(row: $crate::db::EngineRow<'_>) -> sqlx::Result<Self> {
                Ok(Self {
                    $($field: row.column($crate::db::column_name!($field $($column)?))?,)*
                    $($rest: <$rest_type as $crate::db::DbRow>::decode(row)?,)?
                })
            }
        }
    };
}
pub(crate) use row_struct;

/// The column of a field of [`row_struct!`].
macro_rules! column_name {
    ($field:ident) => {
        stringify!($field)
    };
    ($field:ident $column:literal) => {
        $column
    };
}
pub(crate) use column_name;

macro_rules! tuples {
    ($($($name:ident $index:literal),+;)+) => {$(
        impl<$($name: Column),+> DbRow for ($($name,)+) {
            fn decode(row: EngineRow<'_>) -> sqlx::Result<Self> {
                Ok(($(row.column_at::<$name>($index)?,)+))
            }
        }
    )+};
}

tuples! {
    A 0;
    A 0, B 1;
    A 0, B 1, C 2;
    A 0, B 1, C 2, D 3;
    A 0, B 1, C 2, D 3, E 4;
    A 0, B 1, C 2, D 3, E 4, F 5;
}
