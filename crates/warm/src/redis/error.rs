//! Classifies errors of calls to Redis by whether the Redis function may have run.
//!
//! Never: a guess. Only an error that the server returns before it runs the function, or a call that was never sent, counts as "nothing was changed".

use redis::{RedisError, ServerErrorKind};
use voelgoed_app::error::{Dependency, Fault};

/// The error codes of a server that does not begin to run a function.
const REFUSAL_CODES: &[&str] = &[
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

/// The error text for an unknown function, which has no code of its own.
const UNKNOWN_FUNCTION: &str = "Function not found";

/// Why a call has no reply.
#[derive(Debug, Clone)]
pub(super) enum CallError {
    /// There is no connection; nothing was sent.
    NotSent(String),
    /// The call was sent and its outcome is unknown.
    Lost(String),
    /// The server refused the call before running it: loading, read-only, out of memory, cluster down.
    Refused(String),
    /// Another server owns the slot now.
    Moved(String),
    /// The library is not loaded on the server.
    LibraryMissing,
    /// The function failed while running.
    Broken(String),
}

impl From<RedisError> for CallError {
    fn from(error: RedisError) -> Self {
        if let Some((host, port)) = error.redirect_node() {
            // While a slot is being moved (ASK), the call is refused; a retry after the move succeeds.
            return if error.kind() == ServerErrorKind::Moved.into() {
                Self::Moved(format!("{host}:{port}"))
            } else {
                Self::Refused(error.to_string())
            };
        }
        match error.code() {
            _ if error.detail().is_some_and(|detail| detail.contains(UNKNOWN_FUNCTION)) => Self::LibraryMissing,
            // These codes come before a function's first write; any other code means that the function failed halfway.
            Some(code) if REFUSAL_CODES.contains(&code) => Self::Refused(error.to_string()),
            Some(_) => Self::Broken(error.to_string()),
            None => Self::Lost(error.to_string()),
        }
    }
}

impl From<CallError> for Fault {
    fn from(error: CallError) -> Self {
        match error {
            CallError::NotSent(detail) | CallError::Refused(detail) => Self::unavailable(Dependency::Warm, detail),
            CallError::Moved(to) => Self::unavailable(Dependency::Warm, format!("the slot moved again to {to}")),
            CallError::LibraryMissing => {
                Self::unavailable(Dependency::Warm, "the library was dropped right after it was loaded")
            }
            CallError::Lost(detail) => Self::Ambiguous { dependency: Dependency::Warm, detail },
            CallError::Broken(detail) => Self::internal(detail),
        }
    }
}
