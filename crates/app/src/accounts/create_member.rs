//! Adds a member, who may log in to the console.

use voelgoed_domain::accounts::scope::Scope;
use voelgoed_domain::accounts::scope_checks::check_grant;
use voelgoed_domain::accounts::{email, names};

use super::Accounts;
use super::audit;
use super::granter::Granter;
use super::ports::Member;
use crate::error::CommandResult;
use crate::idempotency::{Created, Idempotent, record_of};

/// A member to add.
pub struct NewMember {
    /// The member's name.
    pub name: String,
    /// The e-mail address for logins.
    pub email: String,
    /// The password in plain text.
    pub password: String,
    /// The granted scopes.
    pub scopes: Vec<Scope>,
}

impl Accounts {
    /// Writes the member.
    ///
    /// # Errors
    /// `invalid_request`, `missing_scope` if the granter lacks one of the scopes, `already_exists` (email), `quota_reached`, `overloaded`.
    pub async fn create_member(
        &self,
        granter: Granter<'_>,
        new: NewMember,
        idempotent: Option<Idempotent<'_, Member>>,
    ) -> CommandResult<Created<Member>> {
        let (name, email) = (names::display_name("name", &new.name)?, email::lowercase_address("email", &new.email)?);
        let mut scopes = new.scopes;
        scopes.sort_unstable();
        scopes.dedup();
        check_grant(granter.scopes, &scopes)?;
        let member = Member {
            id: self.context.new_id(),
            organization: granter.organization,
            name,
            email,
            scopes,
            created_at: self.context.now(),
            disabled_at: None,
        };
        self.check_new_password(&member, &new.password).await?;
        audit::set_subject(member.id);
        let hash = self.passwords.hash(new.password).await?;
        let record = record_of(idempotent.as_ref(), &member, member.created_at)?;
        let created = self.store.create_member(member.clone(), hash, record).await??;
        Ok(created.map(|()| member))
    }
}
