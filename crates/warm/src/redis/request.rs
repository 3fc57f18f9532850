//! Packs values as arguments of Redis functions, little-endian, so that a request for a hundred places is one short argument.
//!
//! Never: a check that a Redis function makes. Only an installation is checked here, because its bitmaps are built on this side.

use std::net::{IpAddr, Ipv6Addr};

use voelgoed_app::error::Fault;
use voelgoed_app::ticketing::ports::Install;
use voelgoed_domain::ids::{HoldId, TicketId};
use voelgoed_domain::ticketing::hold::{HoldRequest, Pick};
use voelgoed_domain::ticketing::inventory::{InstallRefused, id_created_at};
use voelgoed_domain::ticketing::place::{PlaceEffect, PlaceState};

/// A number as text.
pub(super) fn number(number: impl ToString) -> Vec<u8> {
    number.to_string().into_bytes()
}

/// A hold's id, and the time in the id in microseconds (empty if it has none).
pub(super) fn hold(hold: HoldId) -> [Vec<u8>; 2] {
    let created_at = id_created_at(hold).map(|at| number(at.micros())).unwrap_or_default();
    [hold.uuid().as_bytes().to_vec(), created_at]
}

/// A request as `allocate.lua` reads it.
pub(super) fn request(request: &HoldRequest) -> Vec<Vec<u8>> {
    let picks = request.picks.iter().flat_map(|pick| match pick {
        Pick::Place(place) => [0, place.0, 0, 0],
        Pick::Any { range, quantity } => [1, range.start, range.end, *quantity],
    });
    let [hold, created_at] = hold(request.hold);
    vec![
        hold,
        created_at,
        request.session.uuid().as_bytes().to_vec(),
        request.terms.clone().into_bytes(),
        number(request.lasts_millis),
        number(request.places_per_session),
        number(request.expected_version),
        request.address.map(address).unwrap_or_default(),
        number(request.places_per_address),
        // Binary, so it comes last: redis-cli reads a binary value only as the last argument, from a file.
        picks.flat_map(u32::to_le_bytes).collect(),
    ]
}

/// An address as sixteen bytes, IPv4 mapped; never all zeros, which mean no address.
fn address(address: IpAddr) -> Vec<u8> {
    let six = match address {
        IpAddr::V4(four) => four.to_ipv6_mapped(),
        IpAddr::V6(six) if six.is_unspecified() => Ipv6Addr::LOCALHOST,
        IpAddr::V6(six) => six,
    };
    six.octets().to_vec()
}

/// Effects as place (u32), version (u32), state (u8).
pub(super) fn effects(effects: &[PlaceEffect]) -> Vec<u8> {
    let mut packed = Vec::with_capacity(effects.len() * 9);
    for effect in effects {
        packed.extend(effect.place.0.to_le_bytes());
        packed.extend(effect.version.0.to_le_bytes());
        packed.push(state_code(effect.state));
    }
    packed
}

/// Ticket ids, sixteen bytes each.
pub(super) fn tickets(tickets: &[TicketId]) -> Vec<u8> {
    tickets.iter().flat_map(|ticket| *ticket.uuid().as_bytes()).collect()
}

const fn state_code(state: PlaceState) -> u8 {
    match state {
        PlaceState::Free => 0,
        PlaceState::Claimed => 1,
        PlaceState::Sold => 2,
        PlaceState::Blocked => 3,
    }
}

/// The arguments of an installation after its lease: epoch, length, areas, bitmaps, versions, admitted tickets, revoked tickets.
///
/// # Errors
/// A fault if the areas leave a gap, a row names a place beyond them, or the areas cannot be serialized.
pub(super) fn install(install: &Install) -> Result<Vec<Vec<u8>>, Fault> {
    let mut length = 0;
    for span in &install.areas {
        if span.places.start != length || span.places.end < length {
            return Err(Fault::internal(InstallRefused::Malformed(length)));
        }
        length = span.places.end;
    }
    let size = length as usize;
    let mut bitmaps = [(); 3].map(|()| vec![0_u8; size.div_ceil(8)]);
    let mut versions = vec![0_u8; size * 4];
    for row in &install.places {
        if row.place.0 >= length {
            return Err(Fault::internal(InstallRefused::Malformed(row.place.0)));
        }
        let place = row.place.index();
        let stored = &mut versions[place * 4..place * 4 + 4];
        if row.version.0.to_be_bytes() < [stored[3], stored[2], stored[1], stored[0]] {
            continue;
        }
        stored.copy_from_slice(&row.version.0.to_le_bytes());
        let state = state_code(row.state);
        for (bits, is_set) in bitmaps.iter_mut().zip([state != 0, state == 2, state == 3]) {
            let bit = 0x80 >> (place % 8);
            bits[place / 8] = if is_set { bits[place / 8] | bit } else { bits[place / 8] & !bit };
        }
    }
    let [taken, sold, blocked] = bitmaps;
    let areas = serde_json::to_vec(&install.areas).map_err(Fault::internal)?;
    let (admitted, revoked) = (tickets(&install.admitted), tickets(&install.revoked));
    Ok(vec![number(install.epoch.0), number(length), areas, taken, sold, blocked, versions, admitted, revoked])
}
