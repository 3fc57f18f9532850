//! Identifies a list request, so that its last answer is used for an equal request only (P7).

use uuid::Uuid;
use voelgoed_domain::accounts::scope::Scope;
use voelgoed_domain::ids::{EventId, OrganizationId};
use voelgoed_domain::time::Timestamp;

/// A list of the API that an organizer read: an answer of one caller is never shown to another.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct OrganizerListKey {
    pub(super) organization: OrganizationId,
    pub(super) actor: String,
    pub(super) scopes: Vec<Scope>,
    /// With the query.
    pub(super) path: String,
}

/// A list of published events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EventListKey {
    /// In the API.
    List {
        /// Of this organization only.
        organization: Option<OrganizationId>,
        /// The cursor.
        after: Option<Uuid>,
        /// The number of events.
        items_max: u32,
    },
    /// On the front page. The moment of the request is left out: a list of some minutes ago is the same list.
    Programme {
        /// True: past events.
        past: bool,
        /// The cursor.
        after: Option<(Timestamp, EventId)>,
        /// The number of events.
        items_max: u32,
    },
}
