//! Devices: each has a key of its own, bound to its organization and event, and can be revoked.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use voelgoed_app::accounts::secret::SecretKind;
use voelgoed_app::scanning::ports::Device;
use voelgoed_app::token::fingerprint;
use voelgoed_telemetry::spans;

use super::organizer::{bearer, unauthenticated};
use crate::problem::Failure;
use crate::state::Web;

/// A scanner.
#[derive(Debug, Clone)]
pub struct DeviceCaller(pub Arc<Device>);

impl FromRequestParts<Web> for DeviceCaller {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, Failure> {
        let secret = bearer(&parts.headers).filter(|secret| SecretKind::of(secret) == Some(SecretKind::Device));
        let key = fingerprint(secret.ok_or_else(unauthenticated)?);
        let device = web.platform.credentials.device(key).await?.ok_or_else(unauthenticated)?;
        spans::belongs_to(&device.organization, Some(&device.event));
        Ok(Self(device))
    }
}
