//! Grants a hold in one atomic step of the warm tier, which takes all places or none (P1, P4).
//!
//! Best-available seats are chosen on this node's view and granted by the warm tier; after a conflict the choice is repeated on a newer view. Never: a read
//! of cold, except for a promo code with limited uses.

use std::net::IpAddr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use voelgoed_domain::catalog::listing::Listing;
use voelgoed_domain::ids::{HoldId, SessionId};
use voelgoed_domain::refusal::{Code, Refusal};
use voelgoed_domain::ticketing::hold::{HoldRecord, HoldRequest, Pick};
use voelgoed_domain::ticketing::place_number::PlaceNumber;
use voelgoed_domain::ticketing::quote::{QuoteLine, quote};
use voelgoed_domain::time::Timestamp;
use voelgoed_resilience::{Capability, Degradation};
use voelgoed_telemetry::Stopwatch;
use voelgoed_telemetry::metrics::ticketing::{best_available_retried, hold_granted, hold_refused};

use super::Ticketing;
use super::address_limit;
use super::choose_places::{HoldItem, SeatChooser, choose_places};
use super::hold_terms::HoldTerms;
use super::hold_view::HoldView;
use super::load_event::load_and_retry;
use super::ports::EventScope;
use super::seat_view::Occupancy;
use crate::analytics::sale_step::SaleStep;
use crate::error::{CommandError, CommandResult};
use crate::tenant_bulkheads::WorkClass;

/// Choices of best-available seats when other buyers take the chosen seats first.
const HOLD_CHOICES_MAX: usize = 5;
/// Places that a session may hold while orders are unavailable; such a hold has a longer life.
pub const CAPPED_PLACES_MAX: u32 = 4;

/// A request for a hold.
#[derive(Debug, Clone)]
pub struct HoldCommand {
    /// The event.
    pub scope: EventScope,
    /// The buyer's session.
    pub session: SessionId,
    /// The client address, for limits; none for the platform's own requests.
    pub address: Option<IpAddr>,
    /// The requested items.
    pub items: Vec<HoldItem>,
    /// True if the platform chooses the seats of seated areas.
    pub best_available: bool,
    /// A promo code.
    pub code: Option<String>,
    /// The request's `Idempotency-Key` with a digest of the request.
    pub repeatable: Option<(String, [u8; 32])>,
}

impl Ticketing {
    /// Grants the hold.
    ///
    /// # Errors
    /// `not_found` for a draft, `sale_closed`, `place_taken`, `sold_out`, `limit_reached`, `invalid_request`, `idempotency_mismatch`, `try_again`.
    pub async fn hold(&self, command: HoldCommand) -> CommandResult<HoldView> {
        let watch = Stopwatch::start();
        let scope = command.scope;
        let event = scope.event.uuid();
        // Boxed, because this future is large and every future around it would contain it.
        let granting = Box::pin(self.choose_and_grant(&command));
        let granted = self.context.bulkheads.run(WorkClass::Holds, scope.organization, granting).await;
        let granted = match granted {
            Err(refused) => Box::pin(self.replay_grant_or(&command, refused)).await,
            granted => granted,
        };
        match &granted {
            Ok((_, Grant::Created)) => {
                hold_granted(event, watch.elapsed());
                self.counts.count(scope, SaleStep::Held);
            }
            Ok((_, Grant::Replayed)) => {}
            Err(CommandError::Refused(refusal)) => {
                hold_refused(event, refusal.code.as_str(), watch.elapsed());
                address_limit::record_refusal(scope, refusal);
                // Counts a lack of places, not an invalid request.
                if matches!(refusal.code, Code::PlaceTaken | Code::SoldOut) {
                    self.counts.count(scope, SaleStep::Refused);
                }
            }
            Err(CommandError::Fault(_)) => {}
        }
        granted.map(|(view, _)| view)
    }

