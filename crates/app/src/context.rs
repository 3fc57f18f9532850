//! Holds what the operations of all slices share: the environment, the capability table, the tenants' bulkheads, the keys, and the durations of a sale.
//!
//! Never: a port of one slice; it is a field of that slice's struct.

use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;
use voelgoed_domain::ids::{Id, IdKind};
use voelgoed_domain::refusal::{Code, Refusal};
use voelgoed_domain::time::Timestamp;
use voelgoed_resilience::{Capabilities, Capability, CapabilityAnswer, Degradation};

use crate::environment::{Environment, new_id};
use crate::error::{CommandError, CommandResult};
use crate::tenant_bulkheads::TenantBulkheads;
use crate::ticketing::ports::EventScope;
use crate::token::{MasterKey, TokenKind, Tokens};

/// The durations of a sale.
#[derive(Debug, Clone, Copy)]
pub struct SaleTimes {
    /// The life of a hold, from its grant.
    pub hold: Duration,
    /// How long an order may be paid after its hold has expired.
    pub payment_extension: Duration,
    /// The lease of the node that sends a charge.
    pub send_lease: Duration,
    /// The time between two polls of a provider about one unresolved attempt.
    pub poll_interval: Duration,
    /// How long links to orders work after the last admission of their event.
    pub order_link_lifetime: Duration,
}

impl Default for SaleTimes {
    fn default() -> Self {
        Self {
            hold: Duration::from_secs(600),
            payment_extension: Duration::from_secs(300),
            send_lease: Duration::from_secs(15),
            poll_interval: Duration::from_secs(5),
            order_link_lifetime: Duration::from_secs(90 * 24 * 3600),
        }
    }
}

/// What the operations of all slices share. Cheap to clone.
#[derive(Clone)]
pub struct Context {
    /// The source of time, identifiers and randomness.
    pub environment: Arc<dyn Environment>,
    /// The capabilities that the health of the dependencies allows; every command checks first (P10).
    pub capabilities: Capabilities,
    /// The limits of the work that each organization has in progress on this node (P7, P9).
    pub bulkheads: Arc<TenantBulkheads>,
    /// The tokens of buyers.
    pub tokens: Tokens,
    /// The key from which every other key of the platform is derived.
    pub master: MasterKey,
    /// The durations of a sale.
    pub times: SaleTimes,
}

impl Context {
    /// The current time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.environment.now()
    }

    /// A new UUIDv7.
    #[must_use]
    pub fn uuid(&self) -> Uuid {
        self.environment.uuid()
    }

    /// A new identifier of the kind that the caller expects.
    #[must_use]
    pub fn new_id<K: IdKind>(&self) -> Id<K> {
        new_id(&*self.environment)
    }

    /// Checks the capability table before a command begins, so that a refusal costs nothing (P10). Returns the degradation, if the capability is degraded.
    ///
    /// # Errors
    /// The code that the table names, with the time after which a retry may succeed.
    pub fn require(&self, capability: Capability) -> CommandResult<Option<Degradation>> {
        match self.capabilities.may(capability) {
            CapabilityAnswer::Yes => Ok(None),
            CapabilityAnswer::Degraded { why } => Ok(Some(why)),
            CapabilityAnswer::Refused { code, retry_after } => {
                let code = Code::ALL.iter().copied().find(|known| known.as_str() == code).unwrap_or(Code::TryAgain);
                let detail = "This is not possible at the moment. Nothing was changed; repeat the request soon, with the same key if it has one.";
                let seconds = Some(retry_after.as_seconds());
                Err(Refusal::new(code, detail).with(|evidence| evidence.retry_after = seconds).into())
            }
        }
    }

    /// Adds the order's token to an `already_ordered`: a caller that proved that the hold is its own may see the order.
    #[must_use]
    pub fn with_order_token(&self, scope: EventScope, error: CommandError) -> CommandError {
        let CommandError::Refused(refusal) = error else { return error };
        let Some(order) = refusal.evidence.order else { return refusal.into() };
        let token = self.tokens.mint(TokenKind::Order, scope, order);
        refusal.with(|evidence| evidence.token = Some(token)).into()
    }
}
