//! Cases of logins and sessions: they end when they expire, when they are ended, and when there are too many.

use std::time::Duration;

use voelgoed_app::accounts::ports::{AccountStore, ConsoleSession};
use voelgoed_app::environment::Environment;
use voelgoed_domain::ids::MemberId;

use super::{SECOND, new_login, stored_member};
use crate::catalog_fixtures::stored_organization;
use crate::sut::Sut;

/// Oldest first; one or all sessions of a member are ended, those of other members are not.
pub async fn logins_are_listed_and_ended_for_their_member_only<S: AccountStore>(sut: Sut<S>) {
    let [a, b] = [stored_organization(&sut).await, stored_organization(&sut).await];
    let [ada, eve] = [stored_member(&sut, a, "ada@x").await, stored_member(&sut, a, "eve@x").await];
    let (store, environment) = (&sut.store, &*sut.environment);
    let now = environment.now();
    let mut logins = Vec::new();
    for (member, token) in [(ada.id, 1), (ada.id, 2), (ada.id, 3), (eve.id, 4)] {
        let session = new_login(environment, [token; 32], now.plus(SECOND));
        logins.push(session.login);
        assert!(store.create_session(a, member, session).await.unwrap());
    }
    let ids = |member| async move {
        let found = store.logins(a, member, now).await.unwrap();
        found.into_iter().map(|login| login.id).collect::<Vec<_>>()
    };
    assert_eq!(ids(ada.id).await, logins[..3]);
    assert!(store.logins(a, ada.id, now.plus(SECOND)).await.unwrap().is_empty(), "those have expired");
    assert_eq!(store.end_logins(b, ada.id, None).await.unwrap(), 0);
    assert_eq!(store.end_logins(a, eve.id, Some(logins[0])).await.unwrap(), 0, "it is not a login of this member");
    assert_eq!(store.end_logins(a, ada.id, Some(logins[1])).await.unwrap(), 1);
    assert_eq!(ids(ada.id).await, [logins[0], logins[2]]);
    assert_eq!(store.end_logins(a, ada.id, None).await.unwrap(), 2);
    assert_eq!(ids(eve.id).await, logins[3..]);
}

/// A session is not valid at its expiry itself.
pub async fn session_is_valid_until_it_expires_or_is_ended<S: AccountStore>(sut: Sut<S>) {
    let organization = stored_organization(&sut).await;
    let member = stored_member(&sut, organization, "ada@example.org").await;
    let expires_at = sut.environment.now().plus(SECOND);
    let mut sessions = Vec::new();
    for token in [[1; 32], [2; 32]] {
        let session = new_login(&sut.environment, token, expires_at);
        sessions.push(ConsoleSession { login: session.login, member: member.clone(), expires_at });
        assert!(sut.store.create_session(organization, member.id, session).await.unwrap());
    }
    let read = |token, now| sut.store.session_by_token(token, now);
    let now = sut.environment.now();
    assert_eq!(read([1; 32], now).await.unwrap().as_ref(), Some(&sessions[0]));
    assert_eq!(read([3; 32], now).await.unwrap(), None);
    sut.store.end_session([1; 32]).await.unwrap();
    sut.store.end_session([1; 32]).await.unwrap();
    assert_eq!(read([1; 32], now).await.unwrap(), None);
    assert_eq!(read([2; 32], expires_at.minus(Duration::from_micros(1))).await.unwrap().as_ref(), Some(&sessions[1]));
    assert_eq!(read([2; 32], expires_at).await.unwrap(), None);
}

/// The number of sessions per member is limited: the newest are kept.
pub async fn oldest_sessions_are_deleted_over_the_limit<S: AccountStore>(sut: Sut<S>) {
    let organization = stored_organization(&sut).await;
    let [ada, eve] =
        [stored_member(&sut, organization, "ada@x").await, stored_member(&sut, organization, "eve@x").await];
    let now = sut.environment.now();
    let log_in = |member: MemberId, token: u8, expires_at| {
        let session = new_login(&sut.environment, [token; 32], expires_at);
        sut.store.create_session(organization, member, session)
    };
    assert!(log_in(eve.id, 255, now.plus(SECOND)).await.unwrap());
    for number in 0..100_u8 {
        let expires_at = now.plus(SECOND * 10 + SECOND * u32::from(number));
        assert!(log_in(ada.id, number, expires_at).await.unwrap());
    }
    let is_live = |number: u8| sut.store.session_by_token([number; 32], now);
    assert!(is_live(255).await.unwrap().is_some(), "another member's is unchanged");
    assert!(is_live(99).await.unwrap().is_some());
    assert!(is_live(90).await.unwrap().is_some());
    assert!(is_live(0).await.unwrap().is_none());
}
