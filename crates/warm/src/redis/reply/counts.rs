//! Reads the entries of a count stream.

use redis::Value;
use voelgoed_app::analytics::ports::{self as analytics, StepCountEntry};
use voelgoed_app::error::Fault;
use voelgoed_domain::time::Timestamp;
use voelgoed_telemetry::metrics::cold::row_unreadable;

use super::{array, bytes, unexpected};

/// Reads `{{id, minute, viewed, held, refused}, …}`, all texts.
pub(in crate::redis) fn counted(value: Value) -> Result<Vec<StepCountEntry>, Fault> {
    let entry = |value| {
        let [id, minute, viewed, held, refused] = <[Value; 5]>::try_from(array(value)?)
            .map_err(|parts| unexpected(&format!("an entry of {} parts", parts.len())))?;
        let text = |value| String::from_utf8(bytes(value)?).map_err(|_| unexpected("an entry that is not UTF-8"));
        let count = |value| text(value)?.parse().map_err(|_| unexpected("a malformed count"));
        Ok(StepCountEntry {
            id: text(id)?,
            minute: Timestamp::from_micros(text(minute)?.parse().map_err(|_| unexpected("a malformed minute"))?),
            counts: analytics::StepCounts { viewed: count(viewed)?, held: count(held)?, refused: count(refused)? },
        })
    };
    // An unreadable entry stays pending, so that a worker of a newer program version can take it.
    let entries = array(value)?.into_iter().map(entry);
    Ok(entries.filter_map(|entry| entry.inspect_err(|fault: &Fault| row_unreadable("counts", fault)).ok()).collect())
}
