//! What `AccountStore` promises: names that are unique, secrets that find their owner, and nothing of another organization (P7).

use std::time::Duration;

use uuid::Uuid;
use voelgoed_app::accounts::audit::{audited, line_of_act};
use voelgoed_app::accounts::ports::{
    AccountStore, ApiKey, AuditLine, ConsoleSession, Member, MemberChange, NewSession, Organization,
};
use voelgoed_app::environment::{Environment, fresh};
use voelgoed_app::idempotency::Created;
use voelgoed_app::page::PageRequest;
use voelgoed_domain::accounts::scope::Scope;
use voelgoed_domain::ids::{MemberId, OrganizationId};
use voelgoed_domain::refusal::Code;
use voelgoed_domain::time::Timestamp;

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
            an_address_is_one_member_of_an_organization
            a_member_is_changed_and_logged_out
            the_last_administrator_stays
            logins_are_listed_and_ended
            members_are_listed_to_their_own_organization
            a_session_lasts_until_it_ends
            old_sessions_give_way
            a_key_is_found_by_its_secret_even_when_revoked
            keys_are_their_own_organizations
            a_repeated_creation_is_answered_as_before
            an_act_and_its_audit_line_are_one
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
        disabled_at: None,
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

/// A login of whoever has the password hash `argon2`.
pub fn a_session(environment: &TestEnvironment, token: [u8; 32], expires_at: Timestamp) -> NewSession {
    let created_at = environment.now();
    NewSession { login: fresh(environment), token, password_hash: "argon2".into(), created_at, expires_at }
}

/// An act (it makes a key) with the audit line that it writes.
pub async fn an_act<S: AccountStore>(
    store: &S,
    environment: &TestEnvironment,
    organization: OrganizationId,
    subject: &str,
) -> AuditLine {
    audited(environment, "mem_1", "event.publish", subject, async {
        let key = a_key(environment, organization);
        let mut secret = [0; 32];
        secret[..16].copy_from_slice(key.id.uuid().as_bytes());
        made(store.create_api_key(key, secret, None).await.unwrap());
        line_of_act().unwrap()
    })
    .await
}

async fn member<S: AccountStore>(subject: &Subject<S>, organization: OrganizationId, email: &str) -> Member {
    let member = a_member(&subject.environment, organization, email);
    made(subject.store.create_member(member.clone(), "argon2".into(), None).await.unwrap());
    member
}

/// The very same comes back.
pub async fn an_organization_is_found_by_id_and_slug<S: AccountStore>(subject: Subject<S>) {
    let one = Organization { slug: "sparrow".into(), ..an_organization(&subject.environment) };
    subject.store.create_organization(one.clone(), None, None).await.unwrap().unwrap();
    subject.store.create_organization(an_organization(&subject.environment), None, None).await.unwrap().unwrap();
    assert_eq!(subject.store.read_organization(one.id).await.unwrap().as_ref(), Some(&one));
    assert_eq!(subject.store.organization_by_slug("sparrow").await.unwrap(), Some(one));
    assert_eq!(subject.store.organization_by_slug("sparro").await.unwrap(), None);
    assert_eq!(subject.store.read_organization(fresh(&*subject.environment)).await.unwrap(), None);
}

/// `already_exists`, and the first one stays as it was.
pub async fn a_slug_belongs_to_one_organization<S: AccountStore>(subject: Subject<S>) {
    let one = Organization { slug: "sparrow".into(), ..an_organization(&subject.environment) };
    subject.store.create_organization(one.clone(), None, None).await.unwrap().unwrap();
    let other = Organization { slug: "sparrow".into(), ..an_organization(&subject.environment) };
    let refused = subject.store.create_organization(other.clone(), None, None).await.unwrap().unwrap_err();
    assert_eq!(refused.code, Code::AlreadyExists);
    assert_eq!(subject.store.organization_by_slug("sparrow").await.unwrap(), Some(one));
    assert_eq!(subject.store.read_organization(other.id).await.unwrap(), None);
}

