//! What the scripts answer, read back into the domain's values.
//!
//! Never trusts a shape: an answer that is not as expected is a fault, not a guess.

use redis::Value;
use uuid::Uuid;
use voelgoed_app::analytics::ports::{self as analytics, Counted};
use voelgoed_app::error::Fault;
use voelgoed_app::scanning::ports::{OfflineScan, ScanResult};
use voelgoed_app::ticketing::ports::{Answer, AreaSpan, InventoryError, InventorySnapshot};
use voelgoed_domain::ids::{HoldId, OrderId, SessionId};
use voelgoed_domain::refusal::Refusal;
use voelgoed_domain::scanning::entry::ScanReason;
use voelgoed_domain::ticketing::hold::{HoldPhase, HoldRecord, HoldRequest};
use voelgoed_domain::ticketing::inventory::{CatchUp, Counts, InventoryChange, refusals};
use voelgoed_domain::ticketing::place::{Epoch, PlaceNumber, Position, Shown};
use voelgoed_domain::time::Timestamp;
use voelgoed_telemetry::metrics::cold::row_unreadable;

/// What a script said: where the log stands then, and its value or refusal.
pub(super) struct Reply {
    pub(super) position: Position,
    pub(super) value: Result<Value, Refusal>,
}

/// The limits that a request brought.
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

/// Reads `{0, epoch, seq, value}`, `{1}` or `{2, epoch, seq, code, evidence}`; `limits` are those that a refusal may name.
pub(super) fn read(answer: Value, limits: RequestLimits) -> Answer<Reply> {
    let mut parts = array(answer)?.into_iter();
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
        b"being_ordered" => refusals::being_ordered(),
        b"ordered" => refusals::ordered(OrderId::from_uuid(uuid(evidence)?)),
        b"place_taken" => Refusal::place_taken(places(evidence)),
        b"sold_out" => refusals::sold_out(),
        b"offline" if evidence == b"asked" => refusals::asked_elsewhere(),
        b"offline" => refusals::too_many_kept(),
        b"too_large" => refusals::terms_too_long(),
        b"limit" if evidence == b"places_per_hold" => refusals::places_per_hold(),
        b"limit" if evidence == b"holds_per_session" => refusals::holds_per_session(),
        b"limit" if evidence == b"places_per_address_max" => refusals::places_per_address(limits.per_address),
        b"limit" => refusals::places_per_session(limits.per_session),
        b"invalid" if evidence == b"items" => refusals::no_picks(),
        b"invalid" if evidence == b"lasts_millis" => refusals::lasts_too_long(),
        b"invalid" => refusals::unsound_pick(&String::from_utf8_lossy(evidence)),
        other => return Err(unexpected(&format!("an unknown refusal {}", String::from_utf8_lossy(other)))),
    })
}

/// A hold as `common.lua` packs it: session, end, phase, end of the pin, order (or client address, before there is one), epoch, whether extended, how many lists, version; then the lists and the terms.
pub(super) fn hold(hold: HoldId, value: Value) -> Result<HoldRecord, Fault> {
    let packed = bytes(value)?;
    let mut rest = packed.as_slice();
    let session = SessionId::from_uuid(uuid(part(&mut rest, 16)?)?);
    let expires_at = moment(&mut rest)?;
    let phase = one(&mut rest)?;
    let until = moment(&mut rest)?;
    let order = part(&mut rest, 16)?;
    let phase = match phase {
        0 => HoldPhase::Active,
        1 => HoldPhase::Pinned { until },
        2 => HoldPhase::Claimed { order: OrderId::from_uuid(uuid(order)?) },
        _ => return Err(unexpected("a phase that is none")),
    };
    // Written by this side as a whole number far below 2^53.
    let epoch = Epoch(double(&mut rest)? as u64);
    let _extended = one(&mut rest)?;
    let lists = u16::from_le_bytes(array_of(part(&mut rest, 2)?)?);
    let version = u32::from_le_bytes(array_of(part(&mut rest, 4)?)?);
    let mut all = Vec::with_capacity(usize::from(lists));
    for _ in 0..lists {
        let size = u32::from_le_bytes(array_of(part(&mut rest, 4)?)?);
        all.push(places(part(&mut rest, size as usize)?));
    }
    let terms = std::str::from_utf8(rest).map_err(|_| unexpected("terms that are not text"))?.to_owned();
    Ok(HoldRecord { hold, session, places: all, terms, expires_at, phase, epoch, version })
}

fn part<'a>(rest: &mut &'a [u8], size: usize) -> Result<&'a [u8], Fault> {
    let (part, behind) = rest.split_at_checked(size).ok_or_else(|| unexpected("a hold that is cut off"))?;
    *rest = behind;
    Ok(part)
}

