//! Names the Redis keys of an event, `<prefix>:{<organization>:<event>}:…`, so that all lie in one cluster slot and tenants are separate (P7).

use uuid::Uuid;
use voelgoed_app::ticketing::ports::EventScope;
use voelgoed_domain::ids::{EventId, OrganizationId};

/// The number of slots in a cluster.
pub(super) const SLOTS: u16 = 16_384;

/// The prefix of every key of an event.
pub(super) fn base(prefix: &str, scope: EventScope) -> String {
    format!("{prefix}:{{{}:{}}}:", scope.organization.uuid().simple(), scope.event.uuid().simple())
}

/// The event that a key or channel belongs to, if it is one of ours and ends in `name`.
pub(super) fn scope_of(prefix: &str, key: &[u8], name: &str) -> Option<EventScope> {
    let tag = std::str::from_utf8(key).ok()?.strip_prefix(prefix)?.strip_prefix(":{")?.strip_suffix(name)?;
    let (organization, event) = tag.strip_suffix("}:")?.split_once(':')?;
    let id = |text| Uuid::try_parse(text).ok();
    Some(EventScope {
        organization: OrganizationId::from_uuid(id(organization)?),
        event: EventId::from_uuid(id(event)?),
    })
}

/// The slot of a key: CRC-16/XMODEM of its hash tag.
pub(super) fn slot(key: &str) -> u16 {
    let tag = key.split_once('{').and_then(|(_, rest)| rest.split_once('}')).map(|(tag, _)| tag);
    let hashed = tag.filter(|tag| !tag.is_empty()).unwrap_or(key);
    crc16(hashed.as_bytes()) % SLOTS
}

fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |crc, byte| {
        (0..8).fold(
            crc ^ (u16::from(*byte) << 8),
            |crc, _| if crc & 0x8000 == 0 { crc << 1 } else { (crc << 1) ^ 0x1021 },
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_an_event_contain_its_scope_and_share_a_slot() {
        let scope = EventScope {
            organization: OrganizationId::from_uuid(Uuid::from_u128(1)),
            event: EventId::from_uuid(Uuid::from_u128(2)),
        };
        let key = base("vg", scope);
        assert_eq!(scope_of("vg", format!("{key}meta").as_bytes(), "meta"), Some(scope));
        for foreign in ["vg:{a:b}:meta", "xx:{1:2}:meta", "vg:meta", ""] {
            assert_eq!(scope_of("vg", foreign.as_bytes(), "meta"), None, "{foreign}");
        }
        assert_eq!(scope_of("vg", format!("{key}taken").as_bytes(), "meta"), None);
        assert_eq!(slot(&key), slot(&format!("{key}meta")));
        assert_eq!(crc16(b"123456789"), 0x31c3, "the test vector of the cluster specification");
        assert_eq!(slot("{user1000}.following"), 3443, "as CLUSTER KEYSLOT says");
    }
}
