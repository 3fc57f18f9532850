//! Grants a hold: an atomic step of the warm tier takes all places or none (P1, P4). Cold is read for a promo code with a number of uses only.
//!
//! Best-available seats are chosen on this node's view and granted by the warm tier; on conflict the choice is repeated on a newer view.

use std::net::IpAddr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use voelgoed_domain::catalog::listing::Listing;
use voelgoed_domain::ids::{HoldId, SessionId};
use voelgoed_domain::refusal::{Code, Refusal};
use voelgoed_domain::ticketing::hold::{HoldRecord, HoldRequest, Pick};
use voelgoed_domain::ticketing::place::PlaceNumber;
use voelgoed_domain::ticketing::quote::{QuoteLine, quote};
use voelgoed_domain::time::Timestamp;
use voelgoed_resilience::{Capability, Degradation};
use voelgoed_telemetry::Stopwatch;
use voelgoed_telemetry::metrics::ticketing::{best_available_retried, hold_granted, hold_refused};

use voelgoed_planted::{Bug, planted};

use super::address_limit;
use super::picks::{Chooser, Item, picks};
use super::ports::EventScope;
use super::rebuild::loaded;
use super::seat_view::Occupancy;
use super::terms::{HoldTerms, HoldView};
use crate::analytics::ports::Step;
use crate::checkout::counted::check_uses;
use crate::environment::fresh;
use crate::error::{Error, Result};
use crate::platform::Platform;
use crate::tenant_bulkheads::WorkClass;

/// Best-available choices are repeated at most so often when others are faster.
const MOST_CHOICES: usize = 5;
/// While nothing can be ordered, a session holds at most so many places, for longer.
pub const CAPPED_PLACES: u32 = 4;

/// What a buyer asks for.
#[derive(Debug, Clone)]
pub struct HoldCommand {
    /// The event.
    pub scope: EventScope,
    /// Who asks.
    pub session: SessionId,
    /// From which client address, as limits count it; none for the platform itself.
    pub address: Option<IpAddr>,
    /// What for.
    pub items: Vec<Item>,
    /// True: seats of seated areas are chosen.
    pub best_available: bool,
    /// A promo code.
    pub code: Option<String>,
    /// The caller's `Idempotency-Key` with a digest of the request.
    pub repeatable: Option<(String, [u8; 32])>,
}

/// Takes the places.
///
/// # Errors
/// `not_found` for a draft, `sale_closed`, `place_taken`, `sold_out`, `limit_reached`, `invalid_request`, `idempotency_mismatch`, `try_again`.
pub async fn hold(platform: &Platform, command: HoldCommand) -> Result<HoldView> {
    let watch = Stopwatch::start();
    let scope = command.scope;
    let event = scope.event.uuid();
    // On the heap: each future around it would be as large as it, and is moved.
    let granting = Box::pin(choose_and_grant(platform, &command));
    let granted = platform.shares.within(WorkClass::Holds, scope.organization, granting).await;
    let granted = match granted {
        Err(refused) => Box::pin(granted_or(platform, &command, refused)).await,
        granted => granted,
    };
    let count = |step| platform.counters.count(&*platform.environment, scope, step);
    match &granted {
        Ok((_, Grant::Anew)) => {
            hold_granted(event, watch.elapsed());
            count(Step::Held);
        }
        Ok((_, Grant::Repeated)) => {}
        Err(Error::Refused(refusal)) => {
            hold_refused(event, refusal.code.as_str(), watch.elapsed());
            address_limit::note(scope, refusal);
            // Whoever wanted places and got none; not who asked wrongly.
            if matches!(refusal.code, Code::PlaceTaken | Code::SoldOut) {
                count(Step::Refused);
            }
        }
        Err(Error::Fault(_)) => {}
    }
    granted.map(|(view, _)| view)
}

/// Whether places were taken now, or by an earlier try of the same request.
#[derive(Debug, Clone, Copy)]
enum Grant {
    Anew,
    Repeated,
}

