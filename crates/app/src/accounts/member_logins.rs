//! Lists and ends the active logins of a member.

use voelgoed_domain::ids::{LoginId, MemberId, OrganizationId};
use voelgoed_domain::refusal::Refusal;

use super::Accounts;
use super::ports::MemberLogin;
use crate::error::CommandResult;

impl Accounts {
    /// The active logins of a member.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn logins(&self, organization: OrganizationId, id: MemberId) -> CommandResult<Vec<MemberLogin>> {
        self.read_member(organization, id).await?;
        Ok(self.store.logins(organization, id, self.context.now()).await?)
    }

    /// Ends one login of a member, or all of them.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn end_logins(
        &self,
        organization: OrganizationId,
        id: MemberId,
        login: Option<LoginId>,
    ) -> CommandResult<()> {
        self.read_member(organization, id).await?;
        let ended = self.store.end_logins(organization, id, login).await?;
        if login.is_some() && ended == 0 {
            return Err(Refusal::not_found().into());
        }
        self.credentials.revalidate(organization);
        Ok(())
    }
}
