//! Defines one identifier type per kind of entity, written as a text prefix and a UUIDv7 (`evt_0192…`).
//!
//! Never: an id generated here; an id is an argument and comes from `voelgoed_app::Environment`.
//! To add a kind: one line in the [`id_kinds!`] list.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;
use uuid::fmt::Simple;

use crate::time::Timestamp;

/// Buffer size that fits the text of any identifier.
const ID_TEXT_BYTES_MAX: usize = 48;

/// The kind of entity that an identifier belongs to.
pub trait IdKind: Send + Sync + 'static {
    /// The text before the underscore, e.g. `evt`.
    const PREFIX: &'static str;
}

/// An identifier of one [`IdKind`]; ids of different kinds are different types.
pub struct Id<K: IdKind>(Uuid, PhantomData<fn() -> K>);

impl<K: IdKind> Id<K> {
    /// Wraps a UUID that identifies a `K`.
    #[must_use]
    pub const fn from_uuid(uuid: Uuid) -> Self {
        Self(uuid, PhantomData)
    }

    /// The UUID without prefix, as stores keep it.
    #[must_use]
    pub const fn uuid(self) -> Uuid {
        self.0
    }

    /// The creation time in the id, or `None` where it is no UUIDv7.
    #[must_use]
    pub fn created_at(self) -> Option<Timestamp> {
        let millis = i64::try_from(self.0.as_u128() >> 80).ok()?;
        (self.0.get_version_num() == 7).then(|| Timestamp::from_micros(millis.saturating_mul(1000)))
    }

    /// Writes the text into `buffer`. Responses hold many identifiers, and the `fmt` machinery costs more than the encoding.
    fn text<'a>(&self, buffer: &'a mut [u8; ID_TEXT_BYTES_MAX]) -> &'a str {
        const { assert!(K::PREFIX.len() + 1 + Simple::LENGTH <= ID_TEXT_BYTES_MAX, "a prefix is too long") };
        let length = K::PREFIX.len() + 1 + Simple::LENGTH;
        let (head, digits) = buffer[..length].split_at_mut(K::PREFIX.len() + 1);
        head[..K::PREFIX.len()].copy_from_slice(K::PREFIX.as_bytes());
        head[K::PREFIX.len()] = b'_';
        self.0.simple().encode_lower(digits);
        std::str::from_utf8(&buffer[..length]).expect("prefixes and digits are ASCII")
    }
}

impl<K: IdKind> Clone for Id<K> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<K: IdKind> Copy for Id<K> {}
impl<K: IdKind> PartialEq for Id<K> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}
impl<K: IdKind> Eq for Id<K> {}
impl<K: IdKind> PartialOrd for Id<K> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl<K: IdKind> Ord for Id<K> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.cmp(&other.0)
    }
}
impl<K: IdKind> Hash for Id<K> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}
impl<K: IdKind> fmt::Display for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text(&mut [0; ID_TEXT_BYTES_MAX]))
    }
}
impl<K: IdKind> fmt::Debug for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A text that is not an identifier of the expected kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected an id that starts with `{expected}_` followed by a UUID")]
pub struct MalformedId {
    /// The prefix that was expected.
    pub expected: &'static str,
}

impl<K: IdKind> FromStr for Id<K> {
    type Err = MalformedId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let malformed = MalformedId { expected: K::PREFIX };
        let digits =
            text.strip_prefix(K::PREFIX).and_then(|rest| rest.strip_prefix('_')).ok_or_else(|| malformed.clone())?;
        Uuid::try_parse(digits).map(Self::from_uuid).map_err(|_| malformed)
    }
}

impl<K: IdKind> Serialize for Id<K> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.text(&mut [0; ID_TEXT_BYTES_MAX]))
    }
}

impl<'de, K: IdKind> Deserialize<'de> for Id<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        crate::deserialize_text::deserialize_text(deserializer)
    }
}