async fn choose_and_grant(platform: &Platform, command: &HoldCommand) -> Result<(HoldView, Grant)> {
    let less = platform.capable(Capability::Hold)?;
    let now = platform.environment.now();
    // Read once there is room: whoever waited for that must not buy what is no longer for sale, nor at an old price.
    let listing = platform.listings.listing(command.scope).await?;
    listing.check_on_sale(now)?;
    check_uses(platform, command.scope, &listing, command.session, command.code.as_deref()).await?;
    let id = hold_id(platform, command);
    let mut occupancy = platform.seat_view.current(command.scope).await?;
    let seating = match command.best_available {
        true => Some(platform.listings.seating(command.scope).await?),
        false => None,
    };
    for choice in 1..=MOST_CHOICES {
        let chooser = seating.as_ref().map(|seating| Chooser { occupancy: &*occupancy, seating });
        let lines = picks(&listing, &command.items, chooser)?;
        if !command.best_available {
            refuse_surely_taken(&lines, &*occupancy, command.repeatable.is_some())?;
        }
        match grant(platform, &listing, command, Choice { id, lines, now, less }).await {
            Err(Error::Refused(refusal)) if refusal.code == Code::PlaceTaken && command.best_available => {
                if choice == MOST_CHOICES {
                    break;
                }
                best_available_retried();
                let seen = occupancy.position();
                occupancy = platform.seat_view.newer_than(command.scope, seen).await?;
            }
            other => return other,
        }
    }
    // Names no places: the buyer chose none.
    Err(Refusal::new(Code::PlaceTaken, "Others were faster each time. Try again.").into())
}

/// What the same request was granted before, where it is refused now: its own first try may have taken the last places, or the sale may have ended since.
async fn granted_or(platform: &Platform, command: &HoldCommand, refused: Error) -> Result<(HoldView, Grant)> {
    let Error::Refused(refusal) = refused else { return Err(refused) };
    if refusal.code == Code::IdempotencyMismatch {
        return Err(refusal.into());
    }
    let Some(repeatable) = &command.repeatable else { return Err(refusal.into()) };
    let view = granted_before(platform, command.scope, command.session, repeatable, refusal).await?;
    Ok((view, Grant::Repeated))
}

/// What a session was granted before under a key, where a request is refused now. The hold is the record: both live in the warm tier and end together.
///
/// # Errors
/// `refused` where nothing was; `idempotency_mismatch`.
pub async fn granted_before(
    platform: &Platform,
    scope: EventScope,
    session: SessionId,
    (key, digest): &(String, [u8; 32]),
    refused: Refusal,
) -> Result<HoldView> {
    // Never loads the event: what is not loaded has no hold, and a refusal stays cheap.
    let Ok(record) = platform.inventory.read_hold(scope, repeatable_id(platform, scope, session, key)).await else {
        return Err(refused.into());
    };
    let listing = platform.listings.listing(scope).await?;
    let terms = HoldTerms::of(&record)?;
    repeated(platform, scope, &listing, record, terms, &STANDARD_NO_PAD.encode(digest))
}

/// The answer that a grant was given, for the same request.
fn repeated(
    platform: &Platform,
    scope: EventScope,
    listing: &Listing,
    record: HoldRecord,
    mut terms: HoldTerms,
    request: &str,
) -> Result<HoldView> {
    if terms.request.as_deref() != Some(request) {
        return Err(mismatch().into());
    }
    let (then, at) = (terms.granted.take(), terms.granted_at);
    let at = at.unwrap_or_else(|| platform.environment.now());
    Ok(HoldView::replayed(scope, listing, record, terms, then, at)?)
}

/// The key was used for something else.
pub(super) fn mismatch() -> Refusal {
    Refusal::new(Code::IdempotencyMismatch, "This Idempotency-Key was used with another request.")
}

