//! Reads the replies of Redis functions back into the domain's values: the envelope that all share, and the primitive values.
//!
//! Never: trusts a shape. A reply of another shape is a fault, not a guess.

use redis::Value;
use uuid::Uuid;
use voelgoed_app::error::Fault;
use voelgoed_app::ticketing::ports::{InventoryError, InventoryResult};
use voelgoed_domain::ids::OrderId;
use voelgoed_domain::refusal::Refusal;
use voelgoed_domain::ticketing::hold::HoldRequest;
use voelgoed_domain::ticketing::inventory::refusals;
use voelgoed_domain::ticketing::place::{Epoch, Position};
use voelgoed_domain::ticketing::place_number::PlaceNumber;

mod counts;
mod hold;
mod offline_scans;
mod snapshot;

pub(super) use counts::counted;
pub(super) use hold::hold;
pub(super) use offline_scans::{offline_scan, offline_scans, pending_scans};
pub(super) use snapshot::{catch_up, snapshot};

/// The reply of a function: the position of the event's log, and the value or the refusal.
pub(super) struct Reply {
    pub(super) position: Position,
    pub(super) value: Result<Value, Refusal>,
}

/// The limits of a request, for the text of a refusal.
#[derive(Clone, Copy, Default)]
pub(super) struct RequestLimits {
    pub(super) per_session: u32,
    pub(super) per_address: u32,
}

impl From<&HoldRequest> for RequestLimits {
    fn from(request: &HoldRequest) -> Self {
        Self { per_session: request.places_per_session, per_address: request.places_per_address }
    }
}

/// Reads a reply; `limits` are those of the request.
///
/// | reply | meaning |
/// |---|---|
/// | `{0, epoch, seq, value}` | done |
/// | `{1}` | the event is not loaded |
/// | `{2, epoch, seq, code, evidence}` | refused |
pub(super) fn read(reply: Value, limits: RequestLimits) -> InventoryResult<Reply> {
    let mut parts = array(reply)?.into_iter();
    let mut next = || parts.next().ok_or_else(|| unexpected("a part is missing"));
    let kind = int(&next()?)?;
    if kind == 1 {
        return Err(InventoryError::Unloaded);
    }
    let position = Position { epoch: Epoch(unsigned(&next()?)?), seq: unsigned(&next()?)? };
    let value = match kind {
        0 => Ok(next()?),
        _ => Err(refusal(&bytes(next()?)?, &bytes(next()?)?, limits)?),
    };
    Ok(Reply { position, value })
}

fn refusal(code: &[u8], evidence: &[u8], limits: RequestLimits) -> Result<Refusal, Fault> {
    Ok(match code {
        b"lost" => refusals::hold_lost(),
        b"expired" => refusals::hold_expired(),
        b"not_found" => Refusal::not_found(),
        b"changed" => refusals::hold_changed(),
        b"being_ordered" => refusals::order_in_progress(),
        b"ordered" => refusals::already_ordered(OrderId::from_uuid(uuid(evidence)?)),
        b"place_taken" => Refusal::place_taken(places(evidence)),
        b"sold_out" => refusals::sold_out(),
        b"offline" if evidence == b"asked" => refusals::scan_intent_pending(),
        b"offline" => refusals::offline_scans_full(),
        b"too_large" => refusals::terms_too_long(),
        b"limit" if evidence == b"places_per_hold" => refusals::places_per_hold(),
        b"limit" if evidence == b"holds_per_session" => refusals::holds_per_session(),
        b"limit" if evidence == b"places_per_address_max" => refusals::places_per_address(limits.per_address),
        b"limit" => refusals::places_per_session(limits.per_session),
        b"invalid" if evidence == b"items" => refusals::no_picks(),
        b"invalid" if evidence == b"lasts_millis" => refusals::hold_too_long(),
        b"invalid" => refusals::invalid_pick(&String::from_utf8_lossy(evidence)),
        other => return Err(unexpected(&format!("an unknown refusal {}", String::from_utf8_lossy(other)))),
    })
}

/// The number of holds that a step freed, and the work left in the event.
pub(super) struct RemainingWork {
    pub(super) freed: u64,
    pub(super) holds: u64,
    pub(super) scans: u64,
    pub(super) counts: u64,
}

/// Reads `{freed, holds, scans, counts}`.
pub(super) fn remaining_work(value: Value) -> Result<RemainingWork, Fault> {
    match array(value)?.as_slice() {
        [freed, holds, scans, counts] => Ok(RemainingWork {
            freed: unsigned(freed)?,
            holds: unsigned(holds)?,
            scans: unsigned(scans)?,
            counts: unsigned(counts)?,
        }),
        other => Err(unexpected(&format!("{} numbers instead of four", other.len()))),
    }
}

/// Reads two numbers.
pub(super) fn pair(value: Value) -> Result<(u64, u64), Fault> {
    match array(value)?.as_slice() {
        [first, second] => Ok((unsigned(first)?, unsigned(second)?)),
        other => Err(unexpected(&format!("{} numbers instead of two", other.len()))),
    }
}

/// Reads a list of byte strings.
pub(super) fn texts(value: Value) -> Result<Vec<Vec<u8>>, Fault> {
    array(value)?.into_iter().map(bytes).collect()
}

/// Reads an unsigned number.
pub(super) fn number(value: &Value) -> Result<u64, Fault> {
    unsigned(value)
}

fn places(packed: &[u8]) -> Vec<PlaceNumber> {
    packed.as_chunks::<4>().0.iter().map(|bytes| PlaceNumber(u32::from_le_bytes(*bytes))).collect()
}

fn uuid(bytes: &[u8]) -> Result<Uuid, Fault> {
    Uuid::from_slice(bytes).map_err(|_| unexpected("a malformed id"))
}

fn array(value: Value) -> Result<Vec<Value>, Fault> {
    if let Value::Array(parts) = value { Ok(parts) } else { Err(unexpected("something other than a list")) }
}

fn bytes(value: Value) -> Result<Vec<u8>, Fault> {
    if let Value::BulkString(bytes) = value { Ok(bytes) } else { Err(unexpected("something other than a string")) }
}

fn int(value: &Value) -> Result<i64, Fault> {
    if let Value::Int(number) = value { Ok(*number) } else { Err(unexpected("something other than a number")) }
}

fn unsigned(value: &Value) -> Result<u64, Fault> {
    u64::try_from(int(value)?).map_err(|_| unexpected("a negative number"))
}

fn unexpected(what: &str) -> Fault {
    Fault::internal(format!("the warm tier replied with {what}"))
}