/// `already_exists` within one organization; another one knows nothing of it, and a login finds both.
pub async fn an_address_is_one_member_of_an_organization<S: AccountStore>(subject: Subject<S>) {
    let [a, b] = [organization(&subject).await, organization(&subject).await];
    let first = member(&subject, a, "ada@example.org").await;
    let second = a_member(&subject.environment, a, "ada@example.org");
    let refused = subject.store.create_member(second, "other".into(), None).await.unwrap().unwrap_err();
    assert_eq!(refused.code, Code::AlreadyExists);
    let elsewhere = member(&subject, b, "ada@example.org").await;
    let mut found = subject.store.memberships("ada@example.org", 10).await.unwrap();
    found.sort_by_key(|(member, _)| member.id);
    assert_eq!(found, [(first.clone(), "argon2".to_owned()), (elsewhere, "argon2".to_owned())]);
    assert_eq!(subject.store.memberships("ada@example.org", 1).await.unwrap().len(), 1);
    assert!(subject.store.memberships("eve@example.org", 10).await.unwrap().is_empty());
    assert_eq!(subject.store.read_member(a, first.id).await.unwrap(), Some((first.clone(), "argon2".to_owned())));
    assert_eq!(subject.store.read_member(b, first.id).await.unwrap(), None);
}

/// What is absent stays; another organization's member is `not_found`; another password and being disabled end all logins.
pub async fn a_member_is_changed_and_logged_out<S: AccountStore>(subject: Subject<S>) {
    let [a, b] = [organization(&subject).await, organization(&subject).await];
    let [ada, eve] = [member(&subject, a, "ada@x").await, member(&subject, a, "eve@x").await];
    let (store, environment) = (&subject.store, &*subject.environment);
    let now = environment.now();
    let change = |organization, change| store.change_member(organization, ada.id, change, now);
    let refused = change(b, MemberChange { disabled: Some(true), ..MemberChange::default() }).await.unwrap();
    assert_eq!(refused.unwrap_err().code, Code::NotFound);
    let named =
        MemberChange { name: Some("Ada L".into()), scopes: Some(vec![Scope::Sales]), ..MemberChange::default() };
    let changed = change(a, named).await.unwrap().unwrap();
    let expected = Member { name: "Ada L".into(), scopes: vec![Scope::Sales], ..ada.clone() };
    assert_eq!(changed, expected);
    let log_in = |member: MemberId, token: u8, hash: &'static str| {
        let session =
            NewSession { password_hash: hash.into(), ..a_session(environment, [token; 32], now.plus(SECOND)) };
        store.create_session(a, member, session)
    };
    let lives = |token: u8| store.session_by_token([token; 32], now);
    assert!(log_in(ada.id, 1, "argon2").await.unwrap());
    assert!(log_in(eve.id, 2, "argon2").await.unwrap());
    change(a, MemberChange { password_hash: Some("new".into()), ..MemberChange::default() }).await.unwrap().unwrap();
    assert!(lives(1).await.unwrap().is_none(), "another password ends the logins");
    assert!(!log_in(ada.id, 3, "argon2").await.unwrap(), "the old password was checked");
    assert!(log_in(ada.id, 4, "new").await.unwrap());
    let disabled = MemberChange { disabled: Some(true), ..MemberChange::default() };
    let changed = change(a, disabled.clone()).await.unwrap().unwrap();
    assert_eq!(changed, Member { disabled_at: Some(now), ..expected.clone() });
    assert!(lives(4).await.unwrap().is_none(), "whoever is disabled is logged out");
    assert!(!log_in(ada.id, 5, "new").await.unwrap());
    let later = store.change_member(a, ada.id, disabled, now.plus(SECOND)).await.unwrap().unwrap();
    assert_eq!(later.disabled_at, Some(now), "the first moment stays");
    change(a, MemberChange { disabled: Some(false), ..MemberChange::default() }).await.unwrap().unwrap();
    assert!(log_in(ada.id, 6, "new").await.unwrap());
    assert!(lives(2).await.unwrap().is_some(), "another member is not touched");
}

