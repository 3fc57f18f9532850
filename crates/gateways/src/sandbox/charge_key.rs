//! Converts the key of a payment attempt to the provider's idempotency key `org_…:ord_…:pay_…`, and back.

use voelgoed_app::payments::ports::ProviderKey;

pub fn to_text(key: ProviderKey) -> String {
    format!("{}:{}:{}", key.organization, key.order, key.payment)
}

/// The key in `text`; none where this shop did not create it.
pub fn parse(text: &str) -> Option<ProviderKey> {
    let mut parts = text.split(':');
    let key = ProviderKey {
        organization: parts.next()?.parse().ok()?,
        order: parts.next()?.parse().ok()?,
        payment: parts.next()?.parse().ok()?,
    };
    parts.next().is_none().then_some(key)
}

#[cfg(test)]
mod tests {
    use voelgoed_domain::ids::{Id, IdKind};
    use voelgoed_sandbox_psp::protocol::is_key;

    use super::*;

    fn id<K: IdKind>(number: u128) -> Id<K> {
        serde_json::from_value(format!("{}_{number:032x}", K::PREFIX).into()).unwrap()
    }

    #[test]
    fn key_survives_the_round_trip_and_the_provider_accepts_it() {
        let key = ProviderKey { organization: id(1), order: id(2), payment: id(u128::MAX) };
        assert!(is_key(&to_text(key)));
        assert_eq!(parse(&to_text(key)), Some(key));
    }

    #[test]
    fn foreign_key_is_not_parsed() {
        let good = to_text(ProviderKey { organization: id(1), order: id(2), payment: id(3) });
        let swapped = good.replace("org_", "ord_");
        for bad in
            ["", "::", "org:ord:pay", &format!("{good}:"), &format!("{good}:x"), &swapped, &good[..good.len() - 1]]
        {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
