//! Expected answers that are not the wished-for one: each has a stable code that clients may rely on.
//!
//! Never: a fault (those belong to the adapters), an HTTP status (that belongs to `web`).
//! To add a code: one line in the [`codes!`] list; `web` maps its [`Nature`], docs/errors.md explains it.

use serde::Serialize;

use crate::catalog::import::Finding;
use crate::ids::OrderId;
use crate::ticketing::place::PlaceNumber;
use crate::time::Timestamp;

/// What kind of refusal a code is; the surface decides by this how to say it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Nature {
    /// The request itself is wrong.
    Invalid,
    /// Nobody is known by these credentials.
    Unauthenticated,
    /// The caller may not do this.
    Forbidden,
    /// There is no such thing for this caller.
    Absent,
    /// It is there, but not to be used like this.
    WrongMethod,
    /// The state of the world does not allow it.
    Conflict,
    /// It was there and is over.
    Gone,
    /// Larger than a named limit.
    TooLarge,
    /// Sent too slowly.
    TooSlow,
    /// Too often.
    Limited,
    /// Possible again soon.
    Unavailable,
}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal, $nature:ident;)*) => {
        /// The stable codes.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Code { $($(#[$doc])* $name,)* }

        impl Code {
            /// Every code there is.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The stable text.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// What kind of refusal this is.
            #[must_use]
            pub const fn nature(self) -> Nature {
                match self { $(Self::$name => Nature::$nature,)* }
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
    /// No valid key, session or pairing code.
    Unauthenticated = "unauthenticated", Unauthenticated;
    /// The key lacks the scope.
    MissingScope = "missing_scope", Forbidden;
    /// The form's CSRF token is absent or wrong.
    CsrfMismatch = "csrf_mismatch", Forbidden;
    /// The event wants a waiting-room pass.
    PassRequired = "pass_required", Forbidden;
    /// Unknown, foreign, or the token does not fit.
    NotFound = "not_found", Absent;
    /// The route is there, not with this method.
    MethodNotAllowed = "method_not_allowed", WrongMethod;
    /// An accessible place was chosen, and the request does not ask for one; `places` lists which.
    AccessiblePlace = "accessible_place", Conflict;
    /// Another buyer was faster; `places` lists which.
    PlaceTaken = "place_taken", Conflict;
    /// Not enough free places.
    SoldOut = "sold_out", Conflict;
    /// More than a buyer may have; `limit` names it.
    LimitReached = "limit_reached", Conflict;
    /// Outside the sale window, or paused.
    SaleClosed = "sale_closed", Conflict;
    /// The hold became an order already; `order` names it.
    AlreadyOrdered = "already_ordered", Conflict;
    /// Others change this hold at the same time.
    HoldChanged = "hold_changed", Conflict;
    /// An attempt of this order is not settled yet.
    PaymentUnresolved = "payment_unresolved", Conflict;
    /// The order does not take payments in its state.
    NotPayable = "not_payable", Conflict;
    /// The transition is not allowed from the current state.
    WrongState = "wrong_state", Conflict;
    /// A ticket was used, so it is not given back unless forced.
    TicketUsed = "ticket_used", Conflict;
    /// More than what was paid and is not yet returned.
    RefundTooLarge = "refund_too_large", Conflict;
    /// The name, address or key is in use.
    AlreadyExists = "already_exists", Conflict;
    /// The old password that a change of it asks for is wrong.
    WrongPassword = "wrong_password", Conflict;
    /// The last member or key that administers the organization cannot give that up.
    LastAdministrator = "last_administrator", Conflict;
    /// Several organizations know this address and password; the login has to name one.
    OrganizationRequired = "organization_required", Conflict;
    /// The organization has as many of this as it may have; `limit` names it.
    QuotaReached = "quota_reached", Conflict;
    /// The key was used with another body.
    IdempotencyMismatch = "idempotency_mismatch", Conflict;
    /// The hold's time ran out.
    HoldExpired = "hold_expired", Gone;
    /// The warm tier lost the hold; the places may be chosen again.
    HoldLost = "hold_lost", Gone;
    /// The event is long over, and links to its orders with it.
    LinkExpired = "link_expired", Gone;
    /// The ticket was taken back: it has no code to show any more.
    TicketRevoked = "ticket_revoked", Gone;
    /// The pairing code is used or over.
    PairingExpired = "pairing_expired", Gone;
    /// The body or batch is over its limit.
    TooLarge = "too_large", TooLarge;
    /// The body did not come in time.
    BodyTimeout = "body_timeout", TooSlow;
    /// Too many requests.
    RateLimited = "rate_limited", Limited;
    /// A part is away; ask again after `retry_after`.
    TryAgain = "try_again", Unavailable;
    /// Neither tier can decide a scan: the scanner goes by its offline rules, and sends the scan later.
    OfflineRules = "offline_rules", Unavailable;
    /// More work than this node takes; ask again after `retry_after`.
    Overloaded = "overloaded", Unavailable;
}

/// What a client needs to act on a refusal, beside the code.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Evidence {
    /// The places in question.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub places: Vec<PlaceNumber>,
    /// The order that exists already.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order: Option<OrderId>,
    /// The token of that order, for whoever proved that its hold is theirs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// The name of the limit and its size.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<LimitHit>,
    /// Seconds until it is worth asking again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u32>,
    /// When the sale opens, where it is not yet open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub opens_at: Option<Timestamp>,
    /// The request's field that is wrong, as a path (`items[0].place`).
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
    /// The most that is allowed.
    pub most: u64,
}

/// An expected "no", with a code, a sentence for a person, and evidence for a program.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {detail}", code.as_str())]
pub struct Refusal {
    /// The stable code.
    pub code: Code,
    /// One sentence for a person.
    pub detail: String,
    /// What a client needs to act.
    pub evidence: Box<Evidence>,
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

    /// [`Code::NotFound`], the same words whatever the reason, so that nothing is learned from it.
    #[must_use]
    pub fn not_found() -> Self {
        Self::new(Code::NotFound, "There is nothing here for you.")
    }

    /// [`Code::PlaceTaken`] for `places`.
    #[must_use]
    pub fn place_taken(places: Vec<PlaceNumber>) -> Self {
        Self::new(Code::PlaceTaken, "Somebody else was faster. Choose other places.")
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
            format!("This organization may have at most {most} ({name}). Ask the operator for more."),
        )
        .with(|evidence| evidence.limit = Some(LimitHit { name, most }))
    }

    /// [`Code::MissingScope`] for a scope that the caller lacks.
    #[must_use]
    pub fn missing_scope(scope: crate::accounts::scope::Scope) -> Self {
        Self::new(Code::MissingScope, format!("This needs the scope {scope}."))
    }

    /// [`Code::TryAgain`] after `seconds`.
    #[must_use]
    pub fn try_again(seconds: u32, detail: impl Into<String>) -> Self {
        Self::new(Code::TryAgain, detail).with(|evidence| evidence.retry_after = Some(seconds))
    }

    /// The same refusal with evidence filled in.
    #[must_use]
    pub fn with(mut self, fill: impl FnOnce(&mut Evidence)) -> Self {
        fill(&mut self.evidence);
        self
    }
}
