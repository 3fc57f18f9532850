//! Changes a member's own password after a check of the old one.

use voelgoed_domain::ids::{MemberId, OrganizationId};
use voelgoed_domain::refusal::{Code, Refusal};

use super::Accounts;
use super::ports::Member;
use crate::error::CommandResult;

impl Accounts {
    /// Changes a member's own password after checking the old one, and ends all logins of the member.
    ///
    /// # Errors
    /// `invalid_request`, `wrong_password`, `overloaded`.
    pub async fn change_own_password(
        &self,
        organization: OrganizationId,
        id: MemberId,
        old: String,
        new: String,
    ) -> CommandResult<Member> {
        let (member, hash) = self.read_member(organization, id).await?;
        if !self.passwords.verify(old, Some(hash)).await? {
            return Err(Refusal::new(Code::WrongPassword, "The old password is wrong; nothing was changed.")
                .with(|evidence| evidence.field = Some("old_password".to_owned()))
                .into());
        }
        self.set_password(&member, new).await
    }
}
