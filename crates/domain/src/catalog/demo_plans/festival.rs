//! Generates a festival of 25,000 general-admission places on a meadow; the stage is at the top with its front at y = 0.

use super::seat_geometry::{Circle, Metres, point};
use crate::catalog::layout::AreaDraft;
use crate::ids::AreaId;

/// 25,000 places: `Front stage`, `Field`, `VIP terrace`, `Wheelchair platform`, `Camping`, `Camper vans`, each a category of the same name.
#[must_use]
pub fn festival(mut new_id: impl FnMut() -> AreaId) -> Vec<AreaDraft> {
    let areas: [(&str, u32, Vec<Metres>); 6] = [
        ("Front stage", 3_000, ring_sector(6.0, 34.0, 0.9)),
        ("Field", 14_000, ring_sector(38.0, 120.0, 0.75)),
        ("VIP terrace", 1_000, rectangle((40.0, -4.0), (74.0, 22.0))),
        ("Wheelchair platform", 100, rectangle((-60.0, 6.0), (-40.0, 18.0))),
        ("Camping", 6_000, vec![(-130.0, 130.0), (30.0, 130.0), (20.0, 205.0), (-110.0, 215.0)]),
        ("Camper vans", 900, rectangle((42.0, 134.0), (125.0, 200.0))),
    ];
    let draft = |(name, capacity, outline): (&str, u32, Vec<Metres>)| AreaDraft {
        outline: outline.into_iter().map(point).collect(),
        ..AreaDraft::general(new_id(), name, capacity, name)
    };
    areas.into_iter().map(draft).collect()
}

/// A part of a ring around the stage between two distances, with the angle `half` to each side.
fn ring_sector(near: f64, far: f64, half: f64) -> Vec<Metres> {
    let steps = 12;
    let angles = (0..=steps).map(|step| half * (2.0 * f64::from(step) / f64::from(steps) - 1.0));
    let ring = |radius| Circle { centre_y: 0.0, radius };
    let inner = angles.clone().map(|angle| ring(near).position(angle));
    inner.chain(angles.rev().map(|angle| ring(far).position(angle))).collect()
}

fn rectangle((left, top): Metres, (right, bottom): Metres) -> Vec<Metres> {
    vec![(left, top), (right, top), (right, bottom), (left, bottom)]
}
