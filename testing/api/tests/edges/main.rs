//! Tests every limit at its edge, validity of tickets, ends of streams, idempotency, sessions, logins, headers, the format of errors, and draining.

mod audit;
mod bulkheads;
mod caching;
mod credential_limits;
mod drafts;
mod drain;
mod early_refusals;
mod free_orders;
mod funnel;
mod grants;
mod hoarding;
mod holds;
mod idempotency;
mod internal;
mod limits;
mod login;
mod members;
mod page_forms;
mod plans;
mod quotas;
mod response_format;
mod secrets;
mod streams;
mod typed_text;
mod validity;
