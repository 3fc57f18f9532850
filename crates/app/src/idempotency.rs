//! A creating request that may be repeated: its record is written in the same commit as what it creates (P3, P8).
//!
//! Only successes are stored, for [`KEPT_FOR`]; the answer is rendered before the commit, so that a repeat gets the very same bytes.

use std::time::Duration;

use bytes::Bytes;
use voelgoed_domain::ids::OrganizationId;
use voelgoed_domain::refusal::{Code, Refusal};
use voelgoed_domain::time::Timestamp;

use voelgoed_planted::{Bug, planted};
use voelgoed_resilience::{Dependency, Health};

use crate::error::{Error, Fault, Result, StoreResult};
use crate::platform::Platform;

/// How long a stored answer is replayed.
pub const KEPT_FOR: Duration = Duration::from_secs(48 * 3600);

/// What a caller sent to make its request repeatable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey {
    /// Who repeats: the hold for buyers, the key or member for organizers.
    pub scope: String,
    /// The `Idempotency-Key` header, 1 to 200 visible characters.
    pub key: String,
    /// SHA-256 of the method, route and body.
    pub request: [u8; 32],
}

/// A key with the answer to replay, as a commit stores it.
#[derive(Debug, Clone)]
pub struct IdempotencyRecord {
    /// What the caller sent.
    pub key: IdempotencyKey,
    /// The answer's body.
    pub answer: Bytes,
    /// When it was given.
    pub at: Timestamp,
}

/// The outcome of a creating command.
#[derive(Debug, Clone)]
pub enum Created<T> {
    /// It was made now.
    Fresh(T),
    /// It had been made by an earlier request with this key; this is what was answered then.
    Replayed(Bytes),
}

/// Compares a stored record with a repeated request.
///
/// # Errors
/// [`Code::IdempotencyMismatch`] where the request differs.
pub fn replay<T>(stored: IdempotencyRecord, request: &[u8; 32]) -> Result<Created<T>> {
    if &stored.key.request == request || planted(Bug::KeyReused) {
        return Ok(Created::Replayed(stored.answer));
    }
    Err(Refusal::new(Code::IdempotencyMismatch, "This Idempotency-Key was used with another request.").into())
}

/// What was answered to the same request before, where it is refused now: a repeat is answered, whatever has changed since.
///
/// # Errors
/// `refused` where nothing was answered; [`Code::IdempotencyMismatch`] where the key was used with another request.
pub async fn replay_or<T>(
    platform: &Platform,
    organization: OrganizationId,
    key: &IdempotencyKey,
    refused: Error,
) -> Result<Created<T>> {
    let looks = match &refused {
        Error::Refused(refusal) => refusal.code != Code::IdempotencyMismatch,
        Error::Fault(_) => false,
    };
    if !looks || platform.capabilities.health(Dependency::Cold) != Health::Up {
        return Err(refused);
    }
    match platform.idempotency.find(organization, key, platform.environment.now()).await? {
        Some(stored) => replay(stored, &key.request),
        None => Err(refused),
    }
}

/// How a command renders its answer before it commits; made by the surface. Nothing where it cannot be rendered, which is a fault.
pub type Render<'a, V> = &'a (dyn Fn(&V) -> Bytes + Send + Sync);

/// A key together with the way to render the answer.
pub struct Idempotent<'a, V> {
    /// What the caller sent.
    pub key: IdempotencyKey,
    /// The surface's rendering.
    pub render: Render<'a, V>,
}

impl<V> Idempotent<'_, V> {
    /// The record to commit beside `view`.
    ///
    /// # Errors
    /// A fault where the answer could not be rendered: nothing is committed that could not be answered.
    pub fn record(&self, view: &V, at: Timestamp) -> StoreResult<IdempotencyRecord> {
        let answer = (self.render)(view);
        if answer.is_empty() {
            return Err(Fault::internal("the answer of a creating command could not be rendered"));
        }
        Ok(IdempotencyRecord { key: self.key.clone(), answer, at })
    }
}

/// The record to commit beside a view, where the caller sent a key.
///
/// # Errors
/// Those of [`Idempotent::record`].
pub fn record_of<V>(
    idempotent: Option<&Idempotent<'_, V>>,
    view: &V,
    at: Timestamp,
) -> StoreResult<Option<IdempotencyRecord>> {
    idempotent.map(|idempotent| idempotent.record(view, at)).transpose()
}

impl<T> Created<T> {
    /// The same outcome of another value.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Created<U> {
        match self {
            Self::Fresh(value) => Created::Fresh(change(value)),
            Self::Replayed(answer) => Created::Replayed(answer),
        }
    }
}
