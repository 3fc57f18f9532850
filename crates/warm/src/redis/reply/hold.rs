//! Unpacks a hold as `holds.lua` packs it.

use redis::Value;
use voelgoed_app::error::Fault;
use voelgoed_domain::ids::{HoldId, OrderId, SessionId};
use voelgoed_domain::ticketing::hold::{HoldPhase, HoldRecord};
use voelgoed_domain::ticketing::place::Epoch;
use voelgoed_domain::time::Timestamp;

use super::{bytes, places, unexpected, uuid};

/// Unpacks a hold. Fields in order: session, expiry, phase, expiry of the pin, order (the client address while there is no order), epoch, whether the
/// hold was extended, number of lists, version; then the lists of places and the terms.
pub(in crate::redis) fn hold(hold: HoldId, value: Value) -> Result<HoldRecord, Fault> {
    let packed = bytes(value)?;
    let mut rest = packed.as_slice();
    let session = SessionId::from_uuid(uuid(part(&mut rest, 16)?)?);
    let expires_at = timestamp(&mut rest)?;
    let phase = byte(&mut rest)?;
    let until = timestamp(&mut rest)?;
    let order = part(&mut rest, 16)?;
    let phase = match phase {
        0 => HoldPhase::Active,
        1 => HoldPhase::Pinned { until },
        2 => HoldPhase::Claimed { order: OrderId::from_uuid(uuid(order)?) },
        _ => return Err(unexpected("an unknown phase")),
    };
    // Written by this program as a whole number far below 2^53.
    let epoch = Epoch(double(&mut rest)? as u64);
    let _extended = byte(&mut rest)?;
    let list_count = u16::from_le_bytes(array_of(part(&mut rest, 2)?)?);
    let version = u32::from_le_bytes(array_of(part(&mut rest, 4)?)?);
    let mut lists = Vec::with_capacity(usize::from(list_count));
    for _ in 0..list_count {
        let size = u32::from_le_bytes(array_of(part(&mut rest, 4)?)?);
        lists.push(places(part(&mut rest, size as usize)?));
    }
    let terms = std::str::from_utf8(rest).map_err(|_| unexpected("terms that are not UTF-8"))?.to_owned();
    Ok(HoldRecord { hold, session, places: lists, terms, expires_at, phase, epoch, version })
}

fn part<'a>(rest: &mut &'a [u8], size: usize) -> Result<&'a [u8], Fault> {
    let (part, remainder) = rest.split_at_checked(size).ok_or_else(|| unexpected("a truncated hold"))?;
    *rest = remainder;
    Ok(part)
}

fn array_of<const N: usize>(part: &[u8]) -> Result<[u8; N], Fault> {
    part.try_into().map_err(|_| unexpected("a field of another size"))
}

fn byte(rest: &mut &[u8]) -> Result<u8, Fault> {
    array_of(part(rest, 1)?).map(|[byte]| byte)
}

/// A Lua number.
fn double(rest: &mut &[u8]) -> Result<f64, Fault> {
    array_of(part(rest, 8)?).map(f64::from_le_bytes)
}

/// Microseconds, exact as a double until the year 2255.
fn timestamp(rest: &mut &[u8]) -> Result<Timestamp, Fault> {
    double(rest).map(|micros| Timestamp::from_micros(micros as i64))
}
