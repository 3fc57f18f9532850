//! The stored shape of a fact: JSON with its version, so that a newer program can still read what an older one wrote.
//!
//! Never: a change of a version that is in use; a new shape is a new number beside the old one.

use serde::{Deserialize, Serialize};
use voelgoed_app::outbox::event::OutboxEvent;

use crate::db::{Error, Result, Value};

/// The version that is written.
const VERSION: u32 = 1;

#[derive(Serialize)]
struct Written<'a> {
    v: u32,
    fact: &'a OutboxEvent,
}

#[derive(Deserialize)]
struct Read {
    v: u32,
    fact: OutboxEvent,
}

pub(super) fn write(fact: &OutboxEvent) -> Result<Value> {
    Value::json(&Written { v: VERSION, fact })
}

pub(super) fn read(text: &str) -> Result<OutboxEvent> {
    let Read { v, fact } = serde_json::from_str(text)?;
    if v == VERSION {
        Ok(fact)
    } else {
        Err(Error::internal(format!("a fact of version {v} is newer than this program")))
    }
}
