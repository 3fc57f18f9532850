//! What `AccountStore` promises: names that are unique, secrets that find their owner, and nothing of another organization (P7).

use std::time::Duration;

use uuid::Uuid;
use voelgoed_app::accounts::ports::{AccountStore, ApiKey, AuditLine, ConsoleSession, Member, Organization};
use voelgoed_app::environment::{Environment, fresh};
use voelgoed_app::idempotency::Created;
use voelgoed_app::page::PageRequest;
use voelgoed_domain::accounts::scope::Scope;
use voelgoed_domain::ids::OrganizationId;
use voelgoed_domain::refusal::Code;

use crate::catalogue::{an_organization, made, organization};
use crate::idempotency::a_record;
use crate::subject::{Subject, TestEnvironment};

/// Every case, as a test; `$open` opens a subject.
#[macro_export]
macro_rules! account_store_suite {
    ($open:expr) => {
        $crate::cases! { accounts, $open;
            an_organization_is_found_by_id_and_slug
            a_slug_belongs_to_one_organization
            an_address_logs_in_to_one_organization
            members_are_listed_to_their_own_organization
            a_session_lasts_until_it_ends
            old_sessions_give_way
            a_key_is_found_by_its_secret_even_when_revoked
            keys_are_their_own_organizations
            a_repeated_creation_is_answered_as_before
            the_audit_log_is_read_in_pages
        }
    };
}

const SECOND: Duration = Duration::from_secs(1);

fn a_member(environment: &TestEnvironment, organization: OrganizationId, email: &str) -> Member {
    Member {
        id: fresh(environment),
        organization,
        name: "Ada Müller".into(),
        email: email.into(),
        scopes: vec![Scope::Catalog, Scope::Sales],
        created_at: environment.now(),
    }
}

fn a_key(environment: &TestEnvironment, organization: OrganizationId) -> ApiKey {
    ApiKey {
        id: fresh(environment),
        organization,
        name: "shop".into(),
        scopes: Scope::ALL.to_vec(),
        created_at: environment.now(),
        revoked_at: None,
    }
}

async fn member<S: AccountStore>(subject: &Subject<S>, organization: OrganizationId, email: &str) -> Member {
    let member = a_member(&subject.environment, organization, email);
    made(subject.store.create_member(member.clone(), "argon2".into(), None).await.unwrap());
    member
}

/// The very same comes back.
pub async fn an_organization_is_found_by_id_and_slug<S: AccountStore>(subject: Subject<S>) {
    let one = Organization { slug: "sparrow".into(), ..an_organization(&subject.environment) };
    subject.store.create_organization(one.clone()).await.unwrap().unwrap();
    subject.store.create_organization(an_organization(&subject.environment)).await.unwrap().unwrap();
    assert_eq!(subject.store.read_organization(one.id).await.unwrap().as_ref(), Some(&one));
    assert_eq!(subject.store.organization_by_slug("sparrow").await.unwrap(), Some(one));
    assert_eq!(subject.store.organization_by_slug("sparro").await.unwrap(), None);
    assert_eq!(subject.store.read_organization(fresh(&*subject.environment)).await.unwrap(), None);
}

/// `already_exists`, and the first one stays as it was.
pub async fn a_slug_belongs_to_one_organization<S: AccountStore>(subject: Subject<S>) {
    let one = Organization { slug: "sparrow".into(), ..an_organization(&subject.environment) };
    subject.store.create_organization(one.clone()).await.unwrap().unwrap();
    let other = Organization { slug: "sparrow".into(), ..an_organization(&subject.environment) };
    let refused = subject.store.create_organization(other.clone()).await.unwrap().unwrap_err();
    assert_eq!(refused.code, Code::AlreadyExists);
    assert_eq!(subject.store.organization_by_slug("sparrow").await.unwrap(), Some(one));
    assert_eq!(subject.store.read_organization(other.id).await.unwrap(), None);
}