    async fn choose_and_grant(&self, command: &HoldCommand) -> CommandResult<(HoldView, Grant)> {
        let degradation = self.context.require(Capability::Hold)?;
        let now = self.context.now();
        // Read after the bulkhead admitted the request, so that the listing is current after a long wait.
        let listing = self.listings.listing(command.scope).await?;
        listing.check_on_sale(now)?;
        self.code_uses.check_uses(command.scope, &listing, command.session, command.code.as_deref()).await?;
        let id = self.hold_id(command);
        let mut occupancy = self.seat_view.current(command.scope).await?;
        let seating = match command.best_available {
            true => Some(self.listings.seating(command.scope).await?),
            false => None,
        };
        for choice in 1..=HOLD_CHOICES_MAX {
            let chooser = seating.as_ref().map(|seating| SeatChooser { occupancy: &*occupancy, seating });
            let lines = choose_places(&listing, &command.items, chooser)?;
            if !command.best_available {
                refuse_taken_seats(&lines, &*occupancy, command.repeatable.is_some())?;
            }
            match self.grant(&listing, command, Choice { id, lines, now, degradation }).await {
                Err(CommandError::Refused(refusal)) if refusal.code == Code::PlaceTaken && command.best_available => {
                    if choice == HOLD_CHOICES_MAX {
                        break;
                    }
                    best_available_retried();
                    let seen = occupancy.position();
                    occupancy = self.seat_view.newer_than(command.scope, seen).await?;
                }
                other => return other,
            }
        }
        // Names no places, because the buyer chose none.
        Err(Refusal::new(Code::PlaceTaken, "Other buyers took the chosen seats each time. Nothing is held; try again.")
            .into())
    }

    /// Replays the hold that the same request was granted before: its first attempt may have taken the last places, or the sale may have ended since.
    async fn replay_grant_or(&self, command: &HoldCommand, refused: CommandError) -> CommandResult<(HoldView, Grant)> {
        let CommandError::Refused(refusal) = refused else { return Err(refused) };
        if refusal.code == Code::IdempotencyMismatch {
            return Err(refusal.into());
        }
        let Some(repeatable) = &command.repeatable else { return Err(refusal.into()) };
        let view = self.replay_hold_or(command.scope, command.session, repeatable, refusal).await?;
        Ok((view, Grant::Replayed))
    }

    /// Replays the hold that a session was granted under a key. The hold itself is the idempotency record, so both end together.
    ///
    /// # Errors
    /// `refused` if there is no such hold; `idempotency_mismatch`.
    pub async fn replay_hold_or(
        &self,
        scope: EventScope,
        session: SessionId,
        (key, digest): &(String, [u8; 32]),
        refused: Refusal,
    ) -> CommandResult<HoldView> {
        // Does not load the event: an unloaded event has no holds, and a refusal stays cheap.
        let Ok(record) = self.inventory.read_hold(scope, self.repeatable_id(scope, session, key)).await else {
            return Err(refused.into());
        };
        let listing = self.listings.listing(scope).await?;
        let terms = HoldTerms::of(&record)?;
        self.replay_grant(scope, &listing, record, terms, &STANDARD_NO_PAD.encode(digest))
    }

    /// The answer to the request that was granted, if this is the same request.
    fn replay_grant(
        &self,
        scope: EventScope,
        listing: &Listing,
        record: HoldRecord,
        mut terms: HoldTerms,
        request: &str,
    ) -> CommandResult<HoldView> {
        if terms.request.as_deref() != Some(request) {
            return Err(key_reused().into());
        }
        let (granted, at) = (terms.granted.take(), terms.granted_at);
        let at = at.unwrap_or_else(|| self.context.now());
        Ok(HoldView::replayed(scope, listing, record, terms, granted, at)?)
    }

