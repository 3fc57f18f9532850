//! Serializes an outbox event as the JSON `{"v": …, "fact": …}` of its row.
//!
//! A row has two versions. `v` in the JSON is the version of this envelope, [`BODY_FORMAT_VERSION`]. The column `format` is the version of the event
//! inside (`OutboxEvent::format`), by which a relay leaves rows that it cannot read to newer nodes.
//! Never: another meaning for a version that is in use; a new meaning gets the next number, and the old number stays readable.

use serde::{Deserialize, Serialize};
use voelgoed_app::outbox::event::OutboxEvent;

use crate::db::{DbError, DbResult, Value};

/// The version of the envelope that this program writes and reads.
const BODY_FORMAT_VERSION: u32 = 1;

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
    Value::json(&BodyToStore { v: BODY_FORMAT_VERSION, event })
}

pub(super) fn read(text: &str) -> DbResult<OutboxEvent> {
    let StoredBody { v, event } = serde_json::from_str(text)?;
    if v == BODY_FORMAT_VERSION {
        Ok(event)
    } else {
        Err(DbError::internal(format!(
            "the envelope of an outbox event has version {v}, which this program does not read"
        )))
    }
}
