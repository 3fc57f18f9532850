//! Chooses an event's cover picture by its id, so that all pages show the same one.

use voelgoed_domain::catalog::event::Event;

/// The classes `cover-0` to `cover-5` of base.css.
const COVERS: u8 = 6;

/// The number of the event's cover.
pub fn cover(event: &Event) -> u8 {
    event.id.uuid().as_bytes().iter().fold(0_u8, |sum, byte| sum.wrapping_mul(31).wrapping_add(*byte)) % COVERS
}
