//! Pairs a device: exchanges its one-time pairing code for a device key.

use voelgoed_domain::accounts::pairing_code::normalize_pairing_code;
use voelgoed_domain::refusal::{Code, Refusal};
use voelgoed_domain::time::Timestamp;

use super::Scanning;
use super::ports::{Device, Gate};
use crate::accounts::secret::{SecretKind, new_secret, secret_with_mac};
use crate::error::CommandResult;
use crate::idempotency::ANSWER_RETENTION;
use crate::ticketing::ports::EventScope;
use crate::token::fingerprint;

/// A paired device with its key.
#[derive(Debug, Clone)]
pub struct PairedDevice {
    /// The device.
    pub device: Device,
    /// `vgd_…`, shown once.
    pub key: String,
    /// The gates where the device may scan.
    pub gates: Vec<Gate>,
}

impl Scanning {
    /// Consumes the code. A repeat with the same request key gets the same device key, for [`ANSWER_RETENTION`].
    ///
    /// # Errors
    /// `pairing_expired`, also for an unknown code.
    pub async fn pair_device(&self, code: &str, request: Option<&str>) -> CommandResult<PairedDevice> {
        let code = normalize_pairing_code(code).ok_or_else(|| {
            Refusal::new(
                Code::PairingExpired,
                "This pairing code is unknown, used or expired. Create the device again for a new code.",
            )
        })?;
        // The device key is derived from code and request key, so that a repeat gets it without a store.
        let key = match request {
            Some(request) => {
                let bytes =
                    self.context.master.derive("key of a paired device", &[code.as_bytes(), request.as_bytes()]);
                secret_with_mac(&self.context.master, SecretKind::Device, bytes)
            }
            None => new_secret(&self.context.master, &*self.context.environment, SecretKind::Device),
        };
        let now = self.context.now();
        let device = match self.store.pair(fingerprint(&code), fingerprint(&key), now).await? {
            Ok(device) => device,
            Err(refusal) => self.replay_pairing(&key, now).await?.ok_or(refusal)?,
        };
        self.directory.invalidate_key(fingerprint(&key));
        let gates = self.gates_of(&device).await?;
        Ok(PairedDevice { device, key, gates })
    }

    /// The device that an earlier request paired with the same key.
    async fn replay_pairing(&self, key: &str, now: Timestamp) -> CommandResult<Option<Device>> {
        let found = self.store.device_by_key(fingerprint(key)).await?;
        let is_kept = |device: &Device| {
            device.revoked_at.is_none() && device.paired_at.is_some_and(|paired| paired > now.minus(ANSWER_RETENTION))
        };
        Ok(found.filter(is_kept))
    }

    /// The gates where a device may scan.
    ///
    /// # Errors
    /// A fault of the cold tier.
    pub async fn gates_of(&self, device: &Device) -> CommandResult<Vec<Gate>> {
        let scope = EventScope { organization: device.organization, event: device.event };
        let all = self.directory.gates(scope).await?;
        Ok(all.iter().filter(|gate| device.gates.contains(&gate.id)).cloned().collect())
    }
}