/// A repeat must not be refused because its own first try took the places, so it goes to the warm tier in any case.
fn refuse_surely_taken(lines: &[QuoteLine], occupancy: &dyn Occupancy, repeatable: bool) -> Result<()> {
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

/// A choice that is to be granted.
struct Choice {
    id: HoldId,
    lines: Vec<QuoteLine>,
    now: Timestamp,
    /// What the capability table says is less than usual.
    less: Option<Degradation>,
}

async fn grant(
    platform: &Platform,
    listing: &Listing,
    command: &HoldCommand,
    Choice { id, lines, now, less }: Choice,
) -> Result<(HoldView, Grant)> {
    let lasts = match less {
        // Whoever cannot order yet must not lose the places for that.
        Some(Degradation::HoldsCapped) => platform.times.hold.saturating_add(platform.times.extension),
        Some(_) | None => platform.times.hold,
    };
    let request = command.repeatable.as_ref().map(|(_, digest)| STANDARD_NO_PAD.encode(digest));
    let terms = HoldTerms {
        terms: quote(listing, &lines, command.code.as_deref(), now)?,
        request: request.clone(),
        granted_to: command.repeatable.as_ref().map(|_| platform.environment.uuid()),
        granted_at: command.repeatable.as_ref().map(|_| now),
        granted: None,
        changes: Vec::new(),
    };
    let request_to_store = HoldRequest {
        hold: id,
        session: command.session,
        picks: lines.into_iter().map(|line| line.pick).collect(),
        terms: terms.to_text()?,
        lasts_millis: u64::try_from(lasts.as_millis()).unwrap_or(u64::MAX),
        places_per_session: places_per_session(listing, less),
        address: command.address,
        places_per_address: platform.places_per_address.of(listing.layout.place_count()),
        of_version: 0,
    };
    // Noted at the same time, so that the note costs the buyer no wait; a note of a hold that was not granted is harmless.
    let (record, noted) = futures::join!(
        loaded(platform, command.scope, || platform.inventory.hold(command.scope, request_to_store.clone())),
        platform.inventory.note_hold(command.session, command.scope, id)
    );
    if let Err(fault) = noted {
        tracing::debug!(%fault, %id, slice = "ticketing", "a hold is missing from its session's page");
    }
    let record = record?;
    // Most holds are granted just now, with these very terms.
    if record.terms == request_to_store.terms {
        return Ok((HoldView::with_terms(command.scope, listing, record, terms, now)?, Grant::Anew));
    }
    let earlier = HoldTerms::of(&record)?;
    let view = repeated(platform, command.scope, listing, record, earlier, request.as_deref().unwrap_or(""))?;
    Ok((view, Grant::Repeated))
}

/// How many places a session may have; few where it cannot order them yet, so that it keeps few from others.
pub(super) fn places_per_session(listing: &Listing, less: Option<Degradation>) -> u32 {
    let most = listing.event.limits.places_per_session;
    if less == Some(Degradation::HoldsCapped) { most.min(CAPPED_PLACES) } else { most }
}

/// A repeatable request always names the same hold, so that the warm tier recognises the repeat; any other names a fresh one.
fn hold_id(platform: &Platform, command: &HoldCommand) -> HoldId {
    match &command.repeatable {
        Some((key, _)) => repeatable_id(platform, command.scope, command.session, key),
        None => fresh(&*platform.environment),
    }
}

fn repeatable_id(platform: &Platform, scope: EventScope, session: SessionId, key: &str) -> HoldId {
    let (event, session) = (scope.event.uuid(), session.uuid());
    let derived = platform.master.derive("repeatable hold", &[event.as_bytes(), session.as_bytes(), key.as_bytes()]);
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&derived[..16]);
    HoldId::from_uuid(uuid::Builder::from_custom_bytes(bytes).into_uuid())
}

/// The scope and identifier that a hold's token names.
///
/// # Errors
/// `not_found` where the token is not ours, or of another hold.
pub fn of_token(platform: &Platform, hold: HoldId, token: &str) -> Result<EventScope> {
    let claims = platform.tokens.read(crate::token::TokenKind::Hold, token);
    match claims {
        Some(claims) if claims.id == hold.uuid() || planted(Bug::TokenOfAnotherHold) => Ok(claims.scope),
        Some(_) | None => Err(Refusal::not_found().into()),
    }
}
