//! The provider's key of an attempt as text: `org_…:ord_…:pay_…`, and back.

use voelgoed_app::payments::ports::ProviderKey;

/// The key as the provider knows it.
pub fn text(key: ProviderKey) -> String {
    format!("{}:{}:{}", key.organization, key.order, key.payment)
}

/// The key that `text` was made of; none where it is not one of ours.
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
    use voelgoed_domain::ids::{Id, Kind};

    use super::*;
    use crate::sandbox::protocol::is_key;

    fn id<K: Kind>(number: u128) -> Id<K> {
        serde_json::from_value(format!("{}_{number:032x}", K::PREFIX).into()).unwrap()
    }

    #[test]
    fn a_key_survives_the_journey_and_is_lawful_there() {
        let key = ProviderKey { organization: id(1), order: id(2), payment: id(u128::MAX) };
        assert!(is_key(&text(key)));
        assert_eq!(parse(&text(key)), Some(key));
    }

    #[test]
    fn what_is_not_ours_is_no_key() {
        let good = text(ProviderKey { organization: id(1), order: id(2), payment: id(3) });
        let swapped = good.replace("org_", "ord_");
        for bad in
            ["", "::", "org:ord:pay", &format!("{good}:"), &format!("{good}:x"), &swapped, &good[..good.len() - 1]]
        {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
