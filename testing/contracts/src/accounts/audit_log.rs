//! Cases of the audit log: a line and its change are one commit (P8).

use uuid::Uuid;
use voelgoed_app::accounts::audit::audited;
use voelgoed_app::accounts::ports::AccountStore;
use voelgoed_app::idempotency::Created;
use voelgoed_app::page::PageRequest;
use voelgoed_domain::refusal::Code;

use super::{audited_command, new_member};
use crate::catalog_fixtures::{expect_created, stored_organization};
use crate::idempotency::idempotency_record;
use crate::sut::Sut;

/// A command that was carried out writes one line; a replay or a refusal writes none.
pub async fn audit_line_is_written_with_its_command<S: AccountStore>(sut: Sut<S>) {
    let organization = stored_organization(&sut).await;
    let environment = &*sut.environment;
    let store = &sut.store;
    let create = |email: &'static str, caller: &'static str| {
        let member = new_member(environment, organization, email);
        let record = Some(idempotency_record(environment, caller, [1; 32], email));
        let command = store.create_member(member, "argon2".into(), record);
        audited(environment, "key_1", "member.create", email, command)
    };
    expect_created(create("ada@x", "key_1").await.unwrap());
    assert!(matches!(create("ada@x", "key_1").await.unwrap().unwrap(), Created::Replayed(_)));
    assert_eq!(create("ada@x", "key_2").await.unwrap().unwrap_err().code, Code::AlreadyExists);
    expect_created(
        store.create_member(new_member(environment, organization, "eve@x"), "argon2".into(), None).await.unwrap(),
    );
    let lines = store.audit_lines(organization, PageRequest::default()).await.unwrap().items;
    assert_eq!(lines.iter().map(|line| line.subject.as_str()).collect::<Vec<_>>(), ["ada@x"], "{lines:?}");
    assert_eq!((lines[0].actor.as_str(), lines[0].action.as_str()), ("key_1", "member.create"));
}

/// Oldest first, only the lines of the organization.
pub async fn audit_log_is_listed_in_pages_to_its_own_organization<S: AccountStore>(sut: Sut<S>) {
    let [a, b] = [stored_organization(&sut).await, stored_organization(&sut).await];
    let mut expected = Vec::new();
    for number in 0..3 {
        let line = audited_command(&*sut.store, &sut.environment, a, &format!("evt_{number}")).await;
        expected.push(line);
    }
    let first = sut.store.audit_lines(a, PageRequest { after: None, limit: 2 }).await.unwrap();
    assert_eq!(first.items, expected[..2]);
    assert_eq!(first.next, Some(expected[1].id));
    let rest = sut.store.audit_lines(a, PageRequest { after: first.next, limit: 2 }).await.unwrap();
    assert_eq!((rest.items, rest.next), (expected[2..].to_vec(), None));
    assert!(
        sut.store.audit_lines(b, PageRequest { after: Some(Uuid::nil()), limit: 2 }).await.unwrap().items.is_empty()
    );
}
