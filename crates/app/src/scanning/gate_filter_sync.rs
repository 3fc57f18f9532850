//! Warm hears of an act on tickets (a scan, a refund) before cold is asked, and of what became of it before anybody is answered: whichever store goes
//! away next, the other one knows of every admission and revocation that was acknowledged, and lets nobody in where it cannot know (P6).
//!
//! Never: a wait that a slow warm tier could draw out. What could not be told is remembered here and told as soon as warm hears again; the outbox tells
//! it too. Until then this node lets warm decide nothing alone for that event.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use uuid::Uuid;
use voelgoed_domain::ids::TicketId;
use voelgoed_planted::{Bug, planted};
use voelgoed_resilience::Deadline;

use super::replay_offline_scans::settle;
use crate::error::Result;
use crate::platform::Platform;
use crate::ticketing::ports::{EventScope, GateFilter};
use crate::ticketing::rebuild::loaded;

/// How often what could not be told is tried again.
pub const EVERY: Duration = Duration::from_millis(100);
/// Warm hears of an act, and says what it keeps of its tickets, within this.
const HEARS_WITHIN: Duration = Duration::from_millis(500);
/// Warm is told what became of it within this; people wait.
const TOLD_WITHIN: Duration = Duration::from_millis(250);
/// The most kept scans that are brought to cold before an act.
const MOST_OF_A_TICKET: usize = 20;
/// What a node remembers at most; beyond it the outbox alone tells warm.
const MOST_UNTOLD: usize = 50_000;

/// What became of an act on tickets.
#[derive(Debug, Clone)]
struct Answered {
    act: Uuid,
    tickets: Vec<TicketId>,
    became: GateFilter,
}

/// What cold has answered on this node and warm has not been told, by event.
#[derive(Debug, Default)]
pub struct PendingFilterUpdates(Mutex<BTreeMap<EventScope, VecDeque<Answered>>>);

impl PendingFilterUpdates {
    fn remember(&self, scope: EventScope, answered: Answered) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.values().map(VecDeque::len).sum::<usize>() < MOST_UNTOLD {
            all.entry(scope).or_default().push_back(answered);
        } else {
            tracing::warn!(event = %scope.event, slice = "scanning", "the outbox alone tells warm of an act on tickets");
        }
    }

    fn events(&self) -> Vec<EventScope> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).keys().copied().collect()
    }

    fn first(&self, scope: EventScope) -> Option<Answered> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&scope)?.front().cloned()
    }

    /// Somebody else may have told it meanwhile: only what was told goes.
    fn forget(&self, scope: EventScope, act: Uuid) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(of_event) = all.get_mut(&scope) {
            of_event.retain(|answered| answered.act != act);
            if of_event.is_empty() {
                all.remove(&scope);
            }
        }
    }
}

/// Tells warm that `act` is about to ask cold about `tickets`, and brings what warm keeps of them to cold first; false where warm did not answer.
pub async fn announce(platform: &Platform, scope: EventScope, act: Uuid, tickets: &[TicketId]) -> bool {
    let most = MOST_OF_A_TICKET * tickets.len();
    let asked = async {
        let kept = loaded(platform, scope, || platform.kept_scans.announce(scope, act, tickets, most)).await?;
        if planted(Bug::KeptScanOvertaken) {
            return Ok(());
        }
        settle(platform, scope, kept).await
    };
    heard(scope, within(HEARS_WITHIN, asked).await)
}

/// Brings what warm keeps of a ticket to cold, for an act of which warm need not hear; false where warm did not answer.
pub(super) async fn caught_up(platform: &Platform, scope: EventScope, ticket: TicketId) -> bool {
    let asked = async {
        let kept = loaded(platform, scope, || platform.kept_scans.kept(scope, Some(ticket), MOST_OF_A_TICKET)).await?;
        if planted(Bug::KeptScanOvertaken) {
            return Ok(());
        }
        settle(platform, scope, kept).await
    };
    heard(scope, within(HEARS_WITHIN, asked).await)
}

/// Tells warm what became of the act; false where it could not be told, which this node then remembers.
pub async fn answered(
    platform: &Platform,
    scope: EventScope,
    act: Uuid,
    tickets: &[TicketId],
    became: GateFilter,
    announced: bool,
) -> bool {
    let told = async { loaded(platform, scope, || platform.kept_scans.answered(scope, act, tickets, became)).await };
    // Warm that did not hear of the act is not waited for once more.
    let told = announced && heard(scope, within(TOLD_WITHIN, told).await);
    if !told {
        platform.untold.remember(scope, Answered { act, tickets: tickets.to_vec(), became });
    }
    told
}

/// Tells warm what it could not be told of an event; false where something is left.
pub(super) async fn catch_up(platform: &Platform, scope: EventScope) -> bool {
    while let Some(Answered { act, tickets, became }) = platform.untold.first(scope) {
        let told = loaded(platform, scope, || platform.kept_scans.answered(scope, act, &tickets, became));
        if let Err(error) = within(HEARS_WITHIN, told).await {
            tracing::debug!(event = %scope.event, error, slice = "scanning", "warm does not hear yet");
            return false;
        }
        platform.untold.forget(scope, act);
    }
    true
}

/// One round over what could not be told; what is left is told in the next one.
pub async fn tell_untold(platform: &Platform) {
    for scope in platform.untold.events() {
        catch_up(platform, scope).await;
    }
}

async fn within<T>(limit: Duration, told: impl Future<Output = Result<T>>) -> std::result::Result<(), String> {
    match Deadline::within(limit).wrap(told).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(error.to_string()),
        Err(late) => Err(late.to_string()),
    }
}

fn heard(scope: EventScope, told: std::result::Result<(), String>) -> bool {
    told.inspect_err(|error| {
        tracing::info!(organization = %scope.organization, event = %scope.event, error, slice = "scanning", "an act on tickets goes on without the warm tier");
    })
    .is_ok()
}
