//! Defines refusals: expected negative results of a request, each with a stable code, a sentence for a person and evidence for a program.
//!
//! Never: a technical fault (the adapters have error types for these), or an HTTP status (`web` maps each [`RefusalKind`] to one).
//! To add a code: a line in the [`codes!`] list, a row in docs/errors.md, an example in docs/errors-examples.md, and a sentence for buyers in
//! `web`'s `pages/refusal_sentences.rs` if a page can show it.

use serde::Serialize;

use crate::catalog::import::Finding;
use crate::ids::OrderId;
use crate::ticketing::place_number::PlaceNumber;
use crate::time::Timestamp;

/// The class of a refusal, by which `web` chooses the HTTP status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RefusalKind {
    /// The request itself is wrong.
    Invalid,
    /// The credentials are missing or match no caller.
    Unauthenticated,
    /// The caller may not do this.
    Forbidden,
    /// Nothing with this name is visible to the caller.
    NotFound,
    /// The resource exists and does not support this method.
    MethodNotAllowed,
    /// The current state does not allow the request.
    Conflict,
    /// The resource existed and has ended.
    Gone,
    /// The request is larger than a named limit.
    TooLarge,
    /// The request was sent too slowly.
    RequestTimeout,
    /// The caller sends too many requests.
    RateLimited,
    /// The request can succeed when it is retried later.
    Unavailable,
}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal, $kind:ident;)*) => {
        /// The stable codes.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Code { $($(#[$doc])* $name,)* }

        impl Code {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The stable text.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// The class of the refusal.
            #[must_use]
            pub const fn kind(self) -> RefusalKind {
                match self { $(Self::$name => RefusalKind::$kind,)* }
            }
        }
    };
}

codes! {
    /// A field is missing, malformed or out of range.
    InvalidRequest = "invalid_request", Invalid;
    /// The `Idempotency-Key` header is required here.
    IdempotencyKeyRequired = "idempotency_key_required", Invalid;
    /// A seating plan could not be read; the detail names line and field.
    InvalidLayout = "invalid_layout", Invalid;
    /// The request has no valid key, session or pairing code.
    Unauthenticated = "unauthenticated", Unauthenticated;
    /// The key lacks the scope.
    MissingScope = "missing_scope", Forbidden;
    /// The form's CSRF token is absent or wrong.
    CsrfMismatch = "csrf_mismatch", Forbidden;
    /// The event requires a waiting-room pass.
    PassRequired = "pass_required", Forbidden;
    /// Unknown, of another organization, or the token does not match.
    NotFound = "not_found", NotFound;
    /// The route exists, but not with this method.
    MethodNotAllowed = "method_not_allowed", MethodNotAllowed;
    /// The request names accessible places without asking for accessible ones; `places` lists them.
    AccessiblePlace = "accessible_place", Conflict;
    /// Another buyer holds or bought the places; `places` lists them.
    PlaceTaken = "place_taken", Conflict;
    /// Not enough free places.
    SoldOut = "sold_out", Conflict;
    /// The buyer would exceed a limit; `limit` names it.
    LimitReached = "limit_reached", Conflict;
    /// Outside the sale window, or paused.
    SaleClosed = "sale_closed", Conflict;
    /// The hold became an order already; `order` names it.
    AlreadyOrdered = "already_ordered", Conflict;
    /// Another request changes this hold at the same time.
    HoldChanged = "hold_changed", Conflict;
    /// An attempt of this order is not settled yet.
    PaymentUnresolved = "payment_unresolved", Conflict;
    /// The order does not take payments in its state.
    NotPayable = "not_payable", Conflict;
    /// The transition is not allowed from the current state.
    WrongState = "wrong_state", Conflict;
    /// A used ticket is not cancelled unless forced.
    TicketUsed = "ticket_used", Conflict;
    /// The refund exceeds the amount that is paid and not yet returned.
    RefundTooLarge = "refund_too_large", Conflict;
    /// The name, address or key is in use.
    AlreadyExists = "already_exists", Conflict;
    /// A change of the password was sent with a wrong old password.
    WrongPassword = "wrong_password", Conflict;
    /// The last member or key with the scope `admin` cannot lose it.
    LastAdministrator = "last_administrator", Conflict;
    /// The address and password match members of several organizations; the login has to name one.
    OrganizationRequired = "organization_required", Conflict;
    /// The organization has reached a quota; `limit` names it.
    QuotaReached = "quota_reached", Conflict;
    /// The idempotency key was used before with another body.
    IdempotencyMismatch = "idempotency_mismatch", Conflict;
    /// The time of the hold ended before its order.
    HoldExpired = "hold_expired", Gone;
    /// The warm tier lost the hold; the places may be chosen again.
    HoldLost = "hold_lost", Gone;
    /// The event ended long ago, and the link to the order expired with it.
    LinkExpired = "link_expired", Gone;
    /// The ticket was revoked and has no code any more.
    TicketRevoked = "ticket_revoked", Gone;
    /// The pairing code was used or has expired.
    PairingExpired = "pairing_expired", Gone;
    /// The body or batch is over its limit.
    TooLarge = "too_large", TooLarge;
    /// The body did not arrive in time.
    BodyTimeout = "body_timeout", RequestTimeout;
    /// Too many requests.
    RateLimited = "rate_limited", RateLimited;
    /// A dependency is unavailable; retry after `retry_after`.
    TryAgain = "try_again", Unavailable;
    /// Neither tier can decide a scan: the scanner applies its offline rules and sends the scan later.
    OfflineRules = "offline_rules", Unavailable;
    /// This node is overloaded; retry after `retry_after`.
    Overloaded = "overloaded", Unavailable;
}

