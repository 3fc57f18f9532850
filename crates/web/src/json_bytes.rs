//! Serializes DTOs to JSON in one buffer.

use bytes::Bytes;
use serde::Serialize;
use voelgoed_app::error::Fault;

/// Room for most responses from the beginning: a buffer that grows is copied each time.
const CAPACITY: usize = 1024;

/// Serializes a DTO.
///
/// # Errors
/// A fault where the DTO has no JSON.
pub fn try_json<T: Serialize>(dto: &T) -> Result<Bytes, Fault> {
    let mut bytes = Vec::with_capacity(CAPACITY);
    let written = serde_json::to_writer(&mut bytes, dto);
    written.map(|()| bytes.into()).map_err(|error| Fault::internal(format!("a response has no JSON: {error}")))
}

/// Serializes what a command renders within its transaction: empty where the DTO has no JSON, which the command and
/// [`crate::json_response::json_response`] turn into a fault.
pub fn json<T: Serialize>(dto: &T) -> Bytes {
    try_json(dto).unwrap_or_else(|fault| {
        tracing::error!(%fault, "a response could not be serialized");
        Bytes::new()
    })
}