/// `last_administrator`, whether it is disabled, demoted or revoked.
pub async fn the_last_administrator_stays<S: AccountStore>(subject: Subject<S>) {
    let organization = organization(&subject).await;
    let (store, now) = (&subject.store, subject.environment.now());
    let key = a_key(&subject.environment, organization);
    made(store.create_api_key(key.clone(), [7; 32], None).await.unwrap());
    let refused = store.revoke_api_key(organization, key.id, true, now).await.unwrap().unwrap_err();
    assert_eq!(refused.code, Code::LastAdministrator);
    let ada = Member { scopes: Scope::ALL.to_vec(), ..a_member(&subject.environment, organization, "ada@x") };
    made(store.create_member(ada.clone(), "argon2".into(), None).await.unwrap());
    store.revoke_api_key(organization, key.id, false, now).await.unwrap().unwrap();
    for change in [
        MemberChange { disabled: Some(true), ..MemberChange::default() },
        MemberChange { scopes: Some(vec![Scope::Sales]), ..MemberChange::default() },
    ] {
        let refused = store.change_member(organization, ada.id, change, now).await.unwrap().unwrap_err();
        assert_eq!(refused.code, Code::LastAdministrator);
    }
    assert_eq!(store.read_member(organization, ada.id).await.unwrap().unwrap().0, ada, "nothing was changed");
}

/// Oldest first; one or all of a member's are ended, and nobody else's.
pub async fn logins_are_listed_and_ended<S: AccountStore>(subject: Subject<S>) {
    let [a, b] = [organization(&subject).await, organization(&subject).await];
    let [ada, eve] = [member(&subject, a, "ada@x").await, member(&subject, a, "eve@x").await];
    let (store, environment) = (&subject.store, &*subject.environment);
    let now = environment.now();
    let mut logins = Vec::new();
    for (member, token) in [(ada.id, 1), (ada.id, 2), (ada.id, 3), (eve.id, 4)] {
        let session = a_session(environment, [token; 32], now.plus(SECOND));
        logins.push(session.login);
        assert!(store.create_session(a, member, session).await.unwrap());
    }
    let ids = |member| async move {
        let found = store.logins(a, member, now).await.unwrap();
        found.into_iter().map(|login| login.id).collect::<Vec<_>>()
    };
    assert_eq!(ids(ada.id).await, logins[..3]);
    assert!(store.logins(a, ada.id, now.plus(SECOND)).await.unwrap().is_empty(), "those are over");
    assert_eq!(store.end_logins(b, ada.id, None).await.unwrap(), 0);
    assert_eq!(store.end_logins(a, eve.id, Some(logins[0])).await.unwrap(), 0, "it is not a login of this member");
    assert_eq!(store.end_logins(a, ada.id, Some(logins[1])).await.unwrap(), 1);
    assert_eq!(ids(ada.id).await, [logins[0], logins[2]]);
    assert_eq!(store.end_logins(a, ada.id, None).await.unwrap(), 2);
    assert_eq!(ids(eve.id).await, logins[3..]);
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
    let mut sessions = Vec::new();
    for token in [[1; 32], [2; 32]] {
        let session = a_session(&subject.environment, token, expires_at);
        sessions.push(ConsoleSession { login: session.login, member: member.clone(), expires_at });
        assert!(subject.store.create_session(organization, member.id, session).await.unwrap());
    }
    let read = |token, now| subject.store.session_by_token(token, now);
    let now = subject.environment.now();
    assert_eq!(read([1; 32], now).await.unwrap().as_ref(), Some(&sessions[0]));
    assert_eq!(read([3; 32], now).await.unwrap(), None);
    subject.store.end_session([1; 32]).await.unwrap();
    subject.store.end_session([1; 32]).await.unwrap();
    assert_eq!(read([1; 32], now).await.unwrap(), None);
    assert_eq!(read([2; 32], expires_at.minus(Duration::from_micros(1))).await.unwrap().as_ref(), Some(&sessions[1]));
    assert_eq!(read([2; 32], expires_at).await.unwrap(), None);
}

