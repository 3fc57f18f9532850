//! Every limit at its edge, validity of tickets, streams and their ends, repeats with and without their key, sessions, logins, headers, the shape of errors, and draining.

mod audit;
mod caching;
mod drafts;
mod drain;
mod early_refusals;
mod free;
mod funnel;
mod grants;
mod guesses;
mod hoarding;
mod holds;
mod idempotency;
mod internal;
mod limits;
mod login;
mod members;
mod pages;
mod plans;
mod quotas;
mod secrets;
mod shape;
mod shares;
mod streams;
mod typed_text;
mod validity;
