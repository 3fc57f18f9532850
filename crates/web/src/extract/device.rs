//! Authenticates a device by its own key, which is bound to an organization and an event and can be revoked.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use voelgoed_app::accounts::secret::SecretKind;
use voelgoed_app::scanning::ports::Device;
use voelgoed_app::token::fingerprint;
use voelgoed_telemetry::spans;

use super::ClientAddress;
use super::credential::{look_up_credential, unauthenticated};
use super::organizer::{bearer, without_access};
use crate::problem::Failure;
use crate::state::Web;

/// The device that sent a request.
#[derive(Debug, Clone)]
pub struct DeviceCaller {
    /// The device.
    pub device: Arc<Device>,
    /// The fingerprint of its key, by which a stream checks whether the device was revoked meanwhile.
    pub key: [u8; 32],
}

impl DeviceCaller {
    /// Finds the device by its key.
    ///
    /// # Errors
    /// `unauthenticated`, `rate_limited`.
    pub async fn authenticate(parts: &mut Parts, web: &Web) -> Result<Self, Failure> {
        let Ok(ClientAddress(address)) = ClientAddress::from_request_parts(parts, web).await;
        let secret = bearer(&parts.headers).filter(|secret| SecretKind::detect(secret) == Some(SecretKind::Device));
        let secret = secret.ok_or_else(unauthenticated)?;
        let key = fingerprint(secret);
        let device =
            look_up_credential(web, SecretKind::Device, secret, address, web.slices.accounts.credentials.device(key))
                .await?;
        spans::record_tenant(&device.organization, Some(&device.event));
        Ok(Self { device, key })
    }
}

impl FromRequestParts<Web> for DeviceCaller {
    type Rejection = Failure;

    /// The caller that the route's access layer found.
    async fn from_request_parts(parts: &mut Parts, _web: &Web) -> Result<Self, Failure> {
        parts.extensions.get().cloned().ok_or_else(|| without_access("devices"))
    }
}
