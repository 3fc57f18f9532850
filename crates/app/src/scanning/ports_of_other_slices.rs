//! Implements payments' port [`GateFilterIntents`].

use async_trait::async_trait;
use uuid::Uuid;
use voelgoed_domain::ids::TicketId;

use super::Scanning;
use crate::payments::ports::GateFilterIntents;
use crate::ticketing::ports::{EventScope, GateFilter};

#[async_trait]
impl GateFilterIntents for Scanning {
    async fn begin_intent(&self, scope: EventScope, act: Uuid, tickets: &[TicketId]) -> bool {
        Self::begin_intent(self, scope, act, tickets).await
    }

    async fn resolve_intent(
        &self,
        scope: EventScope,
        act: Uuid,
        tickets: &[TicketId],
        became: GateFilter,
        begun: bool,
    ) {
        // An update that warm does not acknowledge stays pending on this node.
        Self::resolve_intent(self, scope, act, tickets, became, begun).await;
    }
}
