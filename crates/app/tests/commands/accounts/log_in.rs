//! Logs members in and out: by organization or without, as vague and as slow for an unknown address as for a wrong password.

use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use voelgoed_app::accounts::change_member::MemberUpdate;
use voelgoed_app::accounts::create_member::NewMember;
use voelgoed_app::accounts::granter::Granter;
use voelgoed_app::accounts::log_in::{LOGIN_MEMBERSHIPS_MAX, LOGIN_TTL, Login, csrf_token};
use voelgoed_app::accounts::password_hasher::PasswordHasher;
use voelgoed_app::accounts::ports::{AccountStore, Member, MemberChange};
use voelgoed_app::environment::Environment as _;
use voelgoed_app::error::CommandResult;
use voelgoed_app::token::fingerprint;
use voelgoed_cold::Cold;
use voelgoed_domain::accounts::scope::Scope;
use voelgoed_domain::ids::{MemberId, OrganizationId};
use voelgoed_domain::refusal::Code;
use voelgoed_testkit::platform::TestPlatform;

use crate::support::{code, created, refusal};

const ANN: &str = "ann@example.org";
const PASSWORD: &str = "correct horse battery";
const OTHER: &str = "violet umbrella seventeen";

/// An organization of which Ann is a member with this password.
async fn organization_of_ann(shop: &TestPlatform, slug: &str, password: &str) -> (OrganizationId, Member) {
    let new = created(shop.slices.accounts.create_organization("Sparrow Events", slug, None).await);
    let organization = new.organization.id;
    let granter = Granter { organization, scopes: Scope::ALL, member: None };
    let ann = NewMember {
        name: "Ann".into(),
        email: ANN.into(),
        password: password.into(),
        scopes: vec![Scope::Admin, Scope::Sales],
    };
    (organization, created(shop.slices.accounts.create_member(granter, ann, None).await))
}

async fn log_in(shop: &TestPlatform, password: &str, organization: Option<&str>) -> CommandResult<Login> {
    shop.slices.accounts.log_in(" ANN@Example.org", password.into(), organization).await
}

#[tokio::test]
async fn member_logs_in_without_an_organization_by_its_slug_and_by_its_identifier() {
    let shop = TestPlatform::open().await;
    let (organization, ann) = organization_of_ann(&shop, "sparrow", PASSWORD).await;
    let id = organization.to_string();
    for named in [None, Some("sparrow"), Some(" sparrow "), Some(id.as_str())] {
        let login = log_in(&shop, PASSWORD, named).await.unwrap();
        assert_eq!(login.session.member, ann, "{named:?}");
        assert_eq!(login.session.expires_at, shop.environment.now().plus(LOGIN_TTL));
        let known = shop.slices.accounts.credentials.login(fingerprint(&login.token)).await.unwrap();
        assert_eq!(known.map(|session| session.login), Some(login.session.login));
    }
}

#[tokio::test]
async fn wrong_password_address_or_organization_has_the_same_answer() {
    let shop = TestPlatform::open().await;
    organization_of_ann(&shop, "sparrow", PASSWORD).await;
    organization_of_ann(&shop, "falcon", OTHER).await;
    let mut answers = vec![];
    for (password, named) in [
        ("wrong", None),
        ("wrong", Some("sparrow")),
        (OTHER, Some("sparrow")),
        (PASSWORD, Some("no such organization")),
        (PASSWORD, Some("")),
    ] {
        answers.push(refusal(log_in(&shop, password, named).await));
    }
    answers.push(refusal(shop.slices.accounts.log_in("bob@example.org", PASSWORD.into(), None).await));
    answers.push(refusal(shop.slices.accounts.log_in("not an address", PASSWORD.into(), None).await));
    assert!(answers.iter().all(|answer| answer == &answers[0] && answer.code == Code::Unauthenticated), "{answers:?}");
}

