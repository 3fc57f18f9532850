//! Writes an intent to the warm tier before cold changes a ticket and resolves it before the reply, so that either store alone can refuse a used or
//! revoked ticket (P6).
//!
//! An update that warm did not acknowledge stays pending on this node and is sent again; the outbox delivers it too. Never: a wait without a timeout; a
//! decision by warm alone for an event with pending updates on this node.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use uuid::Uuid;
use voelgoed_domain::ids::TicketId;
use voelgoed_resilience::Deadline;

use super::Scanning;
use crate::error::CommandResult;
use crate::ticketing::load_event::load_and_retry;
use crate::ticketing::ports::{EventScope, GateFilter};

/// The time between two flushes of pending updates.
pub const FLUSH_INTERVAL: Duration = Duration::from_millis(100);
/// The time for warm to store an intent and return the offline scans of its tickets.
const INTENT_TIMEOUT: Duration = Duration::from_millis(500);
/// The time for warm to resolve an intent; people wait at the gate.
const RESOLVE_TIMEOUT: Duration = Duration::from_millis(250);
/// Offline scans of one ticket that are recorded in cold before an act.
const OFFLINE_SCANS_PER_TICKET_MAX: usize = 20;
/// Pending updates of one node; the outbox alone delivers further ones.
const PENDING_UPDATES_MAX: usize = 50_000;

/// The result of an act on tickets.
#[derive(Debug, Clone)]
struct FilterUpdate {
    act: Uuid,
    tickets: Vec<TicketId>,
    became: GateFilter,
}

/// Updates of acts that cold has decided and warm has not acknowledged, by event.
#[derive(Debug, Default)]
pub struct PendingFilterUpdates(Mutex<BTreeMap<EventScope, VecDeque<FilterUpdate>>>);

impl PendingFilterUpdates {
    fn push(&self, scope: EventScope, update: FilterUpdate) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.values().map(VecDeque::len).sum::<usize>() < PENDING_UPDATES_MAX {
            all.entry(scope).or_default().push_back(update);
        } else {
            tracing::warn!(event = %scope.event, slice = "scanning", "too many updates are pending; the outbox alone delivers a change of tickets to warm");
        }
    }

    fn events(&self) -> Vec<EventScope> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).keys().copied().collect()
    }

    fn first(&self, scope: EventScope) -> Option<FilterUpdate> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&scope)?.front().cloned()
    }

    /// Removes by act, because another task may have sent and removed the first update.
    fn remove(&self, scope: EventScope, act: Uuid) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(of_event) = all.get_mut(&scope) {
            of_event.retain(|update| update.act != act);
            if of_event.is_empty() {
                all.remove(&scope);
            }
        }
    }
}

impl Scanning {
    /// Stores the intent of `act` to change `tickets` in warm, and records the offline scans of these tickets in cold. False if warm did not answer in time.
    pub async fn begin_intent(&self, scope: EventScope, act: Uuid, tickets: &[TicketId]) -> bool {
        let limit = OFFLINE_SCANS_PER_TICKET_MAX * tickets.len();
        let noted = async {
            let offline_scans =
                load_and_retry(&*self.loader, scope, || self.journal.begin_intent(scope, act, tickets, limit)).await?;
            self.record_offline_scans(scope, offline_scans).await
        };
        log_unavailable(scope, timeout(INTENT_TIMEOUT, noted).await)
    }

    /// Records the offline scans of a ticket in cold, for an act that needs no intent. False if warm did not answer in time.
    pub(super) async fn record_offline_scans_of(&self, scope: EventScope, ticket: TicketId) -> bool {
        let recorded = async {
            let pending = || self.journal.pending(scope, Some(ticket), None, OFFLINE_SCANS_PER_TICKET_MAX);
            let offline_scans = load_and_retry(&*self.loader, scope, pending).await?;
            self.record_offline_scans(scope, offline_scans).await
        };
        log_unavailable(scope, timeout(INTENT_TIMEOUT, recorded).await)
    }

    /// Resolves the intent of an act in warm. If warm does not acknowledge, the update stays pending on this node and the result is false.
    pub async fn resolve_intent(
        &self,
        scope: EventScope,
        act: Uuid,
        tickets: &[TicketId],
        became: GateFilter,
        begun: bool,
    ) -> bool {
        let resolved = async {
            load_and_retry(&*self.loader, scope, || self.journal.resolve_intent(scope, act, tickets, became)).await
        };
        // Warm did not store the intent in time, so this request does not wait for it again.
        let resolved = begun && log_unavailable(scope, timeout(RESOLVE_TIMEOUT, resolved).await);
        if !resolved {
            self.pending.push(scope, FilterUpdate { act, tickets: tickets.to_vec(), became });
        }
        resolved
    }

    /// Sends the pending updates of an event; false if warm did not acknowledge all of them.
    pub(super) async fn flush_pending(&self, scope: EventScope) -> bool {
        while let Some(FilterUpdate { act, tickets, became }) = self.pending.first(scope) {
            let resolved =
                load_and_retry(&*self.loader, scope, || self.journal.resolve_intent(scope, act, &tickets, became));
            if let Err(error) = timeout(INTENT_TIMEOUT, resolved).await {
                tracing::debug!(event = %scope.event, error, slice = "scanning", "an update of tickets is still pending");
                return false;
            }
            self.pending.remove(scope, act);
        }
        true
    }

    /// Sends the pending updates of all events.
    pub async fn flush_all_pending(&self) {
        for scope in self.pending.events() {
            self.flush_pending(scope).await;
        }
    }
}

async fn timeout<T>(limit: Duration, call: impl Future<Output = CommandResult<T>>) -> Result<(), String> {
    match Deadline::after_capped(limit).timeout(call).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(error.to_string()),
        Err(late) => Err(late.to_string()),
    }
}

fn log_unavailable(scope: EventScope, result: Result<(), String>) -> bool {
    result
        .inspect_err(|error| {
            tracing::info!(organization = %scope.organization, event = %scope.event, error, slice = "scanning", "a change of tickets continues without the warm tier");
        })
        .is_ok()
}
