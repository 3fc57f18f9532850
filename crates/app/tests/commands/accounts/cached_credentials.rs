//! Caches credentials and listings on a node while cold is down, changes, or sends no event for a while.

use std::sync::Arc;
use std::time::Duration;

use voelgoed_app::accounts::credentials::{Credentials, RevokedCredential};
use voelgoed_app::accounts::ports::{AccountStore, ApiKey};
use voelgoed_app::catalog::listings::Listings;
use voelgoed_app::environment::{Environment, new_id};
use voelgoed_app::scanning::ports::{Device, ScanStore};
use voelgoed_app::ticketing::ports::EventScope;
use voelgoed_cold::{Cold, ColdConfig};
use voelgoed_contracts::catalog_fixtures::{expect_created, stored_event, stored_organization};
use voelgoed_contracts::sut::{Sut, TestEnvironment};
use voelgoed_contracts::test_directory::TestDirectory;
use voelgoed_domain::accounts::scope::Scope;
use voelgoed_domain::ids::OrganizationId;
use voelgoed_hot::credentials::{CachedCredentials, USABLE_FOR};
use voelgoed_hot::listings::CachedListings;

/// Two tenants, each with a key, a device and an event; all of it has been asked for once.
struct Shop {
    cold: Arc<Cold>,
    environment: Arc<TestEnvironment>,
    credentials: CachedCredentials,
    listings: CachedListings,
    tenants: Vec<Tenant>,
    _directory: TestDirectory,
}

struct Tenant {
    organization: OrganizationId,
    scope: EventScope,
    api_key: ApiKey,
    device: Device,
    key_secret: [u8; 32],
    device_secret: [u8; 32],
}

impl Shop {
    async fn open() -> Self {
        let directory = TestDirectory::new("credentials");
        let environment = Arc::new(TestEnvironment::default());
        let cold = Arc::new(Cold::open(ColdConfig::embedded(directory.path()), environment.clone()).await.unwrap());
        let clock: Arc<dyn Environment> = environment.clone();
        let credentials = CachedCredentials::new(cold.clone(), cold.clone(), &clock);
        let listings = CachedListings::new(cold.clone(), &clock);
        let mut tenants = Vec::new();
        for number in 1..=2 {
            tenants.push(tenant(&cold, &environment, number).await);
        }
        let shop = Self { cold, environment, credentials, listings, tenants, _directory: directory };
        for tenant in &shop.tenants {
            assert_eq!(shop.known(tenant).await, Ok((true, true, true)));
        }
        shop
    }

    /// Whether the key, the device and the listing count.
    async fn known(&self, tenant: &Tenant) -> Result<(bool, bool, bool), String> {
        let key = self.credentials.api_key(tenant.key_secret).await.map_err(|error| error.to_string())?;
        let device = self.credentials.device(tenant.device_secret).await.map_err(|error| error.to_string())?;
        let listing = self.listings.listing(tenant.scope).await.map_err(|error| error.to_string())?;
        Ok((key.is_some(), device.is_some(), listing.event.id == tenant.scope.event))
    }
}

async fn tenant(cold: &Arc<Cold>, environment: &Arc<TestEnvironment>, number: u8) -> Tenant {
    let sut = Sut { store: cold.clone(), environment: environment.clone(), keep: Box::new(()) };
    let organization = stored_organization(&sut).await;
    let event = stored_event(&sut, organization).await.id;
    let now = environment.now();
    let (key_secret, device_secret) = ([number; 32], [100 + number; 32]);
    let api_key = ApiKey {
        id: new_id(&**environment),
        organization,
        name: "Till".into(),
        scopes: vec![Scope::Catalog],
        created_at: now,
        revoked_at: None,
    };
    expect_created(cold.create_api_key(api_key.clone(), key_secret, None).await.unwrap());
    let device = Device {
        id: new_id(&**environment),
        organization,
        event,
        name: "Phone".into(),
        gates: vec![],
        paired_at: None,
        revoked_at: None,
    };
    let pairing = [200 + number; 32];
    let ends = now.plus(Duration::from_secs(60));
    expect_created(cold.create_device(organization, device.clone(), pairing, ends, None).await.unwrap());
    cold.pair(pairing, device_secret, now).await.unwrap().unwrap();
    Tenant { organization, scope: EventScope { organization, event }, api_key, device, key_secret, device_secret }
}

#[tokio::test]
async fn cached_credentials_and_listings_survive_a_resync_during_a_cold_outage_until_they_expire() {
    let shop = Shop::open().await;
    shop.cold.close().await;
    for _ in 0..3 {
        shop.credentials.revalidate_all();
        shop.listings.revalidate_all();
        for tenant in &shop.tenants {
            assert_eq!(shop.known(tenant).await, Ok((true, true, true)));
        }
    }
    let read_at = shop.listings.read_at(shop.tenants[0].scope);
    assert_eq!(read_at, Some(shop.environment.now()), "it serves with its age");
    shop.environment.advance(USABLE_FOR - Duration::from_secs(1));
    assert_eq!(shop.known(&shop.tenants[0]).await, Ok((true, true, true)));
    assert_eq!(shop.listings.read_at(shop.tenants[0].scope), read_at);
    shop.environment.advance(Duration::from_secs(1));
    assert!(shop.known(&shop.tenants[0]).await.is_err(), "not for ever");
}

#[tokio::test]
async fn revoked_credential_stays_refused_while_cold_is_down() {
    let shop = Shop::open().await;
    let [tenant, other] = &shop.tenants[..] else { panic!() };
    shop.cold.close().await;
    shop.credentials.revoke(tenant.organization, &RevokedCredential::ApiKey(tenant.api_key.id));
    assert_eq!(shop.known(tenant).await, Ok((false, true, true)));
    shop.credentials.revoke(tenant.organization, &RevokedCredential::Device(tenant.device.id));
    // The wrong tenant revokes nothing.
    shop.credentials.revoke(tenant.organization, &RevokedCredential::ApiKey(other.api_key.id));
    shop.credentials.revalidate_all();
    shop.environment.advance(Duration::from_secs(300));
    assert_eq!(shop.known(tenant).await, Ok((false, false, true)));
    assert_eq!(shop.known(other).await, Ok((true, true, true)));
}

#[tokio::test]
async fn change_of_one_organization_refreshes_only_its_own_entries() {
    let shop = Shop::open().await;
    let [tenant, other] = &shop.tenants[..] else { panic!() };
    // Behind the cache: a credential that is read again is refused.
    for it in [tenant, other] {
        let now = shop.environment.now();
        shop.cold.revoke_api_key(it.organization, it.api_key.id, false, now).await.unwrap().unwrap();
        assert!(shop.cold.revoke_device(it.organization, it.device.id, shop.environment.now()).await.unwrap());
    }
    shop.credentials.revalidate(tenant.organization);
    shop.credentials.end_login([9; 32]);
    shop.credentials.invalidate([8; 32]);
    shop.listings.revalidate(tenant.organization, tenant.scope.event);
    assert_eq!(shop.known(tenant).await, Ok((false, false, true)), "read again");
    assert_eq!(shop.known(other).await, Ok((true, true, true)), "still new_id, and not read");
    shop.credentials.revalidate_all();
    assert_eq!(shop.known(other).await, Ok((false, false, true)));
}