/// `already_exists`, within one organization and across.
pub async fn an_address_logs_in_to_one_organization<S: AccountStore>(subject: Subject<S>) {
    let [a, b] = [organization(&subject).await, organization(&subject).await];
    let first = member(&subject, a, "ada@example.org").await;
    for organization in [a, b] {
        let second = a_member(&subject.environment, organization, "ada@example.org");
        let refused = subject.store.create_member(second, "other".into(), None).await.unwrap().unwrap_err();
        assert_eq!(refused.code, Code::AlreadyExists);
    }
    let found = subject.store.member_by_email("ada@example.org").await.unwrap();
    assert_eq!(found, Some((first, "argon2".into())));
    assert_eq!(subject.store.member_by_email("eve@example.org").await.unwrap(), None);
}

/// In pages, by age.
pub async fn members_are_listed_to_their_own_organization<S: AccountStore>(subject: Subject<S>) {
    let [a, b] = [organization(&subject).await, organization(&subject).await];
    let mut expected = Vec::new();
    for number in 0..5 {
        expected.push(member(&subject, a, &format!("{number}@example.org")).await);
    }
    let of_b = member(&subject, b, "b@example.org").await;
    assert_eq!(subject.store.members(b, PageRequest::default()).await.unwrap().items, [of_b]);
    let mut page = PageRequest { after: None, most: 2 };
    let mut seen = Vec::new();
    loop {
        let part = subject.store.members(a, page).await.unwrap();
        assert!(part.items.len() <= 2);
        seen.extend(part.items);
        page.after = part.next;
        if page.after.is_none() {
            break;
        }
    }
    assert_eq!(seen, expected);
}

/// To its moment, exclusive; or until it is ended.
pub async fn a_session_lasts_until_it_ends<S: AccountStore>(subject: Subject<S>) {
    let organization = organization(&subject).await;
    let member = member(&subject, organization, "ada@example.org").await;
    let expires_at = subject.environment.now().plus(SECOND);
    for token in [[1; 32], [2; 32]] {
        subject.store.create_session(member.id, organization, token, "csrf", expires_at).await.unwrap();
    }
    let read = |token, now| subject.store.session_by_token(token, now);
    let now = subject.environment.now();
    let session = ConsoleSession { member, csrf: "csrf".into(), expires_at };
    assert_eq!(read([1; 32], now).await.unwrap().as_ref(), Some(&session));
    assert_eq!(read([3; 32], now).await.unwrap(), None);
    subject.store.end_session([1; 32]).await.unwrap();
    subject.store.end_session([1; 32]).await.unwrap();
    assert_eq!(read([1; 32], now).await.unwrap(), None);
    assert_eq!(read([2; 32], expires_at.minus(Duration::from_micros(1))).await.unwrap(), Some(session));
    assert_eq!(read([2; 32], expires_at).await.unwrap(), None);
}

/// A member who logs in for ever fills no table; the last logins stay.
pub async fn old_sessions_give_way<S: AccountStore>(subject: Subject<S>) {
    let organization = organization(&subject).await;
    let [ada, eve] = [member(&subject, organization, "ada@x").await, member(&subject, organization, "eve@x").await];
    let now = subject.environment.now();
    subject.store.create_session(eve.id, organization, [255; 32], "csrf", now.plus(SECOND)).await.unwrap();
    for number in 0..100_u8 {
        let expires_at = now.plus(SECOND * 10 + SECOND * u32::from(number));
        subject.store.create_session(ada.id, organization, [number; 32], "csrf", expires_at).await.unwrap();
    }
    let lives = |number: u8| subject.store.session_by_token([number; 32], now);
    assert!(lives(255).await.unwrap().is_some(), "another member's is not touched");
    assert!(lives(99).await.unwrap().is_some());
    assert!(lives(90).await.unwrap().is_some());
    assert!(lives(0).await.unwrap().is_none());
}