fn array_of<const N: usize>(part: &[u8]) -> Result<[u8; N], Fault> {
    part.try_into().map_err(|_| unexpected("a part of another size"))
}

fn one(rest: &mut &[u8]) -> Result<u8, Fault> {
    array_of(part(rest, 1)?).map(|[byte]| byte)
}

/// Lua's only kind of number.
fn double(rest: &mut &[u8]) -> Result<f64, Fault> {
    array_of(part(rest, 8)?).map(f64::from_le_bytes)
}

/// Microseconds, exact as a double until the year 2255.
fn moment(rest: &mut &[u8]) -> Result<Timestamp, Fault> {
    double(rest).map(|micros| Timestamp::from_micros(micros as i64))
}

/// `{length, areas, bitmaps}`: taken, sold and blocked, one after the other.
pub(super) fn snapshot(position: Position, value: Value) -> Result<InventorySnapshot, Fault> {
    whole(position, array(value)?)
}

fn whole(position: Position, parts: Vec<Value>) -> Result<InventorySnapshot, Fault> {
    let [length, areas, bitmaps] =
        <[Value; 3]>::try_from(parts).map_err(|parts| unexpected(&format!("a snapshot of {} parts", parts.len())))?;
    let length = usize::try_from(unsigned(&length)?).map_err(|_| unexpected("a length"))?;
    let areas: Vec<AreaSpan> = serde_json::from_slice(&bytes(areas)?).map_err(|_| unexpected("its areas"))?;
    let bitmaps = bytes(bitmaps)?;
    let size = length.div_ceil(8);
    if bitmaps.len() != size * 3 {
        return Err(unexpected("bitmaps of another length"));
    }
    let (taken, others) = bitmaps.split_at(size);
    let (sold, blocked) = others.split_at(size);
    let bit = |bits: &[u8], place: usize| bits[place / 8] & (0x80 >> (place % 8)) != 0;
    let look = |place| match (bit(taken, place), bit(sold, place), bit(blocked, place)) {
        (false, ..) => Shown::Free,
        (true, true, _) => Shown::Sold,
        (true, false, true) => Shown::Blocked,
        (true, false, false) => Shown::Held,
    };
    let places: Vec<_> = (0..length).map(look).collect();
    // Counted here, never kept: a count that is stored apart can differ from what it counts.
    let count = |span: &AreaSpan| {
        let area = places.get(span.places.start as usize..span.places.end as usize);
        let area = area.ok_or_else(|| unexpected("an area beyond the places"))?;
        Ok(area.iter().fold(Counts::default(), |mut counts, shown| {
            *counts.of(*shown) += 1;
            counts
        }))
    };
    let counts = areas.iter().map(count).collect::<Result<_, Fault>>()?;
    Ok(InventorySnapshot { position, counts, areas, places })
}

/// `{1, since, steps}` or `{0, …}` as a snapshot.
pub(super) fn catch_up(position: Position, value: Value) -> Result<CatchUp, Fault> {
    let mut parts = array(value)?;
    if parts.is_empty() {
        return Err(unexpected("nothing to catch up with"));
    }
    if int(&parts.remove(0))? == 0 {
        return Ok(CatchUp::Snapshot(whole(position, parts)?));
    }
    let [since, steps] =
        <[Value; 2]>::try_from(parts).map_err(|parts| unexpected(&format!("changes of {} parts", parts.len())))?;
    let numbered = (unsigned(&since)? + 1..).zip(array(steps)?);
    let changes = numbered.map(|(seq, packed)| {
        let changed = places(&bytes(packed)?).into_iter().map(|PlaceNumber(packed)| {
            let shown = [Shown::Free, Shown::Held, Shown::Sold, Shown::Blocked][packed as usize % 4];
            (PlaceNumber(packed / 4), shown)
        });
        Ok(InventoryChange { position: Position { seq, ..position }, places: changed.collect() })
    });
    Ok(CatchUp::Changes(changes.collect::<Result<_, Fault>>()?))
}

/// Whether it was told (1), `refusal`, first entry and scan, a line each.
pub(super) fn kept_scan(value: Value) -> Result<OfflineScan, Fault> {
    let text = String::from_utf8(bytes(value)?).map_err(|_| unexpected("a scan that is not text"))?;
    let mut lines = text.splitn(4, '\n');
    let mut next = || lines.next().ok_or_else(|| unexpected("a scan without its parts"));
    let (told, refusal, first, scan) = (next()? == "1", next()?, next()?, next()?);
    let result = match refusal {
        "" => ScanResult::Admitted,
        reason => ScanResult::Refused(ScanReason::parse(reason).map_err(|error| unexpected(&error.to_string()))?),
    };
    let first = if first.is_empty() { None } else { Some(serde_json::from_str(first).map_err(Fault::internal)?) };
    Ok(OfflineScan { scan: serde_json::from_str(scan).map_err(Fault::internal)?, result, first, told })
}

