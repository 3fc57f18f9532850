//! Opens the spans of the platform: one per request, job run, background round and command.
//!
//! Each has the fields `slice` and `service_type`, and empty fields `organization` and `event` that [`record_tenant`] fills.
//! Never: a token, a key, a person's name; a span per seat.
//! To add a span: a constant, its line in `ALL`, its function.

use std::fmt::Display;

use tracing::{Span, field::Empty};

use crate::logging::service_type;

/// One HTTP request.
pub const HTTP_REQUEST: &str = "http_request";
/// One run of a job.
pub const JOB_RUN: &str = "job_run";
/// One round of a reconciler or relay.
pub const BACKGROUND_ROUND: &str = "background_round";
/// One command of the command line.
pub const COMMAND: &str = "command";

/// Every span name.
pub const ALL: &[&str] = &[HTTP_REQUEST, JOB_RUN, BACKGROUND_ROUND, COMMAND];

/// Opens the span of a request; `route` is the matched route template.
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

/// Opens the span of a job run.
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

/// Opens the span of a round of background work, e.g. `hold_expiry`, `outbox_relay`.
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

/// Opens the span of a command.
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

/// Records organization and event in the current span.
pub fn record_tenant(organization: &dyn Display, event: Option<&dyn Display>) {
    let span = Span::current();
    // One call for both fields, because each call looks the span up.
    tracing::record_all!(span, organization = %organization, event = event.map(tracing::field::display));
}
