//! Sets the password of another member.
//!
//! Never: a reset by a caller that lacks a scope of the member, because the new password gives access to all scopes of that member.

use voelgoed_domain::accounts::scope_checks::check_grant;
use voelgoed_domain::ids::MemberId;

use super::Accounts;
use super::granter::Granter;
use super::ports::Member;
use crate::error::CommandResult;

impl Accounts {
    /// Sets a member's password and ends all logins of the member.
    ///
    /// # Errors
    /// `invalid_request`, `missing_scope` if the member has a scope that the granter lacks, `not_found`, `overloaded`.
    pub async fn reset_password(&self, granter: Granter<'_>, id: MemberId, password: String) -> CommandResult<Member> {
        let (member, _) = self.read_member(granter.organization, id).await?;
        check_grant(granter.scopes, &member.scopes)?;
        self.set_password(&member, password).await
    }
}