/// Many of them, of which each must be readable.
pub(super) fn kept_scans(value: Value) -> Result<Vec<OfflineScan>, Fault> {
    array(value)?.into_iter().map(kept_scan).collect()
}

/// Many of them with their identifiers, `{{scan, …}, …}`: those that can be read, and the identifiers of those that cannot.
pub(super) fn listed_scans(value: Value) -> Result<(Vec<OfflineScan>, Vec<u8>), Fault> {
    let (mut kept, mut unreadable) = (Vec::new(), Vec::new());
    for value in array(value)? {
        let [id, scan] =
            <[Value; 2]>::try_from(array(value)?).map_err(|parts| unexpected(&format!("{} parts", parts.len())))?;
        match kept_scan(scan) {
            Ok(scan) => kept.push(scan),
            Err(fault) => {
                row_unreadable("kept_scans", &fault);
                unreadable.extend(bytes(id)?);
            }
        }
    }
    Ok((kept, unreadable))
}

/// `{{id, minute, viewed, held, refused}, …}`, all of them text.
pub(super) fn counted(value: Value) -> Result<Vec<Counted>, Fault> {
    let entry = |value| {
        let [id, minute, viewed, held, refused] = <[Value; 5]>::try_from(array(value)?)
            .map_err(|parts| unexpected(&format!("an entry of {} parts", parts.len())))?;
        let text = |value| String::from_utf8(bytes(value)?).map_err(|_| unexpected("an entry that is not text"));
        let count = |value| text(value)?.parse().map_err(|_| unexpected("a count that is none"));
        Ok(Counted {
            id: text(id)?,
            minute: Timestamp::from_micros(text(minute)?.parse().map_err(|_| unexpected("a minute that is none"))?),
            counts: analytics::Counts { viewed: count(viewed)?, held: count(held)?, refused: count(refused)? },
        })
    };
    // An entry that cannot be read stays with the worker that took it, and comes again to another one.
    let entries = array(value)?.into_iter().map(entry);
    Ok(entries.filter_map(|entry| entry.inspect_err(|fault: &Fault| row_unreadable("counts", fault)).ok()).collect())
}

/// What a sweep did, and what it left in the event.
pub(super) struct LeftToDo {
    pub(super) freed: u64,
    pub(super) holds: u64,
    pub(super) scans: u64,
    pub(super) counts: u64,
}

/// `{freed, holds, scans, counts}`
pub(super) fn left_to_do(value: Value) -> Result<LeftToDo, Fault> {
    match array(value)?.as_slice() {
        [freed, holds, scans, counts] => Ok(LeftToDo {
            freed: unsigned(freed)?,
            holds: unsigned(holds)?,
            scans: unsigned(scans)?,
            counts: unsigned(counts)?,
        }),
        other => Err(unexpected(&format!("{} numbers instead of four", other.len()))),
    }
}

/// Two numbers.
pub(super) fn pair(value: Value) -> Result<(u64, u64), Fault> {
    match array(value)?.as_slice() {
        [first, second] => Ok((unsigned(first)?, unsigned(second)?)),
        other => Err(unexpected(&format!("{} numbers instead of two", other.len()))),
    }
}

/// A list of byte strings.
pub(super) fn texts(value: Value) -> Result<Vec<Vec<u8>>, Fault> {
    array(value)?.into_iter().map(bytes).collect()
}

/// A number of something.
pub(super) fn number(value: &Value) -> Result<u64, Fault> {
    unsigned(value)
}

fn places(packed: &[u8]) -> Vec<PlaceNumber> {
    packed.as_chunks::<4>().0.iter().map(|bytes| PlaceNumber(u32::from_le_bytes(*bytes))).collect()
}

fn uuid(bytes: &[u8]) -> Result<Uuid, Fault> {
    Uuid::from_slice(bytes).map_err(|_| unexpected("an id that is none"))
}

fn array(value: Value) -> Result<Vec<Value>, Fault> {
    if let Value::Array(parts) = value { Ok(parts) } else { Err(unexpected("no list")) }
}

fn bytes(value: Value) -> Result<Vec<u8>, Fault> {
    if let Value::BulkString(bytes) = value { Ok(bytes) } else { Err(unexpected("no text")) }
}

fn int(value: &Value) -> Result<i64, Fault> {
    if let Value::Int(number) = value { Ok(*number) } else { Err(unexpected("no number")) }
}

fn unsigned(value: &Value) -> Result<u64, Fault> {
    u64::try_from(int(value)?).map_err(|_| unexpected("a number below zero"))
}

fn unexpected(what: &str) -> Fault {
    Fault::internal(format!("the warm tier answered with {what}"))
}
