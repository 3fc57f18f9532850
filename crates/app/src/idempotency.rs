//! Stores the answer of a creating request in the commit of the created rows, so that a repeat gets the same bytes (P3, P8).
//!
//! Only successes are stored, for [`ANSWER_RETENTION`]. The answer is rendered before the commit.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use voelgoed_domain::ids::OrganizationId;
use voelgoed_domain::refusal::{Code, Refusal};
use voelgoed_domain::time::Timestamp;

use crate::error::{CommandResult, Fault, StoreResult};

/// How long a stored answer is replayed.
pub const ANSWER_RETENTION: Duration = Duration::from_secs(48 * 3600);

/// The idempotency key of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey {
    /// The caller within which the key is unique: the hold for buyers, the API key or member for organizers. Its column is called `scope`.
    pub caller: String,
    /// The `Idempotency-Key` header, 1 to 200 visible characters.
    pub key: String,
    /// SHA-256 of the method, route and body.
    pub request: [u8; 32],
}

/// A key with its stored answer.
#[derive(Debug, Clone)]
pub struct IdempotencyRecord {
    /// The request's key.
    pub key: IdempotencyKey,
    /// The body of the answer.
    pub answer: Bytes,
    /// The time of the answer.
    pub at: Timestamp,
}

/// The outcome of a creating command.
#[derive(Debug, Clone)]
pub enum Created<T> {
    /// This request created the value.
    Fresh(T),
    /// An earlier request with this key created it; these bytes answered that request.
    Replayed(Bytes),
}

/// Compares a stored record with a repeated request.
///
/// # Errors
/// [`Code::IdempotencyMismatch`] if the request differs.
pub fn replay<T>(stored: IdempotencyRecord, request: &[u8; 32]) -> CommandResult<Created<T>> {
    if &stored.key.request == request {
        return Ok(Created::Replayed(stored.answer));
    }
    Err(Refusal::new(Code::IdempotencyMismatch, "This Idempotency-Key was used with another request.").into())
}

/// Stored answers of creating requests, by key.
#[async_trait]
pub trait IdempotencyStore: Send + Sync + 'static {
    /// The record of a key, unless it is older than [`ANSWER_RETENTION`].
    async fn find(
        &self,
        organization: OrganizationId,
        key: &IdempotencyKey,
        now: Timestamp,
    ) -> StoreResult<Option<IdempotencyRecord>>;
}

/// Renders an answer before the commit; the API passes it. Empty bytes are a fault: the answer could not be rendered.
pub type Render<'a, V> = &'a (dyn Fn(&V) -> Bytes + Send + Sync);

/// A key with the function that renders the answer.
pub struct Idempotent<'a, V> {
    /// The request's key.
    pub key: IdempotencyKey,
    /// Renders the answer.
    pub render: Render<'a, V>,
}

impl<V> Idempotent<'_, V> {
    /// The record to write in the commit that creates `view`.
    ///
    /// # Errors
    /// A fault if the answer could not be rendered. The caller then rolls back, because a repeat would find no answer.
    pub fn record(&self, view: &V, at: Timestamp) -> StoreResult<IdempotencyRecord> {
        let answer = (self.render)(view);
        if answer.is_empty() {
            return Err(Fault::internal("the answer of a creating command could not be rendered"));
        }
        Ok(IdempotencyRecord { key: self.key.clone(), answer, at })
    }
}

/// The record to write in the commit that creates `view`, if the caller sent a key.
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
    /// Converts the created value; a replayed answer stays.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Created<U> {
        match self {
            Self::Fresh(value) => Created::Fresh(change(value)),
            Self::Replayed(answer) => Created::Replayed(answer),
        }
    }
}
