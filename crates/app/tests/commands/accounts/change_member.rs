//! Changes members: scopes are granted by callers who have them, and logins end with a password or a disabling.

use voelgoed_app::accounts::change_member::MemberUpdate;
use voelgoed_app::accounts::create_member::NewMember;
use voelgoed_app::accounts::granter::Granter;
use voelgoed_app::accounts::ports::Member;
use voelgoed_app::environment::new_id;
use voelgoed_app::token::fingerprint;
use voelgoed_domain::accounts::scope::Scope;
use voelgoed_domain::ids::OrganizationId;
use voelgoed_domain::refusal::Code;
use voelgoed_testkit::platform::TestPlatform;

use crate::support::{code, created, refusal};

const PASSWORD: &str = "correct horse battery";
const OTHER: &str = "violet umbrella seventeen";

fn granter(shop: &TestPlatform, scopes: &'static [Scope]) -> Granter<'static> {
    Granter { organization: shop.scope.organization, scopes, member: None }
}

async fn member(shop: &TestPlatform, name: &str, scopes: &[Scope]) -> Member {
    let new = NewMember {
        name: name.into(),
        email: format!("{name}@example.org"),
        password: PASSWORD.into(),
        scopes: scopes.to_vec(),
    };
    created(shop.slices.accounts.create_member(granter(shop, Scope::ALL), new, None).await)
}

/// Logs a member in; the cookie.
async fn login(shop: &TestPlatform, member: &Member, password: &str) -> String {
    shop.slices.accounts.log_in(&member.email, password.into(), None).await.unwrap().token
}

async fn is_known(shop: &TestPlatform, token: &str) -> bool {
    shop.slices.accounts.credentials.login(fingerprint(token)).await.unwrap().is_some()
}

fn scopes(scopes: &[Scope]) -> MemberUpdate {
    MemberUpdate { scopes: Some(scopes.to_vec()), ..MemberUpdate::default() }
}

fn disabled(disabled: bool) -> MemberUpdate {
    MemberUpdate { disabled: Some(disabled), ..MemberUpdate::default() }
}

#[tokio::test]
async fn own_new_password_ends_all_logins_and_opens_new_ones() {
    let shop = TestPlatform::open().await;
    let (ann, bob) = (member(&shop, "ann", &[Scope::Admin]).await, member(&shop, "bob", &[Scope::Sales]).await);
    let (one, two) = (login(&shop, &ann, PASSWORD).await, login(&shop, &ann, PASSWORD).await);
    let other = login(&shop, &bob, PASSWORD).await;
    assert!(is_known(&shop, &one).await && is_known(&shop, &two).await && is_known(&shop, &other).await);
    let accounts = &shop.slices.accounts;
    let organization = shop.scope.organization;
    accounts.change_own_password(organization, ann.id, PASSWORD.into(), OTHER.into()).await.unwrap();
    assert!(!is_known(&shop, &one).await && !is_known(&shop, &two).await, "at once on this node");
    assert!(is_known(&shop, &other).await, "another member's");
    let old = accounts.log_in(&ann.email, PASSWORD.into(), None).await;
    assert_eq!(code(old), Code::Unauthenticated);
    login(&shop, &ann, OTHER).await;
}

#[tokio::test]
async fn wrong_old_password_changes_nothing_and_names_its_field() {
    let shop = TestPlatform::open().await;
    let ann = member(&shop, "ann", &[Scope::Admin]).await;
    let token = login(&shop, &ann, PASSWORD).await;
    let change = shop.slices.accounts.change_own_password(shop.scope.organization, ann.id, OTHER.into(), OTHER.into());
    let refused = refusal(change.await);
    assert_eq!((refused.code, refused.evidence.field.as_deref()), (Code::WrongPassword, Some("old_password")));
    assert!(is_known(&shop, &token).await);
    login(&shop, &ann, PASSWORD).await;
}

#[tokio::test]
async fn reset_password_ends_logins_and_needs_all_scopes_of_the_member() {
    let shop = TestPlatform::open().await;
    let ann = member(&shop, "ann", &[Scope::Admin, Scope::Finance]).await;
    let token = login(&shop, &ann, PASSWORD).await;
    let accounts = &shop.slices.accounts;
    let less = accounts.reset_password(granter(&shop, &[Scope::Admin, Scope::Sales]), ann.id, OTHER.into()).await;
    assert_eq!(code(less), Code::MissingScope);
    assert!(is_known(&shop, &token).await);
    accounts.reset_password(granter(&shop, &[Scope::Admin, Scope::Finance]), ann.id, OTHER.into()).await.unwrap();
    assert!(!is_known(&shop, &token).await);
}

#[tokio::test]
async fn disabled_member_loses_all_logins() {
    let shop = TestPlatform::open().await;
    member(&shop, "ann", &[Scope::Admin]).await;
    let bob = member(&shop, "bob", &[Scope::Sales]).await;
    let token = login(&shop, &bob, PASSWORD).await;
    let changed = shop.slices.accounts.change_member(granter(&shop, &[Scope::Admin]), bob.id, disabled(true)).await;
    let since = changed.unwrap().disabled_at;
    assert!(since.is_some() && !is_known(&shop, &token).await);
    shop.environment.advance(std::time::Duration::from_secs(60));
    let again = shop.slices.accounts.change_member(granter(&shop, &[Scope::Admin]), bob.id, disabled(true)).await;
    assert_eq!(again.unwrap().disabled_at, since, "since the first time");
}

#[tokio::test]
async fn disabled_member_is_enabled_by_a_caller_with_all_of_its_scopes() {
    let shop = TestPlatform::open().await;
    member(&shop, "ann", &[Scope::Admin]).await;
    let bob = member(&shop, "bob", &[Scope::Sales, Scope::Finance]).await;
    let accounts = &shop.slices.accounts;
    let admin = granter(&shop, &[Scope::Admin, Scope::Sales]);
    let enabled = accounts.change_member(admin, bob.id, disabled(false)).await.unwrap();
    assert_eq!(enabled.disabled_at, None, "it was not disabled, so nothing is opened");
    accounts.change_member(admin, bob.id, disabled(true)).await.unwrap();
    assert_eq!(code(accounts.change_member(admin, bob.id, disabled(false)).await), Code::MissingScope);
    let fewer = MemberUpdate { scopes: Some(vec![Scope::Sales]), ..disabled(false) };
    let enabled = accounts.change_member(admin, bob.id, fewer).await.unwrap();
    assert_eq!((enabled.disabled_at, enabled.scopes), (None, vec![Scope::Sales]));
}

#[tokio::test]
async fn caller_grants_only_scopes_that_it_has_and_others_may_stay() {
    let shop = TestPlatform::open().await;
    member(&shop, "ann", &[Scope::Admin]).await;
    let bob = member(&shop, "bob", &[Scope::Finance]).await;
    let accounts = &shop.slices.accounts;
    let admin = granter(&shop, &[Scope::Admin, Scope::Sales]);
    let more = accounts.change_member(admin, bob.id, scopes(&[Scope::Finance, Scope::Reports])).await;
    assert_eq!(code(more), Code::MissingScope);
    let changed = accounts.change_member(admin, bob.id, scopes(&[Scope::Sales, Scope::Finance, Scope::Sales])).await;
    assert_eq!(changed.unwrap().scopes, [Scope::Sales, Scope::Finance], "sorted, and each once");
    let fewer = accounts.change_member(admin, bob.id, scopes(&[Scope::Sales])).await.unwrap();
    assert_eq!(fewer.scopes, [Scope::Sales]);
}

#[tokio::test]
async fn last_administrator_keeps_the_scope_when_the_change_is_its_own() {
    let shop = TestPlatform::open().await;
    let ann = member(&shop, "ann", &[Scope::Admin]).await;
    let accounts = &shop.slices.accounts;
    let herself = Granter { member: Some(ann.id), ..granter(&shop, Scope::ALL) };
    assert_eq!(code(accounts.change_member(herself, ann.id, scopes(&[Scope::Sales])).await), Code::LastAdministrator);
    assert_eq!(code(accounts.change_member(herself, ann.id, disabled(true)).await), Code::LastAdministrator);
    let bob = member(&shop, "bob", &[Scope::Admin]).await;
    accounts.change_member(herself, bob.id, scopes(&[Scope::Admin, Scope::Sales])).await.unwrap();
    accounts.change_member(herself, ann.id, scopes(&[Scope::Sales])).await.unwrap();
}

#[tokio::test]
async fn one_login_is_ended_or_all_of_them() {
    let shop = TestPlatform::open().await;
    let ann = member(&shop, "ann", &[Scope::Admin]).await;
    let tokens =
        [login(&shop, &ann, PASSWORD).await, login(&shop, &ann, PASSWORD).await, login(&shop, &ann, PASSWORD).await];
    let (accounts, organization) = (&shop.slices.accounts, shop.scope.organization);
    let logins = accounts.logins(organization, ann.id).await.unwrap();
    assert_eq!(logins.len(), 3);
    accounts.end_logins(organization, ann.id, Some(logins[0].id)).await.unwrap();
    let known = async || {
        let mut known = 0;
        for token in &tokens {
            known += usize::from(is_known(&shop, token).await);
        }
        known
    };
    assert_eq!(known().await, 2);
    let again = accounts.end_logins(organization, ann.id, Some(logins[0].id)).await;
    assert_eq!(code(again), Code::NotFound);
    for _ in 0..2 {
        accounts.end_logins(organization, ann.id, None).await.unwrap();
        assert_eq!(known().await, 0);
    }
}

#[tokio::test]
async fn member_is_changed_by_its_own_organization_only() {
    let shop = TestPlatform::open().await;
    let ann = member(&shop, "ann", &[Scope::Admin]).await;
    let stranger: OrganizationId = new_id(&*shop.environment);
    let accounts = &shop.slices.accounts;
    let granter = Granter { organization: stranger, scopes: Scope::ALL, member: None };
    assert_eq!(code(accounts.change_member(granter, ann.id, disabled(true)).await), Code::NotFound);
    assert_eq!(code(accounts.reset_password(granter, ann.id, OTHER.into()).await), Code::NotFound);
    assert_eq!(code(accounts.logins(stranger, ann.id).await), Code::NotFound);
    assert_eq!(code(accounts.end_logins(stranger, ann.id, None).await), Code::NotFound);
    let own = accounts.change_own_password(stranger, ann.id, PASSWORD.into(), OTHER.into()).await;
    assert_eq!(code(own), Code::NotFound);
    let renamed = MemberUpdate { name: Some(" Anna ".into()), ..MemberUpdate::default() };
    let own = Granter { organization: shop.scope.organization, ..granter };
    assert_eq!(accounts.change_member(own, ann.id, renamed).await.unwrap().name, "Anna");
}
