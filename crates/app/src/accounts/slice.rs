//! Builds accounts from its ports and declares what it runs beside requests: the revocation of cached credentials, and two classes of old rows.

use std::sync::Arc;
use std::time::Duration;

use super::Accounts;
use super::cached_credential_revocation::CachedCredentialRevocation;
use super::ports::AccountStore;
use crate::adapters::Adapters;
use crate::outbox::consumer::OutboxConsumer;
use crate::retention::class::RetentionClass;
use crate::slice::Slice;

/// Console logins, by the time of their end.
pub const ENDED_LOGINS: RetentionClass = RetentionClass { name: "logins", period: |_| Duration::ZERO };
/// Lines of the audit log, by the time of the act.
pub const AUDIT_LINES: RetentionClass = RetentionClass { name: "audit_lines", period: |periods| periods.audit_lines };

impl Accounts {
    /// The slice's name.
    pub const NAME: &'static str = "accounts";

    /// Builds the slice.
    #[must_use]
    pub fn new<C: AccountStore, W>(adapters: &Adapters<C, W>) -> Self {
        let node = &adapters.node;
        Self {
            context: node.context.clone(),
            store: adapters.cold.clone(),
            credentials: Arc::clone(&node.credentials),
            passwords: Arc::clone(&node.passwords),
        }
    }
}

impl Slice for Accounts {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn node_consumers(&self) -> Vec<Arc<dyn OutboxConsumer>> {
        vec![Arc::new(CachedCredentialRevocation(Arc::clone(&self.credentials)))]
    }

    fn resync(&self) {
        self.credentials.revalidate_all();
    }

    fn retention(&self) -> Vec<RetentionClass> {
        vec![ENDED_LOGINS, AUDIT_LINES]
    }
}
