//! Creates organizations, members and keys: with scopes that the creator has, secrets that the platform recognises, and replays.

use bytes::Bytes;
use voelgoed_app::accounts::audit::audited;
use voelgoed_app::accounts::create_member::NewMember;
use voelgoed_app::accounts::granter::Granter;
use voelgoed_app::accounts::secret::{SecretKind, is_issued};
use voelgoed_app::error::CommandResult;
use voelgoed_app::idempotency::{Created, Idempotent};
use voelgoed_app::token::fingerprint;
use voelgoed_domain::accounts::scope::Scope;
use voelgoed_domain::refusal::Code;
use voelgoed_testkit::platform::TestPlatform;

use crate::support::{code, created, key, refusal};

fn granter(shop: &TestPlatform, scopes: &'static [Scope]) -> Granter<'static> {
    Granter { organization: shop.scope.organization, scopes, member: None }
}

fn new_member(email: &str, scopes: &[Scope]) -> NewMember {
    NewMember {
        name: " Ann ".into(),
        email: email.into(),
        password: "correct horse battery".into(),
        scopes: scopes.to_vec(),
    }
}

#[tokio::test]
async fn created_key_is_known_by_its_secret_with_the_granted_scopes() {
    let shop = TestPlatform::open().await;
    let admin = granter(&shop, &[Scope::Admin, Scope::Sales, Scope::Catalog]);
    let wanted = vec![Scope::Sales, Scope::Catalog, Scope::Sales];
    let new = created(shop.slices.accounts.create_api_key(admin, " Till ", wanted, None).await);
    assert_eq!((new.key.name.as_str(), new.key.scopes.as_slice()), ("Till", &[Scope::Catalog, Scope::Sales][..]));
    assert!(is_issued(&shop.slices.context.master, SecretKind::Api, &new.secret));
    let known = shop.slices.accounts.credentials.api_key(fingerprint(&new.secret)).await.unwrap().unwrap();
    assert_eq!(*known, new.key);
}

#[tokio::test]
async fn key_has_at_least_one_scope_and_none_that_its_granter_lacks() {
    let shop = TestPlatform::open().await;
    let create = async |granted, wanted: &[Scope]| {
        shop.slices.accounts.create_api_key(granter(&shop, granted), "Till", wanted.to_vec(), None).await
    };
    let none = refusal(create(Scope::ALL, &[]).await.map(drop));
    assert_eq!((none.code, none.evidence.field.as_deref()), (Code::InvalidRequest, Some("scopes")));
    let more = create(&[Scope::Admin, Scope::Sales], &[Scope::Sales, Scope::Finance]).await;
    assert_eq!(code(more), Code::MissingScope);
    created(create(&[Scope::Admin, Scope::Sales], &[Scope::Admin, Scope::Sales]).await);
}

#[tokio::test]
async fn member_is_stored_with_a_lower_case_address_and_the_granted_scopes() {
    let shop = TestPlatform::open().await;
    let create = async |granted, new| shop.slices.accounts.create_member(granter(&shop, granted), new, None).await;
    let wanted = [Scope::Sales, Scope::Admin, Scope::Sales];
    let ann = created(create(Scope::ALL, new_member("Ann@Example.org", &wanted)).await);
    assert_eq!((ann.name.as_str(), ann.email.as_str()), ("Ann", "ann@example.org"));
    assert_eq!((ann.scopes.as_slice(), ann.disabled_at), (&[Scope::Admin, Scope::Sales][..], None));
    let stored = shop.slices.accounts.store.read_member(shop.scope.organization, ann.id).await.unwrap().unwrap();
    assert_eq!(stored.0, ann);
    let more = create(&[Scope::Admin], new_member("bob@example.org", &[Scope::Sales])).await;
    assert_eq!(code(more), Code::MissingScope);
    created(create(&[Scope::Admin], new_member("bob@example.org", &[])).await);
}

#[tokio::test]
async fn password_of_a_new_member_is_not_the_name_of_its_organization() {
    let shop = TestPlatform::open().await;
    let new = created(shop.slices.accounts.create_organization("Sparrows of Paarl", "paarl-sparrows", None).await);
    let admin = Granter { organization: new.organization.id, scopes: Scope::ALL, member: None };
    for password in ["sparrows of paarl", "PAARL-SPARROWS", "ann@example.org", "short"] {
        let member = NewMember { password: password.into(), ..new_member("ann@example.org", &[]) };
        let refused = refusal(shop.slices.accounts.create_member(admin, member, None).await);
        assert_eq!((refused.code, refused.evidence.field.as_deref()), (Code::InvalidRequest, Some("password")));
    }
}

#[tokio::test]
async fn new_organization_has_a_first_key_with_every_scope() {
    let shop = TestPlatform::open().await;
    let new = created(shop.slices.accounts.create_organization(" Sparrows ", " sparrows ", None).await);
    assert_eq!((new.organization.name.as_str(), new.organization.slug.as_str()), ("Sparrows", "sparrows"));
    let known = shop.slices.accounts.credentials.api_key(fingerprint(&new.first_key.secret)).await.unwrap().unwrap();
    assert_eq!((known.organization, known.scopes.as_slice()), (new.organization.id, Scope::ALL));
    let taken = shop.slices.accounts.create_organization("Other", "sparrows", None).await;
    assert_eq!(code(taken), Code::AlreadyExists);
}

#[tokio::test]
async fn repeated_creations_are_replayed_with_their_first_secret() {
    let shop = TestPlatform::open().await;
    let create = async |name: &'static str, digest| -> CommandResult<Created<String>> {
        let render = |new: &voelgoed_app::accounts::create_api_key::NewApiKey| Bytes::from(new.secret.clone());
        let idempotent = Idempotent { key: key("key", digest), render: &render };
        let admin = granter(&shop, Scope::ALL);
        let new = shop.slices.accounts.create_api_key(admin, name, vec![Scope::Sales], Some(idempotent)).await?;
        Ok(new.map(|new| new.secret))
    };
    let first = created(create("Till", 1).await);
    let again = create("Till", 1).await.unwrap();
    assert!(matches!(&again, Created::Replayed(answer) if *answer == first.as_bytes()), "{again:?}");
    assert_eq!(code(create("Other", 2).await), Code::IdempotencyMismatch);
    let keys = shop.slices.accounts.store.api_keys(shop.scope.organization, Default::default()).await.unwrap().items;
    assert_eq!(keys.len(), 1);
}

#[tokio::test]
async fn audit_lines_name_what_was_created() {
    let shop = TestPlatform::open().await;
    let (accounts, environment) = (&shop.slices.accounts, &*shop.environment);
    let admin = granter(&shop, Scope::ALL);
    let new = audited(
        environment,
        "mem_1",
        "key.create",
        "",
        accounts.create_api_key(admin, "Till", vec![Scope::Sales], None),
    );
    let key = created(new.await).key;
    let new = audited(
        environment,
        "mem_1",
        "member.create",
        "",
        accounts.create_member(admin, new_member("ann@example.org", &[]), None),
    );
    let ann = created(new.await);
    let refused = accounts.create_member(admin, new_member("ann@example.org", &[]), None);
    assert_eq!(code(audited(environment, "mem_1", "member.create", "", refused).await), Code::AlreadyExists);
    let lines = accounts.store.audit_lines(shop.scope.organization, Default::default()).await.unwrap().items;
    let lines: Vec<_> = lines.into_iter().map(|line| (line.actor, line.action, line.subject)).collect();
    let line = |action: &str, subject: String| ("mem_1".to_owned(), action.to_owned(), subject);
    assert_eq!(lines, [line("key.create", key.id.to_string()), line("member.create", ann.id.to_string())]);
}