/// A member who logs in for ever fills no table; the last logins stay.
pub async fn old_sessions_give_way<S: AccountStore>(subject: Subject<S>) {
    let organization = organization(&subject).await;
    let [ada, eve] = [member(&subject, organization, "ada@x").await, member(&subject, organization, "eve@x").await];
    let now = subject.environment.now();
    let log_in = |member: MemberId, token: u8, expires_at| {
        let session = a_session(&subject.environment, [token; 32], expires_at);
        subject.store.create_session(organization, member, session)
    };
    assert!(log_in(eve.id, 255, now.plus(SECOND)).await.unwrap());
    for number in 0..100_u8 {
        let expires_at = now.plus(SECOND * 10 + SECOND * u32::from(number));
        assert!(log_in(ada.id, number, expires_at).await.unwrap());
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
    made(subject.store.create_api_key(a_key(&subject.environment, organization), [9; 32], None).await.unwrap());
    subject.store.revoke_api_key(organization, key.id, false, now).await.unwrap().unwrap();
    subject.store.revoke_api_key(organization, key.id, false, now.plus(SECOND)).await.unwrap().unwrap();
    let revoked = ApiKey { revoked_at: Some(now), ..key };
    assert_eq!(subject.store.api_key_by_secret([7; 32]).await.unwrap(), Some(revoked));
}

/// Neither seen nor revoked by another organization.
pub async fn keys_are_their_own_organizations<S: AccountStore>(subject: Subject<S>) {
    let [a, b] = [organization(&subject).await, organization(&subject).await];
    let key = a_key(&subject.environment, a);
    made(subject.store.create_api_key(key.clone(), [7; 32], None).await.unwrap());
    assert!(subject.store.api_keys(b, PageRequest::default()).await.unwrap().items.is_empty());
    let refused = subject.store.revoke_api_key(b, key.id, false, subject.environment.now()).await.unwrap();
    assert_eq!(refused.unwrap_err().code, Code::NotFound);
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

/// Of an act that was carried out; none of a replay or a refusal.
pub async fn an_act_and_its_audit_line_are_one<S: AccountStore>(subject: Subject<S>) {
    let organization = organization(&subject).await;
    let environment = &*subject.environment;
    let store = &subject.store;
    let act = |email: &'static str, scope: &'static str| {
        let member = a_member(environment, organization, email);
        let record = Some(a_record(environment, scope, [1; 32], email));
        let command = store.create_member(member, "argon2".into(), record);
        audited(environment, "key_1", "member.create", email, command)
    };
    made(act("ada@x", "key_1").await.unwrap());
    assert!(matches!(act("ada@x", "key_1").await.unwrap().unwrap(), Created::Replayed(_)));
    assert_eq!(act("ada@x", "key_2").await.unwrap().unwrap_err().code, Code::AlreadyExists);
    made(store.create_member(a_member(environment, organization, "eve@x"), "argon2".into(), None).await.unwrap());
    let lines = store.audit_lines(organization, PageRequest::default()).await.unwrap().items;
    assert_eq!(lines.iter().map(|line| line.subject.as_str()).collect::<Vec<_>>(), ["ada@x"], "{lines:?}");
    assert_eq!((lines[0].actor.as_str(), lines[0].action.as_str()), ("key_1", "member.create"));
}

/// Oldest first, one's own only.
pub async fn the_audit_log_is_read_in_pages<S: AccountStore>(subject: Subject<S>) {
    let [a, b] = [organization(&subject).await, organization(&subject).await];
    let mut expected = Vec::new();
    for number in 0..3 {
        let line = an_act(&*subject.store, &subject.environment, a, &format!("evt_{number}")).await;
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
