//! Refuses to remove the last member or key that can administer an organization (`last_administrator`).
//!
//! An organization keeps at least one administrator; the last administering member or key cannot remove its own scope.

use crate::ids::{ApiKeyId, MemberId};
use crate::refusal::{Code, Refusal};

/// The enabled members and keys of an organization with the scope `admin`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Administrators {
    /// Members with the scope `admin`.
    pub members: Vec<MemberId>,
    /// API keys.
    pub keys: Vec<ApiKeyId>,
}

/// A member or a key that loses the scope `admin`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Administrator {
    /// A person.
    Member(MemberId),
    /// An API key.
    Key(ApiKeyId),
}

impl Administrators {
    /// Checks that `who` may lose the scope `admin`; `by_itself` where `who` sends the request.
    ///
    /// # Errors
    /// `last_administrator`.
    pub fn check_removal(&self, who: Administrator, by_itself: bool) -> Result<(), Refusal> {
        let (administers, others_of_same_kind) = match who {
            Administrator::Member(member) => (self.members.contains(&member), self.members.len() > 1),
            Administrator::Key(key) => (self.keys.contains(&key), self.keys.len() > 1),
        };
        let others = self.members.len() + self.keys.len() > 1;
        if !administers || (others && (others_of_same_kind || !by_itself)) {
            return Ok(());
        }
        let detail = "This is the last administrator, so nothing was changed. Give the scope admin to another member or key, and send the request as that one.";
        Err(Refusal::new(Code::LastAdministrator, detail))
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn member(number: u128) -> MemberId {
        MemberId::from_uuid(Uuid::from_u128(number))
    }

    fn key(number: u128) -> ApiKeyId {
        ApiKeyId::from_uuid(Uuid::from_u128(number))
    }

    #[test]
    fn last_administrator_cannot_be_removed() {
        for (members, keys, who, by_itself, allowed) in [
            (1, 0, Administrator::Member(member(1)), true, false),
            (1, 0, Administrator::Member(member(1)), false, false),
            (0, 1, Administrator::Key(key(1)), true, false),
            (0, 1, Administrator::Key(key(1)), false, false),
            // The last of a kind cannot remove itself; an administrator of the other kind can.
            (1, 1, Administrator::Member(member(1)), true, false),
            (1, 1, Administrator::Member(member(1)), false, true),
            (1, 1, Administrator::Key(key(1)), true, false),
            (1, 1, Administrator::Key(key(1)), false, true),
            (2, 0, Administrator::Member(member(1)), true, true),
            (0, 2, Administrator::Key(key(2)), true, true),
            // Removing a member or key that does not administer is always allowed.
            (1, 0, Administrator::Member(member(9)), true, true),
            (0, 1, Administrator::Key(key(9)), false, true),
        ] {
            let all =
                Administrators { members: (1..=members).map(member).collect(), keys: (1..=keys).map(key).collect() };
            let got = all.check_removal(who, by_itself);
            assert_eq!(got.is_ok(), allowed, "{members} members, {keys} keys, {who:?}, by itself: {by_itself}");
            assert!(got.err().is_none_or(|refusal| refusal.code == Code::LastAdministrator));
        }
    }
}
