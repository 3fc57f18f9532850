//! Describes a route by one row: path, method, access, capability, criticality, slice, body rules and cache policy, next to its handler.
//!
//! The router, the layers, the metrics labels, the OpenAPI document and the tests read the rows; nothing is derived from parts of a path.

use axum::http::Method;
use voelgoed_domain::accounts::scope::Scope;
use voelgoed_resilience::Capability;

/// Who may call a route. The layer in `authorize` enforces credentials; handlers check tokens against the identifier in the path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Anyone, without a session.
    Anyone,
    /// Anyone; each caller has an anonymous session from its first request on.
    Buyer,
    /// A buyer with the token of the hold or order.
    Token,
    /// A buyer with the token of the hold in the body.
    TokenInBody,
    /// A buyer with the order's token, or the organization that sold it.
    TokenOrOrganizer,
    /// Members and API keys with this scope, which is checked before the body is read.
    Organizer(Scope),
    /// Members and API keys with any scope.
    AnyOrganizer,
    /// A paired device with its key.
    Device,
    /// The operator's key, on the internal listener.
    Operator,
    /// A payment provider, by its signature.
    Provider,
}

impl Access {
    /// True where the session layer runs before the handler.
    #[must_use]
    pub const fn has_session(self) -> bool {
        matches!(self, Self::Buyer | Self::Token | Self::TokenInBody | Self::TokenOrOrganizer)
    }

    /// The scope that the caller needs; none where the route requires none, or no single one.
    #[must_use]
    pub const fn scope(self) -> Option<Scope> {
        match self {
            Self::Organizer(scope) => Some(scope),
            _ => None,
        }
    }
}

/// When load shedding refuses a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Never shed, and the route takes no permit: operators must reach an overloaded node.
    Health,
    /// Shed last if the caller gives this proof; else as [`Class::Hold`].
    Critical(Proof),
    /// Shed after browsing.
    Hold,
    /// Shed after reports.
    Browse,
    /// Shed first.
    Report,
}

/// What a caller proves without a store, or from what this node has cached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// The token of the hold that the JSON names.
    HoldJson,
    /// The token of the hold that a form names.
    HoldForm,
    /// The token of a hold or an order, in a header or in the query.
    Token,
    /// The token of a hold or an order, in a form.
    TokenForm,
    /// The key of a device.
    Device,
    /// The key or login of an organizer.
    Organizer,
    /// The signature of a payment provider.
    Provider,
}

/// The slice of routes that belong to none: health, metrics and documents of the platform itself.
pub const PLATFORM: &str = "platform";

/// How caches may keep the successful answers of a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CachePolicy {
    /// Not at all: the answer is the caller's own.
    NoStore,
    /// The caller's own cache keeps the answer and revalidates it at each use.
    Revalidate,
    /// Every cache keeps the answer and revalidates it at each use.
    PublicRevalidate,
    /// The handler decides, by the version that the path names.
    ByVersion,
}

impl CachePolicy {
    /// The value of `Cache-Control`; none where the handler decides.
    #[must_use]
    pub const fn header(self) -> Option<&'static str> {
        match self {
            Self::NoStore => Some("no-store"),
            Self::Revalidate => Some("no-cache"),
            Self::PublicRevalidate => Some("public, no-cache"),
            Self::ByVersion => None,
        }
    }
}

/// How the body of a request is read and checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyRules {
    /// Up to `largest_body`; text without U+0000.
    Default,
    /// A seating plan, up to `largest_layout`; read only once the caller's credential is known.
    Layout,
    /// Up to `largest_body`; scanned text may have any character.
    ScannedText,
}

/// Everything about a route but its handler.
#[derive(Debug, Clone)]
pub struct RouteSpec {
    /// The method; `HEAD` is answered as `GET`.
    pub method: Method,
    /// The path with its parameters in braces.
    pub path: String,
    /// Who may call it.
    pub access: Access,
    /// The name of the slice that it belongs to, for spans and logs; or [`PLATFORM`].
    pub slice: &'static str,
    /// When it is shed.
    pub class: Class,
    /// The capability that the command needs; checked before the body is read.
    pub capability: Option<Capability>,
    /// True for the requests of a sale, which P11 counts.
    pub sale: bool,
    /// How caches may keep its answers.
    pub cache: CachePolicy,
    /// How its body is read and checked.
    pub body: BodyRules,
    /// True where only the internal listener serves it.
    pub internal: bool,
}
