//! One identifier type per kind of thing, written as a text prefix over a UUIDv7 (`evt_0192…`).
//!
//! Never made here: an id is an argument, minted where randomness lives (`voelgoed_app::Environment`).
//! To add a kind: one line in the [`kinds!`] list.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;
use uuid::fmt::Simple;

use crate::time::Timestamp;

/// Room for the text of any identifier.
const TEXT_BYTES: usize = 48;

/// What an identifier identifies.
pub trait Kind: Send + Sync + 'static {
    /// The text before the underscore, e.g. `evt`.
    const PREFIX: &'static str;
}

/// An identifier of one [`Kind`]; ids of different kinds cannot be mixed up.
pub struct Id<K: Kind>(Uuid, PhantomData<fn() -> K>);

impl<K: Kind> Id<K> {
    /// Wraps a UUID that is known to identify a `K`.
    #[must_use]
    pub const fn from_uuid(uuid: Uuid) -> Self {
        Self(uuid, PhantomData)
    }

    /// The bare UUID, as stores keep it.
    #[must_use]
    pub const fn uuid(self) -> Uuid {
        self.0
    }

    /// When it was made, where it is a UUIDv7 and so says that.
    #[must_use]
    pub fn made_at(self) -> Option<Timestamp> {
        let millis = i64::try_from(self.0.as_u128() >> 80).ok()?;
        (self.0.get_version_num() == 7).then(|| Timestamp::from_micros(millis.saturating_mul(1000)))
    }

    /// The text, written into `room`: answers are full of identifiers, and a formatter costs more than all of one.
    fn text<'a>(&self, room: &'a mut [u8; TEXT_BYTES]) -> &'a str {
        const { assert!(K::PREFIX.len() + 1 + Simple::LENGTH <= TEXT_BYTES, "a prefix is too long") };
        let length = K::PREFIX.len() + 1 + Simple::LENGTH;
        let (head, digits) = room[..length].split_at_mut(K::PREFIX.len() + 1);
        head[..K::PREFIX.len()].copy_from_slice(K::PREFIX.as_bytes());
        head[K::PREFIX.len()] = b'_';
        self.0.simple().encode_lower(digits);
        std::str::from_utf8(&room[..length]).expect("prefixes and digits are ASCII")
    }
}

impl<K: Kind> Clone for Id<K> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<K: Kind> Copy for Id<K> {}
impl<K: Kind> PartialEq for Id<K> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}
impl<K: Kind> Eq for Id<K> {}
impl<K: Kind> PartialOrd for Id<K> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl<K: Kind> Ord for Id<K> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.cmp(&other.0)
    }
}
impl<K: Kind> Hash for Id<K> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}
impl<K: Kind> fmt::Display for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text(&mut [0; TEXT_BYTES]))
    }
}
impl<K: Kind> fmt::Debug for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The text is not an identifier of the expected kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected an id that starts with `{expected}_` followed by a UUID")]
pub struct MalformedId {
    /// The prefix that was expected.
    pub expected: &'static str,
}

impl<K: Kind> FromStr for Id<K> {
    type Err = MalformedId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let malformed = MalformedId { expected: K::PREFIX };
        let digits =
            text.strip_prefix(K::PREFIX).and_then(|rest| rest.strip_prefix('_')).ok_or_else(|| malformed.clone())?;
        Uuid::try_parse(digits).map(Self::from_uuid).map_err(|_| malformed)
    }
}

impl<K: Kind> Serialize for Id<K> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.text(&mut [0; TEXT_BYTES]))
    }
}

impl<'de, K: Kind> Deserialize<'de> for Id<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        crate::from_text::from_text(deserializer)
    }
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $id:ident = $kind:ident, $prefix:literal;)*) => {$(
        #[doc = concat!("Marker of [`", stringify!($id), "`].")]
        #[derive(Debug)]
        pub enum $kind {}
        impl Kind for $kind {
            const PREFIX: &'static str = $prefix;
        }
        $(#[$doc])*
        pub type $id = Id<$kind>;
    )*};
}

kinds! {
    /// The tenant.
    OrganizationId = Organization, "org";
    /// A person who works for an organization.
    MemberId = Member, "mem";
    /// A key for the API.
    ApiKeyId = ApiKey, "key";
    /// A login of a member at the console.
    LoginId = Login, "log";
    /// A building or a field.
    VenueId = Venue, "ven";
    /// One version of a seating plan.
    LayoutId = Layout, "lay";
    /// The show.
    EventId = Event, "evt";
    /// A part of a layout.
    AreaId = Area, "ar";
    /// What is sold for a place.
    TicketTypeId = TicketType, "tt";
    /// A change of price under a condition, e.g. a promo code.
    PriceRuleId = PriceRule, "pr";
    /// An anonymous buyer's browser or app.
    SessionId = Session, "ses";
    /// A timed claim in the warm tier.
    HoldId = Hold, "hold";
    /// A sale, from claim to ticket or release.
    OrderId = Order, "ord";
    /// One attempt to be paid.
    PaymentId = Payment, "pay";
    /// Money on its way back.
    RefundId = Refund, "ref";
    /// The right to enter.
    TicketId = Ticket, "tkt";
    /// A journal entry.
    EntryId = Entry, "ent";
    /// Where scans happen.
    GateId = Gate, "gate";
    /// A scanner.
    DeviceId = Device, "dev";
    /// One reading of a ticket, named by the device.
    ScanId = Scan, "scn";
    /// A unit of durable background work.
    JobId = Job, "job";
    /// A fact on its way out of the cold tier.
    OutboxId = Outbox, "out";
}
