//! Hashes and stores a member's new password after the strength check, and ends all logins of the member.

use voelgoed_domain::accounts::password_strength::check_password;

use super::Accounts;
use super::ports::{Member, MemberChange};
use crate::error::CommandResult;

impl Accounts {
    /// Refuses a password that is too weak for this member.
    pub(super) async fn check_new_password(&self, member: &Member, password: &str) -> CommandResult<()> {
        let organization = self.store.read_organization(member.organization).await?;
        let known = organization.map_or_else(Vec::new, |organization| vec![organization.name, organization.slug]);
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        Ok(check_password(password, &member.name, &member.email, &known)?)
    }

    /// Stores the hash of a new password; the store ends all logins of the member in the same commit.
    pub(super) async fn set_password(&self, member: &Member, password: String) -> CommandResult<Member> {
        self.check_new_password(member, &password).await?;
        let password_hash = Some(self.passwords.hash(password).await?);
        self.write_member(member.organization, member.id, MemberChange { password_hash, ..MemberChange::default() })
            .await
    }
}