    async fn grant(
        &self,
        listing: &Listing,
        command: &HoldCommand,
        Choice { id, lines, now, degradation }: Choice,
    ) -> CommandResult<(HoldView, Grant)> {
        let duration = match degradation {
            // The buyer cannot order yet and must not lose the places meanwhile.
            Some(Degradation::HoldsCapped) => {
                self.context.times.hold.saturating_add(self.context.times.payment_extension)
            }
            Some(_) | None => self.context.times.hold,
        };
        let request = command.repeatable.as_ref().map(|(_, digest)| STANDARD_NO_PAD.encode(digest));
        let terms = HoldTerms {
            terms: quote(listing, &lines, command.code.as_deref(), now)?,
            request: request.clone(),
            granted_to: command.repeatable.as_ref().map(|_| self.context.environment.uuid()),
            granted_at: command.repeatable.as_ref().map(|_| now),
            granted: None,
            changes: Vec::new(),
        };
        let request_to_store = HoldRequest {
            hold: id,
            session: command.session,
            picks: lines.into_iter().map(|line| line.pick).collect(),
            terms: terms.to_text()?,
            lasts_millis: u64::try_from(duration.as_millis()).unwrap_or(u64::MAX),
            places_per_session: places_per_session(listing, degradation),
            address: command.address,
            places_per_address: self.places_per_address.of(listing.layout.place_count()),
            expected_version: 0,
        };
        // Written concurrently, so that the note adds no latency; a note of a refused hold is harmless.
        let (record, noted) = futures::join!(
            load_and_retry(&*self.loader, command.scope, || self
                .inventory
                .hold(command.scope, request_to_store.clone())),
            self.inventory.note_hold(command.session, command.scope, id)
        );
        if let Err(fault) = noted {
            tracing::debug!(%fault, %id, slice = "ticketing", "a hold is not listed on its session's page");
        }
        let record = record?;
        // Equal terms: this request created the hold.
        if record.terms == request_to_store.terms {
            return Ok((HoldView::with_terms(command.scope, listing, record, terms, now)?, Grant::Created));
        }
        let earlier = HoldTerms::of(&record)?;
        let view = self.replay_grant(command.scope, listing, record, earlier, request.as_deref().unwrap_or(""))?;
        Ok((view, Grant::Replayed))
    }

    /// Derives the identifier from the key, so that the warm tier recognises a repeat; without a key it is random.
    fn hold_id(&self, command: &HoldCommand) -> HoldId {
        match &command.repeatable {
            Some((key, _)) => self.repeatable_id(command.scope, command.session, key),
            None => self.context.new_id(),
        }
    }

    fn repeatable_id(&self, scope: EventScope, session: SessionId, key: &str) -> HoldId {
        let (event, session) = (scope.event.uuid(), session.uuid());
        let derived =
            self.context.master.derive("repeatable hold", &[event.as_bytes(), session.as_bytes(), key.as_bytes()]);
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&derived[..16]);
        HoldId::from_uuid(uuid::Builder::from_custom_bytes(bytes).into_uuid())
    }

    /// The scope of a hold's token.
    ///
    /// # Errors
    /// `not_found` if the token is invalid or of another hold.
    pub fn scope_of_hold_token(&self, hold: HoldId, token: &str) -> CommandResult<EventScope> {
        let claims = self.context.tokens.read(crate::token::TokenKind::Hold, token);
        match claims {
            Some(claims) if claims.id == hold.uuid() => Ok(claims.scope),
            Some(_) | None => Err(Refusal::not_found().into()),
        }
    }
}

/// Whether this request or an earlier attempt of it took the places.
#[derive(Debug, Clone, Copy)]
enum Grant {
    Created,
    Replayed,
}

/// Refuses a key that was used with another request.
pub(super) fn key_reused() -> Refusal {
    Refusal::new(Code::IdempotencyMismatch, "This Idempotency-Key was used with another request.")
}

/// Refuses seats that this node's view shows as taken. A request with a key goes to the warm tier, because its own first attempt may have taken them.
fn refuse_taken_seats(lines: &[QuoteLine], occupancy: &dyn Occupancy, repeatable: bool) -> CommandResult<()> {
    if repeatable {
        return Ok(());
    }
    let taken: Vec<PlaceNumber> = lines
        .iter()
        .filter_map(|line| match line.pick {
            Pick::Place(place) if occupancy.is_taken(place) => Some(place),
            Pick::Place(_) | Pick::Any { .. } => None,
        })
        .collect();
    if taken.is_empty() { Ok(()) } else { Err(Refusal::place_taken(taken).into()) }
}

/// A choice of places to grant.
struct Choice {
    id: HoldId,
    lines: Vec<QuoteLine>,
    now: Timestamp,
    /// The degradation by the capability table, if any.
    degradation: Option<Degradation>,
}

/// The limit of places of a session; low while it cannot order them, so that it blocks few places.
pub(super) fn places_per_session(listing: &Listing, degradation: Option<Degradation>) -> u32 {
    let places_max = listing.event.limits.places_per_session;
    if degradation == Some(Degradation::HoldsCapped) { places_max.min(CAPPED_PLACES_MAX) } else { places_max }
}
