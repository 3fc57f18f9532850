//! Contract tests of `AccountStore`: unique names, secrets that find their owner, nothing of another organization (P7).

mod api_keys;
mod audit_log;
mod logins;
mod members;
mod organizations;

use std::time::Duration;

pub use api_keys::*;
pub use audit_log::*;
pub use logins::*;
pub use members::*;
pub use organizations::*;
use voelgoed_app::accounts::audit::{audited, current_audit_line};
use voelgoed_app::accounts::ports::{AccountStore, ApiKey, AuditLine, Member, NewLogin};
use voelgoed_app::environment::{Environment, new_id};
use voelgoed_domain::accounts::scope::Scope;
use voelgoed_domain::ids::OrganizationId;
use voelgoed_domain::time::Timestamp;

use crate::catalog_fixtures::expect_created;
use crate::sut::{Sut, TestEnvironment};

/// Makes a test of each case; `$open` is an expression that opens a [`Sut`](crate::sut::Sut) when awaited.
#[macro_export]
macro_rules! account_store_suite {
    ($open:expr) => {
        $crate::cases! { accounts, $open;
            organization_is_found_by_id_and_slug
            second_organization_with_a_slug_is_refused
            second_member_with_an_email_is_refused_within_an_organization
            new_password_or_disabling_ends_the_sessions_of_a_member
            last_administrator_is_not_disabled_demoted_or_revoked
            logins_are_listed_and_ended_for_their_member_only
            members_are_listed_in_pages_to_their_own_organization
            session_is_valid_until_it_expires_or_is_ended
            oldest_sessions_are_deleted_over_the_limit
            api_key_is_found_by_its_secret_even_when_revoked
            api_key_of_another_organization_is_neither_listed_nor_revoked
            repeated_creation_replays_the_stored_answer
            audit_line_is_written_with_its_command
            audit_log_is_listed_in_pages_to_its_own_organization
        }
    };
}

const SECOND: Duration = Duration::from_secs(1);

fn new_member(environment: &TestEnvironment, organization: OrganizationId, email: &str) -> Member {
    Member {
        id: new_id(environment),
        organization,
        name: "Ada Müller".into(),
        email: email.into(),
        scopes: vec![Scope::Catalog, Scope::Sales],
        created_at: environment.now(),
        disabled_at: None,
    }
}

fn new_api_key(environment: &TestEnvironment, organization: OrganizationId) -> ApiKey {
    ApiKey {
        id: new_id(environment),
        organization,
        name: "shop".into(),
        scopes: Scope::ALL.to_vec(),
        created_at: environment.now(),
        revoked_at: None,
    }
}

/// A login of a member with the password hash `argon2`.
pub fn new_login(environment: &TestEnvironment, token: [u8; 32], expires_at: Timestamp) -> NewLogin {
    let created_at = environment.now();
    NewLogin { login: new_id(environment), token, password_hash: "argon2".into(), created_at, expires_at }
}

/// Creates an API key, and returns the audit line that this writes.
pub async fn audited_command<S: AccountStore>(
    store: &S,
    environment: &TestEnvironment,
    organization: OrganizationId,
    subject: &str,
) -> AuditLine {
    audited(environment, "mem_1", "event.publish", subject, async {
        let key = new_api_key(environment, organization);
        let mut secret = [0; 32];
        secret[..16].copy_from_slice(key.id.uuid().as_bytes());
        expect_created(store.create_api_key(key, secret, None).await.unwrap());
        current_audit_line().unwrap()
    })
    .await
}

async fn stored_member<S: AccountStore>(sut: &Sut<S>, organization: OrganizationId, email: &str) -> Member {
    let member = new_member(&sut.environment, organization, email);
    expect_created(sut.store.create_member(member.clone(), "argon2".into(), None).await.unwrap());
    member
}
