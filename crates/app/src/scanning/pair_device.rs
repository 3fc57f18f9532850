//! A scanner turns its pairing code into a key, once.

use voelgoed_domain::accounts::secret::read_pairing_code;
use voelgoed_domain::refusal::{Code, Refusal};
use voelgoed_domain::time::Timestamp;

use super::ports::{Device, Gate};
use crate::accounts::secret::{SecretKind, fresh_secret, marked_secret};
use crate::error::Result;
use crate::idempotency::KEPT_FOR;
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

/// Uses the code up. A repeat with the same request key gets the same device key, in the time that answers are kept for.
///
/// # Errors
/// `pairing_expired`, also where the code never was.
pub async fn pair_device(platform: &Platform, code: &str, request: Option<&str>) -> Result<Paired> {
    let code = read_pairing_code(code)
        .ok_or_else(|| Refusal::new(Code::PairingExpired, "This pairing code is unknown, used or over."))?;
    // Who repeats has the code and the request key; the device key follows from both, so that none is kept for the repeat.
    let key = match request {
        Some(request) => {
            let bytes = platform.master.derive("key of a paired device", &[code.as_bytes(), request.as_bytes()]);
            marked_secret(&platform.master, SecretKind::Device, bytes)
        }
        None => fresh_secret(&platform.master, &*platform.environment, SecretKind::Device),
    };
    let now = platform.environment.now();
    let device = match platform.scans.pair(fingerprint(&code), fingerprint(&key), now).await? {
        Ok(device) => device,
        Err(refusal) => repeated(platform, &key, now).await?.ok_or(refusal)?,
    };
    platform.credentials.forget(fingerprint(&key));
    let gates = gates_of(platform, &device).await?;
    Ok(Paired { device, key, gates })
}

/// The device that an earlier request paired with this very key.
async fn repeated(platform: &Platform, key: &str, now: Timestamp) -> Result<Option<Device>> {
    let found = platform.scans.device_by_key(fingerprint(key)).await?;
    let is_kept = |device: &Device| {
        device.revoked_at.is_none() && device.paired_at.is_some_and(|paired| paired > now.minus(KEPT_FOR))
    };
    Ok(found.filter(is_kept))
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
