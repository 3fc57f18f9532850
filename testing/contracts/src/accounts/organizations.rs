//! Cases of organizations: ids and slugs are unique.

use voelgoed_app::accounts::ports::{AccountStore, Organization};
use voelgoed_app::environment::new_id;
use voelgoed_domain::refusal::Code;

use crate::catalog_fixtures::new_organization;
use crate::sut::Sut;

/// An organization is read by its id and by its slug, with every field; unknown ones are not found.
pub async fn organization_is_found_by_id_and_slug<S: AccountStore>(sut: Sut<S>) {
    let one = Organization { slug: "sparrow".into(), ..new_organization(&sut.environment) };
    sut.store.create_organization(one.clone(), None, None).await.unwrap().unwrap();
    sut.store.create_organization(new_organization(&sut.environment), None, None).await.unwrap().unwrap();
    assert_eq!(sut.store.read_organization(one.id).await.unwrap().as_ref(), Some(&one));
    assert_eq!(sut.store.organization_by_slug("sparrow").await.unwrap(), Some(one));
    assert_eq!(sut.store.organization_by_slug("sparro").await.unwrap(), None);
    assert_eq!(sut.store.read_organization(new_id(&*sut.environment)).await.unwrap(), None);
}

/// A slug that is in use is `already_exists`; the first organization is unchanged.
pub async fn second_organization_with_a_slug_is_refused<S: AccountStore>(sut: Sut<S>) {
    let one = Organization { slug: "sparrow".into(), ..new_organization(&sut.environment) };
    sut.store.create_organization(one.clone(), None, None).await.unwrap().unwrap();
    let other = Organization { slug: "sparrow".into(), ..new_organization(&sut.environment) };
    let refused = sut.store.create_organization(other.clone(), None, None).await.unwrap().unwrap_err();
    assert_eq!(refused.code, Code::AlreadyExists);
    assert_eq!(sut.store.organization_by_slug("sparrow").await.unwrap(), Some(one));
    assert_eq!(sut.store.read_organization(other.id).await.unwrap(), None);
}