macro_rules! id_kinds {
    ($($(#[$doc:meta])* $id:ident = $kind:ident, $prefix:literal;)*) => {$(
        #[doc = concat!("Marker of [`", stringify!($id), "`].")]
        #[derive(Debug)]
        pub enum $kind {}
        impl IdKind for $kind {
            const PREFIX: &'static str = $prefix;
        }
        $(#[$doc])*
        pub type $id = Id<$kind>;
    )*};
}

id_kinds! {
    /// The tenant.
    OrganizationId = Organization, "org";
    /// A person who works for an organization and can log in.
    MemberId = Member, "mem";
    /// A key of the organizer API.
    ApiKeyId = ApiKey, "key";
    /// A console login of a member.
    LoginId = Login, "log";
    /// A building or a field where events take place.
    VenueId = Venue, "ven";
    /// One version of a seating plan.
    LayoutId = Layout, "lay";
    /// A show with a date; not an outbox event.
    EventId = Event, "evt";
    /// A part of a layout.
    AreaId = Area, "ar";
    /// A product that is sold for a place, e.g. adult or child.
    TicketTypeId = TicketType, "tt";
    /// A change of price under a condition, e.g. a promo code.
    PriceRuleId = PriceRule, "pr";
    /// An anonymous buyer's browser or app.
    SessionId = Session, "ses";
    /// A timed claim in the warm tier.
    HoldId = Hold, "hold";
    /// A sale, from the claimed places to tickets or release.
    OrderId = Order, "ord";
    /// One attempt to collect the payment of an order.
    PaymentId = Payment, "pay";
    /// A return of money to a buyer.
    RefundId = Refund, "ref";
    /// The right to enter.
    TicketId = Ticket, "tkt";
    /// An entry of the ledger.
    EntryId = Entry, "ent";
    /// An entrance where tickets are scanned.
    GateId = Gate, "gate";
    /// A scanner.
    DeviceId = Device, "dev";
    /// One scan of a ticket; the device chooses the id.
    ScanId = Scan, "scn";
    /// A unit of durable background work.
    JobId = Job, "job";
    /// An event in the transactional outbox of the cold tier.
    OutboxId = Outbox, "out";
}

#[cfg(test)]
mod tests {
    use std::hash::{BuildHasher, RandomState};

    use super::*;

    /// A UUIDv7 of 2024-11-01T10:10:34.823Z.
    const UUID: Uuid = Uuid::from_u128(0x0192_e734_90c7_7c4d_8e5f_6071_8293_a4b5);

    #[test]
    fn id_is_written_as_prefix_and_digits_and_read_back() {
        let event = EventId::from_uuid(UUID);
        assert_eq!(event.uuid(), UUID);
        assert_eq!(event.to_string(), "evt_0192e73490c77c4d8e5f60718293a4b5");
        assert_eq!(format!("{event:?}"), event.to_string());
        assert_eq!(AreaId::from_uuid(Uuid::nil()).to_string(), format!("ar_{}", "0".repeat(32)));
        assert_eq!(HoldId::from_uuid(Uuid::max()).to_string(), format!("hold_{}", "f".repeat(32)));
        assert_eq!(serde_json::to_string(&event).unwrap(), format!("\"{event}\""));
        for text in [event.to_string(), format!("evt_{UUID}")] {
            assert_eq!(text.parse(), Ok(event), "{text}");
        }
    }

    #[test]
    fn text_of_another_kind_or_without_a_uuid_is_refused() {
        for text in
            ["", "evt", "evt_", "evt_1", "evt0192e73490c77c4d8e5f60718293a4b5", "ven_0192e73490c77c4d8e5f60718293a4b5"]
        {
            let refused = text.parse::<EventId>().unwrap_err();
            assert_eq!(refused.to_string(), "expected an id that starts with `evt_` followed by a UUID", "{text}");
        }
    }

    #[test]
    fn creation_time_is_read_from_a_uuid_of_version_7_only() {
        let created = "2024-11-01T10:10:34.823Z".parse::<Timestamp>().unwrap();
        assert_eq!(OrderId::from_uuid(UUID).created_at(), Some(created));
        let version_4 = Uuid::from_u128(0x0192_e734_90c7_4c4d_8e5f_6071_8293_a4b5);
        for uuid in [version_4, Uuid::nil(), Uuid::max()] {
            assert_eq!(OrderId::from_uuid(uuid).created_at(), None, "{uuid}");
        }
    }

    #[test]
    fn ids_are_equal_hashed_and_ordered_by_their_uuid() {
        let [first, second, third] = [1, 2, 1 << 100].map(|number| TicketId::from_uuid(Uuid::from_u128(number)));
        assert_eq!(first, Clone::clone(&first));
        assert_ne!(first, second);
        let mut mixed = [third, first, second];
        mixed.sort();
        assert_eq!(mixed, [first, second, third]);
        assert_eq!(first.partial_cmp(&second), Some(std::cmp::Ordering::Less));
        let hasher = RandomState::new();
        assert_eq!(hasher.hash_one(first), hasher.hash_one(TicketId::from_uuid(first.uuid())));
        assert_ne!(hasher.hash_one(first), hasher.hash_one(second));
    }
}