/// What a client needs to act on a refusal, beside the code.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct RefusalEvidence {
    /// The places in question.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub places: Vec<PlaceNumber>,
    /// The order that exists already.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order: Option<OrderId>,
    /// The token of that order; set only for a caller that proved ownership of the hold.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// The limit that was reached.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<LimitHit>,
    /// Seconds until a retry is worthwhile.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u32>,
    /// When the sale opens, where it is not yet open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub opens_at: Option<Timestamp>,
    /// The wrong field of the request, as a path (`items[0].place`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// Everything that is wrong with an imported file.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<Finding>,
}

/// A named limit and its size.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LimitHit {
    /// The limit's stable name.
    pub name: &'static str,
    /// The maximum; named `most` in JSON.
    pub most: u64,
}

/// An expected negative result with a code, a sentence for a person, and evidence for a program.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {detail}", code.as_str())]
pub struct Refusal {
    /// The stable code.
    pub code: Code,
    /// One sentence for a person.
    pub detail: String,
    /// What a client needs to act on it.
    pub evidence: Box<RefusalEvidence>,
}

impl Refusal {
    /// A refusal without evidence.
    #[must_use]
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into(), evidence: Box::default() }
    }

    /// [`Code::InvalidRequest`] for a named field.
    #[must_use]
    pub fn invalid(field: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::new(Code::InvalidRequest, detail).with(|evidence| evidence.field = Some(field.into()))
    }

    /// [`Code::NotFound`] with the same sentence for every cause, so that callers cannot find out what exists.
    #[must_use]
    pub fn not_found() -> Self {
        Self::new(Code::NotFound, "This does not exist, or you may not see it. Check the address and the credentials.")
    }

    /// [`Code::PlaceTaken`] for `places`.
    #[must_use]
    pub fn place_taken(places: Vec<PlaceNumber>) -> Self {
        Self::new(Code::PlaceTaken, "Another buyer has these places. Nothing was changed; choose other places.")
            .with(|evidence| evidence.places = places)
    }

    /// [`Code::LimitReached`] for a named limit.
    #[must_use]
    pub fn limit(name: &'static str, most: u64, detail: impl Into<String>) -> Self {
        Self::new(Code::LimitReached, detail).with(|evidence| evidence.limit = Some(LimitHit { name, most }))
    }

    /// [`Code::QuotaReached`] for a named limit.
    #[must_use]
    pub fn quota(name: &'static str, most: u64) -> Self {
        Self::new(
            Code::QuotaReached,
            format!("This organization may have at most {most} ({name}). Nothing was created; ask the operator for a higher limit."),
        )
        .with(|evidence| evidence.limit = Some(LimitHit { name, most }))
    }

    /// [`Code::TryAgain`] after `seconds`.
    #[must_use]
    pub fn try_again(seconds: u32, detail: impl Into<String>) -> Self {
        Self::new(Code::TryAgain, detail).with(|evidence| evidence.retry_after = Some(seconds))
    }

    /// The same refusal with evidence filled in.
    #[must_use]
    pub fn with(mut self, fill: impl FnOnce(&mut RefusalEvidence)) -> Self {
        fill(&mut self.evidence);
        self
    }
}
