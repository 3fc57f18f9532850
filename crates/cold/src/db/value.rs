//! Converts domain values into SQL binds: identifiers, integers, moments, text, bytes, booleans and JSON, each nullable.
//!
//! Never: a float, an engine's time type. To add a type: an `impl Bind` that converts it into a variant of [`Value`].

use bytes::Bytes;
use sqlx::Arguments;
use sqlx::postgres::PgArguments;
use sqlx::sqlite::SqliteArguments;
use uuid::Uuid;
use voelgoed_domain::checkout::order::OrderState;
use voelgoed_domain::ids::{Id, IdKind};
use voelgoed_domain::payments::attempt::AttemptState;
use voelgoed_domain::payments::refund::RefundState;
use voelgoed_domain::scanning::ticket::TicketState;
use voelgoed_domain::ticketing::place::{PlaceState, PlaceVersion};
use voelgoed_domain::ticketing::place_number::PlaceNumber;
use voelgoed_domain::time::Timestamp;

use super::{DbError, DbResult};

/// A bound value. A null keeps its type, which Postgres requires.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// 16 bytes.
    Uuid(Option<Uuid>),
    /// Integers, and moments in microseconds.
    Int(Option<i64>),
    /// UTF-8 text.
    Text(Option<String>),
    /// A byte string.
    Bytes(Option<Vec<u8>>),
    /// A boolean.
    Bool(Option<bool>),
    /// Serialized JSON.
    Json(Option<String>),
}

impl Value {
    /// Serializes `value` to JSON.
    ///
    /// # Errors
    /// [`DbError::Internal`] where the value cannot be serialized.
    pub fn json(value: &impl serde::Serialize) -> DbResult<Self> {
        Ok(Self::Json(Some(serde_json::to_string(value)?)))
    }

    /// An unsigned number; columns hold 63 bits.
    ///
    /// # Errors
    /// [`DbError::Internal`] beyond 63 bits.
    pub fn unsigned(value: u64) -> DbResult<Self> {
        Ok(Self::Int(Some(i64::try_from(value)?)))
    }
}

/// A type that can be bound.
pub trait Bind {
    /// The typed null.
    const NULL: Value;
    /// The bound value.
    fn bind(self) -> Value;
}

macro_rules! bind {
    ($($type:ty, $kind:ident, |$it:ident| $as:expr;)*) => {$(
        impl Bind for $type {
            const NULL: Value = Value::$kind(None);
            fn bind(self) -> Value {
                let $it = self;
                Value::$kind(Some($as))
            }
        }
    )*};
}

bind! {
    Uuid, Uuid, |it| it;
    i64, Int, |it| it;
    u32, Int, |it| i64::from(it);
    Timestamp, Int, |it| it.micros();
    PlaceNumber, Int, |it| i64::from(it.0);
    PlaceVersion, Int, |it| i64::from(it.0);
    &str, Text, |it| it.to_owned();
    &String, Text, |it| it.clone();
    String, Text, |it| it;
    OrderState, Text, |it| it.as_str().to_owned();
    AttemptState, Text, |it| it.as_str().to_owned();
    RefundState, Text, |it| it.as_str().to_owned();
    TicketState, Text, |it| it.as_str().to_owned();
    PlaceState, Text, |it| it.as_str().to_owned();
    &[u8], Bytes, |it| it.to_vec();
    [u8; 32], Bytes, |it| it.to_vec();
    Vec<u8>, Bytes, |it| it;
    Bytes, Bytes, |it| it.to_vec();
    bool, Bool, |it| it;
}

impl<K: IdKind> Bind for Id<K> {
    const NULL: Value = Value::Uuid(None);
    fn bind(self) -> Value {
        Value::Uuid(Some(self.uuid()))
    }
}

impl<T: Bind> Bind for Option<T> {
    const NULL: Value = T::NULL;
    fn bind(self) -> Value {
        self.map_or(T::NULL, T::bind)
    }
}

impl Bind for Value {
    const NULL: Value = Value::Text(None);
    fn bind(self) -> Value {
        self
    }
}

/// The binds `$1`, `$2`, … of a statement.
macro_rules! binds {
    ($($value:expr),* $(,)?) => { vec![$($crate::db::Bind::bind($value)),*] };
}
pub(crate) use binds;

/// One row of a `{rows:N}` token.
macro_rules! row {
    ($($value:expr),* $(,)?) => { [$($crate::db::Bind::bind($value)),*] };
}
pub(crate) use row;

pub(super) fn sqlite_arguments(values: impl IntoIterator<Item = Value>) -> DbResult<SqliteArguments> {
    let mut arguments = SqliteArguments::default();
    for value in values {
        match value {
            Value::Uuid(it) => arguments.add(it.map(|uuid| uuid.as_bytes().to_vec())),
            Value::Int(it) => arguments.add(it),
            Value::Text(it) | Value::Json(it) => arguments.add(it),
            Value::Bytes(it) => arguments.add(it),
            Value::Bool(it) => arguments.add(it),
        }
        .map_err(DbError::internal)?;
    }
    Ok(arguments)
}

pub(super) fn postgres_arguments(values: impl IntoIterator<Item = Value>) -> DbResult<PgArguments> {
    let mut arguments = PgArguments::default();
    for value in values {
        match value {
            Value::Uuid(it) => arguments.add(it),
            Value::Int(it) => arguments.add(it),
            Value::Text(it) | Value::Json(it) => arguments.add(it),
            Value::Bytes(it) => arguments.add(it),
            Value::Bool(it) => arguments.add(it),
        }
        .map_err(DbError::internal)?;
    }
    Ok(arguments)
}
