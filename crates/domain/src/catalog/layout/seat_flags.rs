//! Sets the flags of seats of a stored layout, since wheelchair spaces are often known later than the plan; nothing else of a stored layout changes.

use super::build::normalized_flags;
use super::{Area, AreaKind, Layout, LazyCache, SeatFlag};
use crate::refusal::Refusal;
use crate::ticketing::place_number::PlaceNumber;

/// Places in one request to set flags.
pub const FLAGGED_PLACES_PER_REQUEST_MAX: usize = 20_000;

impl Layout {
    /// True where a seat is accessible. Cached, since every page calls this.
    #[must_use]
    pub fn has_accessible(&self) -> bool {
        let is = |seat: &super::Seat| seat.flags.contains(&SeatFlag::Accessible);
        let within = |area: &Area| area.rows().iter().flat_map(|row| &row.seats).any(is);
        self.areas.iter().any(|area| *area.accessible.0.get_or_init(|| within(area)))
    }

    /// The places with these texts on tickets.
    ///
    /// # Errors
    /// `invalid_request` with the field (`labels[3]`) of the first text that no seat has.
    pub fn places_labelled(&self, labels: &[String]) -> Result<Vec<PlaceNumber>, Refusal> {
        let seats = (0..self.place_count()).map(PlaceNumber).filter(|place| self.seat(*place).is_some());
        let known: std::collections::BTreeMap<String, PlaceNumber> =
            seats.filter_map(|place| Some((crate::text::folded(&self.label(place)?), place))).collect();
        let find = |(at, label): (usize, &String)| {
            let found = known.get(&crate::text::folded(label)).copied();
            found.ok_or_else(|| Refusal::invalid(format!("labels[{at}]"), format!("No seat has the label `{label}`.")))
        };
        labels.iter().enumerate().map(find).collect()
    }

    /// The layout with exactly these flags on each of `places`.
    ///
    /// # Errors
    /// `invalid_request` with the field: no place, too many places, a place without a seat, or flags that exclude each other.
    pub fn with_flags(&self, places: &[PlaceNumber], wanted: Vec<SeatFlag>) -> Result<Self, Refusal> {
        if places.is_empty() || places.len() > FLAGGED_PLACES_PER_REQUEST_MAX {
            return Err(Refusal::invalid("places", format!("Name 1 to {FLAGGED_PLACES_PER_REQUEST_MAX} places.")));
        }
        let wanted = normalized_flags("flags", wanted).map_err(|mut refusal| {
            refusal.evidence.field = Some("flags".to_owned());
            refusal
        })?;
        let mut changed = self.clone();
        for (at, place) in places.iter().enumerate() {
            let seat = changed.areas.iter_mut().find(|area| area.places().contains(&place.0)).and_then(|area| {
                let AreaKind::Seated { rows } = &mut area.kind else { return None };
                let row = rows.partition_point(|row| row.first <= *place).checked_sub(1)?;
                let row = rows.get_mut(row)?;
                row.seats.get_mut(place.index() - row.first.index())
            });
            let seat = seat.ok_or_else(|| {
                Refusal::invalid(format!("places[{at}]"), format!("Place {} of this layout has no seat.", place.0))
            })?;
            seat.flags.clone_from(&wanted);
        }
        changed.areas.iter_mut().for_each(|area| area.accessible = LazyCache::default());
        changed.flags_version += 1;
        Ok(changed)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::area_id;
    use super::super::{AreaDraft, RowDraft, Seat};
    use super::*;

    #[test]
    fn flags_are_set_on_seats_and_refused_for_other_places() {
        let seat = |n: u32| Seat { label: n.to_string(), x: n as f32, y: 0.0, category: "A".into(), flags: vec![] };
        let drafts = vec![
            AreaDraft::seated(area_id(0), "Stalls", vec![RowDraft::new("A", (1..=3).map(seat).collect())]),
            AreaDraft::general(area_id(1), "Floor", 2, "B"),
        ];
        let layout = Layout::build(drafts).unwrap();
        let places = layout.places_labelled(&["stalls · row A · Seat 2".into()]).unwrap();
        assert_eq!(places, [PlaceNumber(1)]);
        let changed = layout.with_flags(&places, vec![SeatFlag::RestrictedView, SeatFlag::Accessible]).unwrap();
        let flags = |layout: &Layout, place| layout.seat(PlaceNumber(place)).unwrap().seat.flags.clone();
        assert_eq!(flags(&changed, 1), [SeatFlag::Accessible, SeatFlag::RestrictedView]);
        assert_eq!((flags(&changed, 0), changed.flags_version), (vec![], 1));
        assert_eq!([layout.has_accessible(), changed.has_accessible()], [false, true]);
        assert_eq!(flags(&changed.with_flags(&places, vec![]).unwrap(), 1), []);
        let field = |result: Result<Layout, Refusal>| result.unwrap_err().evidence.field.unwrap();
        assert_eq!(field(layout.with_flags(&[PlaceNumber(0), PlaceNumber(3)], vec![])), "places[1]");
        assert_eq!(field(layout.with_flags(&[PlaceNumber(9)], vec![])), "places[0]");
        assert_eq!(field(layout.with_flags(&[], vec![])), "places");
        let max = vec![PlaceNumber(0); FLAGGED_PLACES_PER_REQUEST_MAX];
        assert!(layout.with_flags(&max, vec![]).is_ok());
        assert_eq!(field(layout.with_flags(&[max, vec![PlaceNumber(0)]].concat(), vec![])), "places");
        let both = vec![SeatFlag::Companion, SeatFlag::Accessible];
        assert_eq!(field(layout.with_flags(&places, both)), "flags");
        assert_eq!(layout.places_labelled(&["Stalls".into()]).unwrap_err().evidence.field.unwrap(), "labels[0]");
    }
}
