//! Caches API keys, devices, logins and gates for a few seconds, so that requests authenticate without the cold tier (P11).
//!
//! Never: the secret itself, only its SHA-256; a change of one organization that touches entries of another. A revocation through this node takes effect
//! at once, also while cold is down; a revocation through another node after its invalidation message, and at the latest after [`FRESH_FOR`].

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use voelgoed_app::accounts::credentials::{CachedCredential, Credentials, RevokedCredential};
use voelgoed_app::accounts::ports::{AccountStore, ApiKey, ConsoleSession};
use voelgoed_app::environment::Environment;
use voelgoed_app::error::{CommandResult, Fault};
use voelgoed_app::scanning::ports::{Device, Gate, ScanStore};
use voelgoed_app::ticketing::ports::EventScope;
use voelgoed_domain::ids::OrganizationId;

use crate::cache::{Cache, CacheLimits};

/// How long an entry is served without a refresh.
pub const FRESH_FOR: Duration = Duration::from_secs(5);
/// How long an entry is served while the cold tier is unavailable, so that gates and consoles keep working.
pub const USABLE_FOR: Duration = Duration::from_secs(600);
/// Entries of each kind.
const ENTRIES_MAX: usize = 100_000;

type Fingerprint = [u8; 32];

/// A cache in front of [`AccountStore`] and [`ScanStore`].
pub struct CachedCredentials {
    environment: Arc<dyn Environment>,
    accounts: Arc<dyn AccountStore>,
    scans: Arc<dyn ScanStore>,
    api_keys: Cache<Fingerprint, Option<Arc<ApiKey>>>,
    devices: Cache<Fingerprint, Option<Arc<Device>>>,
    logins: Cache<Fingerprint, Option<Arc<ConsoleSession>>>,
    gates: Cache<EventScope, Arc<Vec<Gate>>>,
}

impl CachedCredentials {
    /// An empty cache in front of the stores.
    #[must_use]
    pub fn new(accounts: Arc<dyn AccountStore>, scans: Arc<dyn ScanStore>, environment: &Arc<dyn Environment>) -> Self {
        let limits =
            |name| CacheLimits { name, entries_max: ENTRIES_MAX, fresh_for: FRESH_FOR, usable_for: USABLE_FOR };
        Self {
            environment: Arc::clone(environment),
            accounts,
            scans,
            api_keys: Cache::new(Arc::clone(environment), limits("api_keys")),
            devices: Cache::new(Arc::clone(environment), limits("devices")),
            logins: Cache::new(Arc::clone(environment), limits("logins")),
            gates: Cache::new(Arc::clone(environment), limits("gates")),
        }
    }
}

#[async_trait]
impl Credentials for CachedCredentials {
    async fn api_key(&self, secret: Fingerprint) -> CommandResult<Option<Arc<ApiKey>>> {
        let read = async {
            let key = self.accounts.api_key_by_secret(secret).await?;
            Ok::<_, Fault>(key.filter(|key| key.revoked_at.is_none()).map(Arc::new))
        };
        Ok(self.api_keys.get(&secret, read).await?)
    }

    async fn device(&self, key: Fingerprint) -> CommandResult<Option<Arc<Device>>> {
        let read = async {
            let device = self.scans.device_by_key(key).await?;
            Ok::<_, Fault>(device.filter(|device| device.revoked_at.is_none()).map(Arc::new))
        };
        Ok(self.devices.get(&key, read).await?)
    }

    async fn login(&self, token: Fingerprint) -> CommandResult<Option<Arc<ConsoleSession>>> {
        let now = self.environment.now();
        let read = async {
            let login = self.accounts.session_by_token(token, now).await?;
            Ok::<_, Fault>(login.map(Arc::new))
        };
        Ok(self.logins.get(&token, read).await?)
    }

    async fn gates(&self, scope: EventScope) -> CommandResult<Arc<Vec<Gate>>> {
        let read = async { Ok::<_, Fault>(Arc::new(self.scans.gates(scope.organization, scope.event).await?)) };
        Ok(self.gates.get(&scope, read).await?)
    }

    fn cached(&self, secret: Fingerprint) -> Option<CachedCredential> {
        let device = || self.devices.peek(&secret).flatten().map(|_| CachedCredential::Device);
        let api_key = || self.api_keys.peek(&secret).flatten().map(CachedCredential::ApiKey);
        let login = || self.logins.peek(&secret).flatten().map(CachedCredential::Login);
        device().or_else(api_key).or_else(login)
    }

    fn invalidate(&self, secret: Fingerprint) {
        self.api_keys.remove(&secret);
        self.devices.remove(&secret);
        self.logins.remove(&secret);
    }

    fn revalidate(&self, organization: OrganizationId) {
        self.api_keys.invalidate(|_, key| key.as_ref().is_some_and(|key| key.organization == organization));
        self.devices.invalidate(|_, device| device.as_ref().is_some_and(|device| device.organization == organization));
        self.logins
            .invalidate(|_, login| login.as_ref().is_some_and(|login| login.member.organization == organization));
        self.gates.invalidate(|scope, _| scope.organization == organization);
    }

    fn revoke(&self, organization: OrganizationId, revoked: &RevokedCredential) {
        match revoked {
            RevokedCredential::ApiKey(id) => {
                let is_revoked = |key: &Arc<ApiKey>| key.id == *id && key.organization == organization;
                self.api_keys.replace(|_, key| key.as_ref().is_some_and(is_revoked), &None);
            }
            RevokedCredential::Device(id) => {
                let is_revoked = |device: &Arc<Device>| device.id == *id && device.organization == organization;
                self.devices.replace(|_, device| device.as_ref().is_some_and(is_revoked), &None);
            }
        }
    }

    fn end_login(&self, token: Fingerprint) {
        self.logins.replace(|found, _| *found == token, &None);
    }

    fn revalidate_all(&self) {
        self.api_keys.invalidate(|_, _| true);
        self.devices.invalidate(|_, _| true);
        self.logins.invalidate(|_, _| true);
        self.gates.invalidate(|_, _| true);
    }
}