#[tokio::test]
async fn password_chooses_among_the_memberships_of_an_address() {
    let shop = TestPlatform::open().await;
    let (sparrow, _) = organization_of_ann(&shop, "sparrow", PASSWORD).await;
    let (falcon, _) = organization_of_ann(&shop, "falcon", OTHER).await;
    for (password, expected) in [(PASSWORD, sparrow), (OTHER, falcon)] {
        assert_eq!(log_in(&shop, password, None).await.unwrap().session.member.organization, expected);
    }
}

#[tokio::test]
async fn password_of_several_memberships_needs_an_organization() {
    let shop = TestPlatform::open().await;
    organization_of_ann(&shop, "sparrow", PASSWORD).await;
    let (falcon, _) = organization_of_ann(&shop, "falcon", PASSWORD).await;
    organization_of_ann(&shop, "eagle", OTHER).await;
    let ambiguous = refusal(log_in(&shop, PASSWORD, None).await);
    assert_eq!(ambiguous.code, Code::OrganizationRequired);
    assert_eq!(ambiguous.evidence.field.as_deref(), Some("organization"));
    assert!(ambiguous.detail.contains("falcon, sparrow"), "{ambiguous}");
    assert!(!ambiguous.detail.contains("eagle"), "the password does not fit there: {ambiguous}");
    assert_eq!(log_in(&shop, PASSWORD, Some("falcon")).await.unwrap().session.member.organization, falcon);
}

#[tokio::test]
async fn disabled_member_does_not_log_in() {
    let shop = TestPlatform::open().await;
    let (organization, ann) = organization_of_ann(&shop, "sparrow", PASSWORD).await;
    let granter = Granter { organization, scopes: Scope::ALL, member: None };
    let disabled = |disabled| MemberUpdate { disabled: Some(disabled), ..MemberUpdate::default() };
    shop.slices.accounts.change_member(granter, ann.id, disabled(true)).await.unwrap();
    for named in [None, Some("sparrow")] {
        assert_eq!(code(log_in(&shop, PASSWORD, named).await), Code::Unauthenticated);
    }
    shop.slices.accounts.change_member(granter, ann.id, disabled(false)).await.unwrap();
    log_in(&shop, PASSWORD, None).await.unwrap();
}

#[tokio::test]
async fn every_login_has_a_token_and_a_csrf_token_of_its_own() {
    let shop = TestPlatform::open().await;
    organization_of_ann(&shop, "sparrow", PASSWORD).await;
    let (one, two) = (log_in(&shop, PASSWORD, None).await.unwrap(), log_in(&shop, PASSWORD, None).await.unwrap());
    assert_ne!(one.token, two.token);
    assert_ne!(one.csrf, two.csrf);
    let derived = |login: &Login| csrf_token(&shop.slices.context.master, fingerprint(&login.token));
    assert_eq!((one.csrf.clone(), two.csrf.clone()), (derived(&one), derived(&two)), "no store keeps it");
    assert_ne!(one.csrf, one.token);
}

#[tokio::test]
async fn login_ends_after_12_hours_or_with_its_logout() {
    let shop = TestPlatform::open().await;
    organization_of_ann(&shop, "sparrow", PASSWORD).await;
    let known = async |token: &str| shop.slices.accounts.credentials.login(fingerprint(token)).await.unwrap().is_some();
    let (one, two) = (log_in(&shop, PASSWORD, None).await.unwrap(), log_in(&shop, PASSWORD, None).await.unwrap());
    assert!(known(&one.token).await && known(&two.token).await);
    for _ in 0..2 {
        shop.slices.accounts.log_out(&one.token).await.unwrap();
    }
    assert!(!known(&one.token).await && known(&two.token).await);
    shop.environment.advance(LOGIN_TTL - Duration::from_micros(1));
    assert!(known(&two.token).await);
    shop.environment.advance(Duration::from_secs(10));
    assert!(!known(&two.token).await);
}

/// Counts the passwords that are checked, and which of them were of a member.
#[derive(Default)]
struct CountingPasswords(Mutex<Vec<bool>>);

