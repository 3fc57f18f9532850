//! A scanner turns its pairing code into a key, once.

use voelgoed_domain::accounts::secret::read_pairing_code;
use voelgoed_domain::refusal::{Code, Refusal};

use super::ports::{Device, Gate};
use crate::accounts::secret::{SecretKind, fresh_secret};
use crate::error::Result;
use crate::platform::Platform;
use crate::ticketing::ports::EventScope;
use crate::token::fingerprint;

/// A paired device with its key, as it is answered once.
#[derive(Debug, Clone)]
pub struct Paired {
    /// The device.
    pub device: Device,
    /// `vgd_…`
    pub key: String,
    /// Where it may scan.
    pub gates: Vec<Gate>,
}

/// Uses the code up.
///
/// # Errors
/// `pairing_expired`, also where the code never was.
pub async fn pair_device(platform: &Platform, code: &str) -> Result<Paired> {
    let code = read_pairing_code(code)
        .ok_or_else(|| Refusal::new(Code::PairingExpired, "This pairing code is unknown, used or over."))?;
    let key = fresh_secret(&platform.master, &*platform.environment, SecretKind::Device);
    let now = platform.environment.now();
    let device = platform.scans.pair(fingerprint(&code), fingerprint(&key), now).await??;
    platform.credentials.forget(fingerprint(&key));
    let gates = gates_of(platform, &device).await?;
    Ok(Paired { device, key, gates })
}

/// The gates where a device may scan.
///
/// # Errors
/// A fault of the cold tier.
pub async fn gates_of(platform: &Platform, device: &Device) -> Result<Vec<Gate>> {
    let scope = EventScope { organization: device.organization, event: device.event };
    let all = platform.credentials.gates(scope).await?;
    Ok(all.iter().filter(|gate| device.gates.contains(&gate.id)).cloned().collect())
}
