//! Cases of members: addresses are unique within an organization, and the last administrator stays.

use voelgoed_app::accounts::ports::{AccountStore, Member, MemberChange, NewLogin};
use voelgoed_app::environment::Environment;
use voelgoed_app::idempotency::Created;
use voelgoed_app::page::PageRequest;
use voelgoed_domain::accounts::scope::Scope;
use voelgoed_domain::ids::MemberId;
use voelgoed_domain::refusal::Code;

use super::{SECOND, new_api_key, new_login, new_member, stored_member};
use crate::catalog_fixtures::{expect_created, stored_organization};
use crate::idempotency::idempotency_record;
use crate::sut::Sut;

/// A second member with the same e-mail is `already_exists`; another organization may have it, and a login finds both.
pub async fn second_member_with_an_email_is_refused_within_an_organization<S: AccountStore>(sut: Sut<S>) {
    let [a, b] = [stored_organization(&sut).await, stored_organization(&sut).await];
    let first = stored_member(&sut, a, "ada@example.org").await;
    let second = new_member(&sut.environment, a, "ada@example.org");
    let refused = sut.store.create_member(second, "other".into(), None).await.unwrap().unwrap_err();
    assert_eq!(refused.code, Code::AlreadyExists);
    let elsewhere = stored_member(&sut, b, "ada@example.org").await;
    let mut found = sut.store.memberships("ada@example.org", 10).await.unwrap();
    found.sort_by_key(|(member, _)| member.id);
    assert_eq!(found, [(first.clone(), "argon2".to_owned()), (elsewhere, "argon2".to_owned())]);
    assert_eq!(sut.store.memberships("ada@example.org", 1).await.unwrap().len(), 1);
    assert!(sut.store.memberships("eve@example.org", 10).await.unwrap().is_empty());
    assert_eq!(sut.store.read_member(a, first.id).await.unwrap(), Some((first.clone(), "argon2".to_owned())));
    assert_eq!(sut.store.read_member(b, first.id).await.unwrap(), None);
}

/// Fields that are not given are kept; a member of another organization is `not_found`.
pub async fn new_password_or_disabling_ends_the_sessions_of_a_member<S: AccountStore>(sut: Sut<S>) {
    let [a, b] = [stored_organization(&sut).await, stored_organization(&sut).await];
    let [ada, eve] = [stored_member(&sut, a, "ada@x").await, stored_member(&sut, a, "eve@x").await];
    let (store, environment) = (&sut.store, &*sut.environment);
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
        let session = NewLogin { password_hash: hash.into(), ..new_login(environment, [token; 32], now.plus(SECOND)) };
        store.create_session(a, member, session)
    };
    let is_live = |token: u8| store.session_by_token([token; 32], now);
    assert!(log_in(ada.id, 1, "argon2").await.unwrap());
    assert!(log_in(eve.id, 2, "argon2").await.unwrap());
    change(a, MemberChange { password_hash: Some("new".into()), ..MemberChange::default() }).await.unwrap().unwrap();
    assert!(is_live(1).await.unwrap().is_none(), "a new password ends the logins");
    assert!(!log_in(ada.id, 3, "argon2").await.unwrap(), "a login that checked the old password is refused");
    assert!(log_in(ada.id, 4, "new").await.unwrap());
    let disabled = MemberChange { disabled: Some(true), ..MemberChange::default() };
    let changed = change(a, disabled.clone()).await.unwrap().unwrap();
    assert_eq!(changed, Member { disabled_at: Some(now), ..expected.clone() });
    assert!(is_live(4).await.unwrap().is_none(), "a disabled member is logged out");
    assert!(!log_in(ada.id, 5, "new").await.unwrap());
    let later = store.change_member(a, ada.id, disabled, now.plus(SECOND)).await.unwrap().unwrap();
    assert_eq!(later.disabled_at, Some(now), "the first time is kept");
    change(a, MemberChange { disabled: Some(false), ..MemberChange::default() }).await.unwrap().unwrap();
    assert!(log_in(ada.id, 6, "new").await.unwrap());
    assert!(is_live(2).await.unwrap().is_some(), "another member is unchanged");
}

/// `last_administrator`, whether a member is disabled or loses the scope, or an API key is revoked.
pub async fn last_administrator_is_not_disabled_demoted_or_revoked<S: AccountStore>(sut: Sut<S>) {
    let organization = stored_organization(&sut).await;
    let (store, now) = (&sut.store, sut.environment.now());
    let key = new_api_key(&sut.environment, organization);
    expect_created(store.create_api_key(key.clone(), [7; 32], None).await.unwrap());
    let refused = store.revoke_api_key(organization, key.id, true, now).await.unwrap().unwrap_err();
    assert_eq!(refused.code, Code::LastAdministrator);
    let ada = Member { scopes: Scope::ALL.to_vec(), ..new_member(&sut.environment, organization, "ada@x") };
    expect_created(store.create_member(ada.clone(), "argon2".into(), None).await.unwrap());
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

/// Members are listed in pages, oldest first, and only those of the organization.
pub async fn members_are_listed_in_pages_to_their_own_organization<S: AccountStore>(sut: Sut<S>) {
    let [a, b] = [stored_organization(&sut).await, stored_organization(&sut).await];
    let mut expected = Vec::new();
    for number in 0..5 {
        expected.push(stored_member(&sut, a, &format!("{number}@example.org")).await);
    }
    let of_b = stored_member(&sut, b, "b@example.org").await;
    assert_eq!(sut.store.members(b, PageRequest::default()).await.unwrap().items, [of_b]);
    let mut page = PageRequest { after: None, limit: 2 };
    let mut seen = Vec::new();
    loop {
        let part = sut.store.members(a, page).await.unwrap();
        assert!(part.items.len() <= 2);
        seen.extend(part.items);
        page.after = part.next;
        if page.after.is_none() {
            break;
        }
    }
    assert_eq!(seen, expected);
}

/// The same request gets the stored bytes, another request is `idempotency_mismatch`, another caller's key is separate; a refusal is not stored.
pub async fn repeated_creation_replays_the_stored_answer<S: AccountStore>(sut: Sut<S>) {
    let organization = stored_organization(&sut).await;
    let environment = &*sut.environment;
    let create = |email: &'static str, caller, request| {
        let record = Some(idempotency_record(environment, caller, request, email));
        sut.store.create_member(new_member(environment, organization, email), "argon2".into(), record)
    };
    expect_created(create("ada@x", "key_1", [1; 32]).await.unwrap());
    match create("other@x", "key_1", [1; 32]).await.unwrap().unwrap() {
        Created::Replayed(answer) => assert_eq!(answer, "ada@x"),
        Created::Fresh(()) => panic!("created twice"),
    }
    let refused = create("other@x", "key_1", [2; 32]).await.unwrap().unwrap_err();
    assert_eq!(refused.code, Code::IdempotencyMismatch);
    let refused = create("ada@x", "key_2", [1; 32]).await.unwrap().unwrap_err();
    assert_eq!(refused.code, Code::AlreadyExists);
    expect_created(create("other@x", "key_2", [1; 32]).await.unwrap());
    assert_eq!(sut.store.members(organization, PageRequest::default()).await.unwrap().items.len(), 2);
}
