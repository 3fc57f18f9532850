//! Metrics with the labels `organization` and `event`, for a limited number of open show events (see [`crate::per_event_counters`]).
//!
//! To add one: the constant, its [`EventCounter`], its line in `ALL` at the same position.

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

/// Every metric of this area, in the order of [`EventCounter`].
pub const ALL: &[Metric] = &[
    EVENT_HOLDS_GRANTED_TOTAL,
    EVENT_HOLDS_REFUSED_TOTAL,
    EVENT_ORDERS_PLACED_TOTAL,
    EVENT_TICKETS_ISSUED_TOTAL,
    EVENT_SCANS_ADMITTED_TOTAL,
    EVENT_SCANS_REFUSED_TOTAL,
];

/// The position of a metric in [`ALL`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EventCounter {
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
    fn counters_are_in_the_order_of_the_list() {
        for (counter, name) in [
            (EventCounter::HoldsGranted, "voelgoed_event_holds_granted_total"),
            (EventCounter::HoldsRefused, "voelgoed_event_holds_refused_total"),
            (EventCounter::OrdersPlaced, "voelgoed_event_orders_placed_total"),
            (EventCounter::TicketsIssued, "voelgoed_event_tickets_issued_total"),
            (EventCounter::ScansAdmitted, "voelgoed_event_scans_admitted_total"),
            (EventCounter::ScansRefused, "voelgoed_event_scans_refused_total"),
        ] {
            assert_eq!(ALL[counter as usize].name, name);
        }
        assert_eq!(EventCounter::ScansRefused as usize + 1, ALL.len());
    }
}
