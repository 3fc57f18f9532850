//! Every span name, and the one way to open each: a request, a job, a relay round; never a span per seat.
//!
//! Each carries `slice`, `service_type`, and room for `organization` and `event`, which [`belongs_to`] fills once they are known.
//! Never: a token, a key, a name of a person. To add a span: its constant, its line in `ALL`, its function.

use std::fmt::Display;

use tracing::{Span, field::Empty};

use crate::logging::service_type;

/// One HTTP request.
pub const HTTP_REQUEST: &str = "http_request";
/// One run of a durable job.
pub const JOB_RUN: &str = "job_run";
/// One round of a reconciler or relay.
pub const BACKGROUND_ROUND: &str = "background_round";
/// One command given on the command line.
pub const COMMAND: &str = "command";

/// The list.
pub const ALL: &[&str] = &[HTTP_REQUEST, JOB_RUN, BACKGROUND_ROUND, COMMAND];

/// A request; `route` is the template that the router matched.
pub fn http_request(slice: &'static str, method: &str, route: &str, request_id: &str) -> Span {
    tracing::info_span!(
        HTTP_REQUEST,
        slice,
        service_type = service_type(),
        organization = Empty,
        event = Empty,
        method,
        route,
        request_id
    )
}

/// A run of a job.
pub fn job_run(slice: &'static str, kind: &str, job: &dyn Display, attempt: u32) -> Span {
    tracing::info_span!(
        JOB_RUN,
        slice,
        service_type = service_type(),
        organization = Empty,
        event = Empty,
        kind,
        job = %job,
        attempt
    )
}

/// A round of background work, e.g. `hold_expiry`, `outbox_relay`.
pub fn background_round(slice: &'static str, work: &'static str) -> Span {
    tracing::info_span!(
        BACKGROUND_ROUND,
        slice,
        service_type = service_type(),
        organization = Empty,
        event = Empty,
        work
    )
}

/// A command of the command line.
pub fn command(name: &'static str) -> Span {
    tracing::info_span!(
        COMMAND,
        slice = "operations",
        service_type = service_type(),
        organization = Empty,
        event = Empty,
        name
    )
}

/// Says whose the current span is; an event is known only with its organization.
pub fn belongs_to(organization: &dyn Display, event: Option<&dyn Display>) {
    let span = Span::current();
    // Both at once: each call looks the span up anew.
    tracing::record_all!(span, organization = %organization, event = event.map(tracing::field::display));
}
