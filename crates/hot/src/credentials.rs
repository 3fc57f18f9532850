//! Who calls, as this node caches it: keys, devices, logins and gates, for a few seconds, so that a sale or a gate does not touch cold (P11).
//!
//! Never: the secret itself, only its SHA-256; another organization's entries touched by one's change. A revocation made through this node is seen at
//! once and refused also while cold is down, one made elsewhere as soon as the outbox tells of it, at the latest within [`FRESH`].

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use voelgoed_app::accounts::credentials::{Credentials, KnownCredential, RevokedCredential};
use voelgoed_app::accounts::ports::{AccountStore, ApiKey, ConsoleSession};
use voelgoed_app::environment::Environment;
use voelgoed_app::error::{Fault, Result};
use voelgoed_app::scanning::ports::{Device, Gate, ScanStore};
use voelgoed_app::ticketing::ports::EventScope;
use voelgoed_domain::ids::OrganizationId;

use crate::cache::{Cache, CacheLimits};

/// An entry counts as new for so long.
pub const FRESH: Duration = Duration::from_secs(5);
/// While the cold tier is away, who was known stays known for so long: gates and consoles go on.
pub const USABLE: Duration = Duration::from_secs(600);
/// The most entries of each kind.
const ENTRIES: usize = 100_000;

type Fingerprint = [u8; 32];

/// Credentials out of the cold tier, cached.
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
        let limits = |name| CacheLimits { name, entries: ENTRIES, fresh: FRESH, usable: USABLE };
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
    async fn api_key(&self, secret: Fingerprint) -> Result<Option<Arc<ApiKey>>> {
        let read = async {
            let key = self.accounts.api_key_by_secret(secret).await?;
            Ok::<_, Fault>(key.filter(|key| key.revoked_at.is_none()).map(Arc::new))
        };
        Ok(self.api_keys.get(&secret, read).await?)
    }

    async fn device(&self, key: Fingerprint) -> Result<Option<Arc<Device>>> {
        let read = async {
            let device = self.scans.device_by_key(key).await?;
            Ok::<_, Fault>(device.filter(|device| device.revoked_at.is_none()).map(Arc::new))
        };
        Ok(self.devices.get(&key, read).await?)
    }

    async fn login(&self, token: Fingerprint) -> Result<Option<Arc<ConsoleSession>>> {
        let now = self.environment.now();
        let read = async {
            let login = self.accounts.session_by_token(token, now).await?;
            Ok::<_, Fault>(login.map(Arc::new))
        };
        Ok(self.logins.get(&token, read).await?)
    }

    async fn gates(&self, scope: EventScope) -> Result<Arc<Vec<Gate>>> {
        let read = async { Ok::<_, Fault>(Arc::new(self.scans.gates(scope.organization, scope.event).await?)) };
        Ok(self.gates.get(&scope, read).await?)
    }

    fn known(&self, secret: Fingerprint) -> Option<KnownCredential> {
        let device = || self.devices.peek(&secret).flatten().map(|_| KnownCredential::Device);
        let api_key = || self.api_keys.peek(&secret).flatten().map(KnownCredential::ApiKey);
        let login = || self.logins.peek(&secret).flatten().map(KnownCredential::Login);
        device().or_else(api_key).or_else(login)
    }

    fn forget(&self, secret: Fingerprint) {
        self.api_keys.forget(&secret);
        self.devices.forget(&secret);
        self.logins.forget(&secret);
    }

    fn changed(&self, organization: OrganizationId) {
        self.api_keys.suspect(|_, key| key.as_ref().is_some_and(|key| key.organization == organization));
        self.devices.suspect(|_, device| device.as_ref().is_some_and(|device| device.organization == organization));
        self.logins.suspect(|_, login| login.as_ref().is_some_and(|login| login.member.organization == organization));
        self.gates.suspect(|scope, _| scope.organization == organization);
    }

    fn revoked(&self, organization: OrganizationId, revoked: &RevokedCredential) {
        match revoked {
            RevokedCredential::ApiKey(id) => {
                let is_it = |key: &Arc<ApiKey>| key.id == *id && key.organization == organization;
                self.api_keys.replace(|_, key| key.as_ref().is_some_and(is_it), &None);
            }
            RevokedCredential::Device(id) => {
                let is_it = |device: &Arc<Device>| device.id == *id && device.organization == organization;
                self.devices.replace(|_, device| device.as_ref().is_some_and(is_it), &None);
            }
        }
    }

    fn login_ended(&self, token: Fingerprint) {
        self.logins.replace(|found, _| *found == token, &None);
    }

    fn revalidate_all(&self) {
        self.api_keys.suspect(|_, _| true);
        self.devices.suspect(|_, _| true);
        self.logins.suspect(|_, _| true);
        self.gates.suspect(|_, _| true);
    }
}
