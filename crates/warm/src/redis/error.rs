//! What can go wrong between a call and its answer, and what that says about the call.
//!
//! Never guessed: only what the server refused before it began, or what was never sent, counts as "nothing was changed".

use redis::{RedisError, ServerErrorKind};
use voelgoed_app::error::{Dependency, Fault};

/// The codes of a server that does not begin.
const REFUSALS: &[&str] = &[
    "BUSY",
    "CLUSTERDOWN",
    "LOADING",
    "MASTERDOWN",
    "MISCONF",
    "NOAUTH",
    "NOPERM",
    "NOREPLICAS",
    "OOM",
    "READONLY",
    "TRYAGAIN",
];

/// How a server says that it does not know a function; the code of it is the general one.
const UNKNOWN: &str = "Function not found";

/// Why a call has no answer.
#[derive(Debug, Clone)]
pub(super) enum CallError {
    /// Nothing was sent: there is no connection.
    NotSent(String),
    /// It was sent, and nobody knows whether it was done.
    Lost(String),
    /// The server refused it before it began: loading, read-only, full, without its cluster.
    Refused(String),
    /// Another server has this slot now.
    Moved(String),
    /// The server does not know the library.
    NoScript,
    /// The script itself failed.
    Broken(String),
}

impl From<RedisError> for CallError {
    fn from(error: RedisError) -> Self {
        if let Some((host, port)) = error.redirect_node() {
            // A slot that is just being moved (ASK) is asked for again when it has arrived.
            return if error.kind() == ServerErrorKind::Moved.into() {
                Self::Moved(format!("{host}:{port}"))
            } else {
                Self::Refused(error.to_string())
            };
        }
        match error.code() {
            _ if error.detail().is_some_and(|detail| detail.contains(UNKNOWN)) => Self::NoScript,
            // These come before a script's first write, or instead of the script; anything else broke it off.
            Some(code) if REFUSALS.contains(&code) => Self::Refused(error.to_string()),
            Some(_) => Self::Broken(error.to_string()),
            None => Self::Lost(error.to_string()),
        }
    }
}

impl From<CallError> for Fault {
    fn from(error: CallError) -> Self {
        match error {
            CallError::NotSent(detail) | CallError::Refused(detail) => Self::away(Dependency::Warm, detail),
            CallError::Moved(to) => Self::away(Dependency::Warm, format!("the slot moved on to {to}")),
            CallError::NoScript => Self::away(Dependency::Warm, "the library was dropped at once"),
            CallError::Lost(detail) => Self::Ambiguous { dependency: Dependency::Warm, detail },
            CallError::Broken(detail) => Self::internal(detail),
        }
    }
}
