//! Metrics of orders and issued tickets.

use std::time::Duration;

use metrics::{Counter, Histogram};
use uuid::Uuid;

use crate::family::Family;
use crate::metric::{CALL, Label, Metric, Unit, label_values};
use crate::metrics::live_event::EventCounter;
use crate::per_event_counters;

const OUTCOME: Label = Label::open("outcome");

/// Order requests.
pub const ORDERS_TOTAL: Metric = Metric::counter(
    "checkout",
    "voelgoed_orders_total",
    &[OUTCOME],
    "Order requests by outcome: placed, or the code of the refusal.",
);
/// Time to place an order.
pub const ORDER_SECONDS: Metric = Metric::histogram(
    "checkout",
    "voelgoed_order_seconds",
    Unit::Seconds,
    CALL,
    &[],
    "Time to place an order, from pin to durable claim.",
);
/// Orders that ended.
pub const ORDERS_ENDED_TOTAL: Metric = Metric::counter(
    "checkout",
    "voelgoed_orders_ended_total",
    &[OrderEnd::LABEL],
    "Orders that reached an end: paid, cancelled or expired.",
);
/// Tickets issued.
pub const TICKETS_ISSUED_TOTAL: Metric =
    Metric::counter("checkout", "voelgoed_tickets_issued_total", &[], "Tickets issued for paid orders.");
/// Time to issue tickets.
pub const ISSUE_SECONDS: Metric = Metric::histogram(
    "checkout",
    "voelgoed_issue_seconds",
    Unit::Seconds,
    CALL,
    &[],
    "Time from the recorded capture to durable tickets.",
);

label_values! {
    /// How an order ended.
    OrderEnd = "end" {
        /// Paid and ticketed.
        Paid = "paid",
        /// Cancelled before payment.
        Cancelled = "cancelled",
        /// Not paid in time.
        Expired = "expired",
    }
}

/// Every metric of this area.
pub const ALL: &[Metric] = &[ORDERS_TOTAL, ORDER_SECONDS, ORDERS_ENDED_TOTAL, TICKETS_ISSUED_TOTAL, ISSUE_SECONDS];

static ORDERS: Family<Counter, 1> = Family::of(&ORDERS_TOTAL);
static DURATION: Family<Histogram, 0> = Family::of(&ORDER_SECONDS);
static ENDED: Family<Counter, 1> = Family::of(&ORDERS_ENDED_TOTAL);
static ISSUED: Family<Counter, 0> = Family::of(&TICKETS_ISSUED_TOTAL);
static ISSUE: Family<Histogram, 0> = Family::of(&ISSUE_SECONDS);

/// Counts an order that was placed durably.
pub fn order_placed(event: Uuid, took: Duration) {
    ORDERS.at(["placed"], |counter| counter.increment(1));
    DURATION.at([], |histogram| histogram.record(took));
    per_event_counters::count(event, EventCounter::OrdersPlaced, 1);
}

/// Counts an order that was refused with a stable code.
pub fn order_refused(code: &'static str) {
    ORDERS.at([code], |counter| counter.increment(1));
}

/// Counts an order that ended.
pub fn order_ended(end: OrderEnd) {
    ENDED.at([end.as_str()], |counter| counter.increment(1));
}

/// Adds the tickets of one order.
pub fn tickets_issued(event: Uuid, tickets: u64) {
    ISSUED.at([], |counter| counter.increment(tickets));
    per_event_counters::count(event, EventCounter::TicketsIssued, tickets);
}

/// Records the time from capture to durable tickets.
pub fn order_issued(took: Duration) {
    ISSUE.at([], |histogram| histogram.record(took));
}
