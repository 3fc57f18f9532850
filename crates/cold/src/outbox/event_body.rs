//! Serializes outbox events as JSON with a version, so that a newer program can read the rows of an older one.
//!
//! Never: a change of a format version that is in use; a new format gets a new number beside the old one.

use serde::{Deserialize, Serialize};
use voelgoed_app::outbox::event::OutboxEvent;

use crate::db::{DbError, DbResult, Value};

const FORMAT_VERSION: u32 = 1;

#[derive(Serialize)]
struct BodyToStore<'a> {
    v: u32,
    #[serde(rename = "fact")]
    event: &'a OutboxEvent,
}

#[derive(Deserialize)]
struct StoredBody {
    v: u32,
    #[serde(rename = "fact")]
    event: OutboxEvent,
}

pub(super) fn write(event: &OutboxEvent) -> DbResult<Value> {
    Value::json(&BodyToStore { v: FORMAT_VERSION, event })
}

pub(super) fn read(text: &str) -> DbResult<OutboxEvent> {
    let StoredBody { v, event } = serde_json::from_str(text)?;
    if v == FORMAT_VERSION {
        Ok(event)
    } else {
        Err(DbError::internal(format!("an outbox event of version {v} is newer than this program")))
    }
}
