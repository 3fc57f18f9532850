//! Whether an organization keeps somebody who can administer it.
//!
//! Never: an organization that nobody can administer; a last administrator, or a last administering key, that takes its own right away.

use crate::ids::{ApiKeyId, MemberId};
use crate::refusal::{Code, Refusal};

/// Who can administer an organization: enabled members and keys with the scope `admin`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Administrators {
    /// The members.
    pub members: Vec<MemberId>,
    /// The keys.
    pub keys: Vec<ApiKeyId>,
}

/// One of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Administrator {
    /// A member.
    Member(MemberId),
    /// A key.
    Key(ApiKeyId),
}

impl Administrators {
    /// Whether `who` may stop administering; `by_itself` where it takes its own right away.
    ///
    /// # Errors
    /// `last_administrator`.
    pub fn may_lose(&self, who: Administrator, by_itself: bool) -> Result<(), Refusal> {
        let (administers, others_of_its_kind) = match who {
            Administrator::Member(member) => (self.members.contains(&member), self.members.len() > 1),
            Administrator::Key(key) => (self.keys.contains(&key), self.keys.len() > 1),
        };
        let others = self.members.len() + self.keys.len() > 1;
        if !administers || (others && (others_of_its_kind || !by_itself)) {
            return Ok(());
        }
        let detail = "This is the last administrator. Give the scope admin to another member or key first, and let that one do it.";
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
    fn the_last_administrator_stays() {
        for (members, keys, who, by_itself, allowed) in [
            (1, 0, Administrator::Member(member(1)), true, false),
            (1, 0, Administrator::Member(member(1)), false, false),
            (0, 1, Administrator::Key(key(1)), true, false),
            (0, 1, Administrator::Key(key(1)), false, false),
            // The last of its kind does not do it to itself, but another administrator may.
            (1, 1, Administrator::Member(member(1)), true, false),
            (1, 1, Administrator::Member(member(1)), false, true),
            (1, 1, Administrator::Key(key(1)), true, false),
            (1, 1, Administrator::Key(key(1)), false, true),
            (2, 0, Administrator::Member(member(1)), true, true),
            (0, 2, Administrator::Key(key(2)), true, true),
            // Who does not administer takes nothing away.
            (1, 0, Administrator::Member(member(9)), true, true),
            (0, 1, Administrator::Key(key(9)), false, true),
        ] {
            let all =
                Administrators { members: (1..=members).map(member).collect(), keys: (1..=keys).map(key).collect() };
            let got = all.may_lose(who, by_itself);
            assert_eq!(got.is_ok(), allowed, "{members} members, {keys} keys, {who:?}, by itself: {by_itself}");
            assert!(got.err().is_none_or(|refusal| refusal.code == Code::LastAdministrator));
        }
    }
}