#[async_trait]
impl PasswordHasher for CountingPasswords {
    async fn hash(&self, password: String) -> CommandResult<String> {
        Ok(password)
    }

    async fn verify(&self, password: String, hash: Option<String>) -> CommandResult<bool> {
        self.0.lock().unwrap().push(hash.is_some());
        Ok(hash == Some(password))
    }
}

#[tokio::test]
async fn number_of_checked_passwords_is_the_same_for_an_unknown_address_and_one_membership() {
    let mut shop = TestPlatform::open().await;
    let passwords = Arc::new(CountingPasswords::default());
    Arc::make_mut(&mut shop.slices.accounts).passwords = passwords.clone();
    let checked = || std::mem::take(&mut *passwords.0.lock().unwrap());
    for (memberships, without, named) in [
        (0, vec![false, false], vec![false]),
        (1, vec![true, false], vec![true]),
        (2, vec![true, true], vec![true]),
        (3, vec![true; 3], vec![true]),
        (LOGIN_MEMBERSHIPS_MAX, vec![true; LOGIN_MEMBERSHIPS_MAX], vec![true]),
        (LOGIN_MEMBERSHIPS_MAX + 2, vec![true; LOGIN_MEMBERSHIPS_MAX], vec![true]),
    ] {
        let present = shop.cold.memberships(ANN, 100).await.unwrap().len();
        for number in present..memberships {
            organization_of_ann(&shop, &format!("shop-{number}"), PASSWORD).await;
        }
        for password in [PASSWORD, "wrong"] {
            let _answered = log_in(&shop, password, None).await;
            assert_eq!(checked(), without, "{memberships} memberships");
            let _answered = log_in(&shop, password, Some("shop-0")).await;
            assert_eq!(checked(), named, "{memberships} memberships");
        }
    }
}

#[tokio::test]
async fn member_of_more_than_5_organizations_names_one_of_them() {
    let shop = TestPlatform::open().await;
    let mut organizations = vec![];
    for number in 0..=LOGIN_MEMBERSHIPS_MAX {
        let password = format!("{number} violet umbrellas in the rain");
        organizations.push((organization_of_ann(&shop, &format!("shop-{number}"), &password).await.0, password));
    }
    // The memberships are read in the order of their organizations.
    organizations.sort_unstable();
    for (at, (organization, password)) in organizations.iter().enumerate() {
        let without = log_in(&shop, password, None).await;
        match at < LOGIN_MEMBERSHIPS_MAX {
            true => assert_eq!(without.unwrap().session.member.organization, *organization),
            false => assert_eq!(code(without), Code::Unauthenticated),
        }
        log_in(&shop, password, Some(&organization.to_string())).await.unwrap();
    }
}

/// Another password is set while the old one is being checked.
struct SlowPasswords(Arc<Cold>, OrganizationId, MemberId);

#[async_trait]
impl PasswordHasher for SlowPasswords {
    async fn hash(&self, password: String) -> CommandResult<String> {
        Ok(password)
    }

    async fn verify(&self, password: String, hash: Option<String>) -> CommandResult<bool> {
        let change = MemberChange { password_hash: Some("another".into()), ..MemberChange::default() };
        let now = voelgoed_domain::time::Timestamp::from_micros(0);
        self.0.change_member(self.1, self.2, change, now).await?.unwrap();
        Ok(hash == Some(password))
    }
}

#[tokio::test]
async fn password_that_was_changed_while_it_was_checked_does_not_log_in() {
    let mut shop = TestPlatform::open().await;
    let (organization, ann) = organization_of_ann(&shop, "sparrow", PASSWORD).await;
    Arc::make_mut(&mut shop.slices.accounts).passwords =
        Arc::new(SlowPasswords(shop.cold.clone(), organization, ann.id));
    assert_eq!(code(log_in(&shop, PASSWORD, Some("sparrow")).await), Code::Unauthenticated);
    assert!(shop.slices.accounts.logins(organization, ann.id).await.unwrap().is_empty());
}
