//! Cases of API keys: they belong to one organization and are found when revoked.

use voelgoed_app::accounts::ports::{AccountStore, ApiKey};
use voelgoed_app::environment::Environment;
use voelgoed_app::page::PageRequest;
use voelgoed_domain::refusal::Code;

use super::{SECOND, new_api_key};
use crate::catalog_fixtures::{expect_created, stored_organization};
use crate::sut::Sut;

/// The store returns a revoked key with its time; a second revocation keeps the first time.
pub async fn api_key_is_found_by_its_secret_even_when_revoked<S: AccountStore>(sut: Sut<S>) {
    let organization = stored_organization(&sut).await;
    let key = new_api_key(&sut.environment, organization);
    expect_created(sut.store.create_api_key(key.clone(), [7; 32], None).await.unwrap());
    assert_eq!(sut.store.api_key_by_secret([7; 32]).await.unwrap().as_ref(), Some(&key));
    assert_eq!(sut.store.api_key_by_secret([8; 32]).await.unwrap(), None);
    let now = sut.environment.now();
    expect_created(sut.store.create_api_key(new_api_key(&sut.environment, organization), [9; 32], None).await.unwrap());
    sut.store.revoke_api_key(organization, key.id, false, now).await.unwrap().unwrap();
    sut.store.revoke_api_key(organization, key.id, false, now.plus(SECOND)).await.unwrap().unwrap();
    let revoked = ApiKey { revoked_at: Some(now), ..key };
    assert_eq!(sut.store.api_key_by_secret([7; 32]).await.unwrap(), Some(revoked));
}

/// A key is neither listed nor revoked by another organization.
pub async fn api_key_of_another_organization_is_neither_listed_nor_revoked<S: AccountStore>(sut: Sut<S>) {
    let [a, b] = [stored_organization(&sut).await, stored_organization(&sut).await];
    let key = new_api_key(&sut.environment, a);
    expect_created(sut.store.create_api_key(key.clone(), [7; 32], None).await.unwrap());
    assert!(sut.store.api_keys(b, PageRequest::default()).await.unwrap().items.is_empty());
    let refused = sut.store.revoke_api_key(b, key.id, false, sut.environment.now()).await.unwrap();
    assert_eq!(refused.unwrap_err().code, Code::NotFound);
    assert_eq!(sut.store.api_keys(a, PageRequest::default()).await.unwrap().items, [key]);
}