/// The surface says that it is revoked; the store only finds it. A second revocation keeps the first moment.
pub async fn a_key_is_found_by_its_secret_even_when_revoked<S: AccountStore>(subject: Subject<S>) {
    let organization = organization(&subject).await;
    let key = a_key(&subject.environment, organization);
    made(subject.store.create_api_key(key.clone(), [7; 32], None).await.unwrap());
    assert_eq!(subject.store.api_key_by_secret([7; 32]).await.unwrap().as_ref(), Some(&key));
    assert_eq!(subject.store.api_key_by_secret([8; 32]).await.unwrap(), None);
    let now = subject.environment.now();
    assert!(subject.store.revoke_api_key(organization, key.id, now).await.unwrap());
    assert!(subject.store.revoke_api_key(organization, key.id, now.plus(SECOND)).await.unwrap());
    let revoked = ApiKey { revoked_at: Some(now), ..key };
    assert_eq!(subject.store.api_key_by_secret([7; 32]).await.unwrap(), Some(revoked));
}

/// Neither seen nor revoked by another organization.
pub async fn keys_are_their_own_organizations<S: AccountStore>(subject: Subject<S>) {
    let [a, b] = [organization(&subject).await, organization(&subject).await];
    let key = a_key(&subject.environment, a);
    made(subject.store.create_api_key(key.clone(), [7; 32], None).await.unwrap());
    assert!(subject.store.api_keys(b, PageRequest::default()).await.unwrap().items.is_empty());
    assert!(!subject.store.revoke_api_key(b, key.id, subject.environment.now()).await.unwrap());
    assert_eq!(subject.store.api_keys(a, PageRequest::default()).await.unwrap().items, [key]);
}

/// The same bytes for the same request; `idempotency_mismatch` for another one; another caller's key is another key; a refusal is not kept.
pub async fn a_repeated_creation_is_answered_as_before<S: AccountStore>(subject: Subject<S>) {
    let organization = organization(&subject).await;
    let environment = &*subject.environment;
    let create = |email: &'static str, scope, request| {
        let record = Some(a_record(environment, scope, request, email));
        subject.store.create_member(a_member(environment, organization, email), "argon2".into(), record)
    };
    made(create("ada@x", "key_1", [1; 32]).await.unwrap());
    match create("other@x", "key_1", [1; 32]).await.unwrap().unwrap() {
        Created::Replayed(answer) => assert_eq!(answer, "ada@x"),
        Created::Fresh(()) => panic!("it was made twice"),
    }
    let refused = create("other@x", "key_1", [2; 32]).await.unwrap().unwrap_err();
    assert_eq!(refused.code, Code::IdempotencyMismatch);
    let refused = create("ada@x", "key_2", [1; 32]).await.unwrap().unwrap_err();
    assert_eq!(refused.code, Code::AlreadyExists);
    made(create("other@x", "key_2", [1; 32]).await.unwrap());
    assert_eq!(subject.store.members(organization, PageRequest::default()).await.unwrap().items.len(), 2);
}

/// Oldest first, one's own only.
pub async fn the_audit_log_is_read_in_pages<S: AccountStore>(subject: Subject<S>) {
    let [a, b] = [organization(&subject).await, organization(&subject).await];
    let mut expected = Vec::new();
    for number in 0..3 {
        let line = AuditLine {
            id: subject.environment.uuid(),
            actor: "mem_1".into(),
            action: "event.publish".into(),
            subject: format!("evt_{number}"),
            at: subject.environment.now(),
        };
        subject.store.audit(a, line.clone()).await.unwrap();
        expected.push(line);
    }
    let first = subject.store.audit_lines(a, PageRequest { after: None, most: 2 }).await.unwrap();
    assert_eq!(first.items, expected[..2]);
    assert_eq!(first.next, Some(expected[1].id));
    let rest = subject.store.audit_lines(a, PageRequest { after: first.next, most: 2 }).await.unwrap();
    assert_eq!((rest.items, rest.next), (expected[2..].to_vec(), None));
    assert!(
        subject.store.audit_lines(b, PageRequest { after: Some(Uuid::nil()), most: 2 }).await.unwrap().items.is_empty()
    );
}
