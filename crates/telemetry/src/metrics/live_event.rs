//! Figures with the labels `organization` and `event`: only for live events, at most a hundred, the rest as `other` (see
//! [`crate::live_events`]).
//!
//! To add one: the constant, its [`Figure`], its line in `ALL` at the same position.

use crate::metric::{Label, Metric};

const LABELS: &[Label] = &[Label::open("organization"), Label::open("event")];

/// Holds granted.
pub const EVENT_HOLDS_GRANTED_TOTAL: Metric =
    Metric::counter("ticketing", "voelgoed_event_holds_granted_total", LABELS, "Holds granted for a live event.");
/// Holds refused.
pub const EVENT_HOLDS_REFUSED_TOTAL: Metric =
    Metric::counter("ticketing", "voelgoed_event_holds_refused_total", LABELS, "Holds refused for a live event.");
/// Orders placed.
pub const EVENT_ORDERS_PLACED_TOTAL: Metric =
    Metric::counter("checkout", "voelgoed_event_orders_placed_total", LABELS, "Orders placed for a live event.");
/// Tickets issued.
pub const EVENT_TICKETS_ISSUED_TOTAL: Metric =
    Metric::counter("checkout", "voelgoed_event_tickets_issued_total", LABELS, "Tickets issued for a live event.");
/// Scans that admitted.
pub const EVENT_SCANS_ADMITTED_TOTAL: Metric =
    Metric::counter("scanning", "voelgoed_event_scans_admitted_total", LABELS, "Scans of a live event that admitted.");
/// Scans that refused.
pub const EVENT_SCANS_REFUSED_TOTAL: Metric =
    Metric::counter("scanning", "voelgoed_event_scans_refused_total", LABELS, "Scans of a live event that refused.");

/// The list, in the order of [`Figure`].
pub const ALL: &[Metric] = &[
    EVENT_HOLDS_GRANTED_TOTAL,
    EVENT_HOLDS_REFUSED_TOTAL,
    EVENT_ORDERS_PLACED_TOTAL,
    EVENT_TICKETS_ISSUED_TOTAL,
    EVENT_SCANS_ADMITTED_TOTAL,
    EVENT_SCANS_REFUSED_TOTAL,
];

/// The position of a figure in [`ALL`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Figure {
    HoldsGranted,
    HoldsRefused,
    OrdersPlaced,
    TicketsIssued,
    ScansAdmitted,
    ScansRefused,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_stand_in_the_order_of_the_list() {
        for (figure, name) in [
            (Figure::HoldsGranted, "voelgoed_event_holds_granted_total"),
            (Figure::HoldsRefused, "voelgoed_event_holds_refused_total"),
            (Figure::OrdersPlaced, "voelgoed_event_orders_placed_total"),
            (Figure::TicketsIssued, "voelgoed_event_tickets_issued_total"),
            (Figure::ScansAdmitted, "voelgoed_event_scans_admitted_total"),
            (Figure::ScansRefused, "voelgoed_event_scans_refused_total"),
        ] {
            assert_eq!(ALL[figure as usize].name, name);
        }
        assert_eq!(Figure::ScansRefused as usize + 1, ALL.len());
    }
}
