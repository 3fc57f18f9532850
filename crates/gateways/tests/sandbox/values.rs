//! Builds keys, charges, refunds and gateways for the tests.

use std::time::Duration;

use voelgoed_app::payments::ports::{Charge, ProviderKey, RefundCharge};
use voelgoed_domain::ids::{Id, IdKind};
use voelgoed_domain::money::{Currency, Money};
use voelgoed_domain::payments::decide::Observation;
use voelgoed_gateways::sandbox::{SandboxGateway, SandboxGatewayConfig};

use super::support::{now, secret};

pub fn id<K: IdKind>(number: u128) -> Id<K> {
    serde_json::from_value(format!("{}_{number:032x}", K::PREFIX).into()).unwrap()
}

pub fn key(number: u128) -> ProviderKey {
    ProviderKey { organization: id(1), order: id(2), payment: id(number) }
}

pub fn zar(amount: i64) -> Money {
    Money::new(amount, Currency::ZAR)
}

pub fn charge(number: u128, method: &str) -> Charge {
    Charge {
        key: key(number),
        amount: zar(450),
        method: method.into(),
        send_before: now().plus(Duration::from_secs(60)),
        pay_by: now().plus(Duration::from_millis(50)),
    }
}

pub fn refund(number: u128, charge: u128, amount: i64) -> RefundCharge {
    RefundCharge { refund: id(number), key: key(charge), amount: zar(amount) }
}

pub fn gateway(url: &str, deadline: Duration) -> SandboxGateway {
    SandboxGateway::new(SandboxGatewayConfig { deadline, ..SandboxGatewayConfig::new(url, secret()) }).unwrap()
}

/// The observation without the parts that differ between runs.
pub fn name(observation: &Observation) -> &'static str {
    match observation {
        Observation::Pending => "pending",
        Observation::Captured { amount, provider_ref } if *amount == zar(450) && provider_ref.starts_with("sbx_") => {
            "captured"
        }
        Observation::Captured { .. } => "captured wrongly",
        Observation::Claimed { .. } => "claimed",
        Observation::Declined { .. } => "declined",
        Observation::Voided => "voided",
        Observation::NotReached => "not reached",
        Observation::Absent => "absent",
        Observation::NoAnswer => "no answer",
    }
}
