//! Derives the signed code of a ticket from the master key, so that codes need no storage and the code of a ticket stays the same.

use voelgoed_domain::ids::{EventId, OrganizationId, TicketId};
use voelgoed_domain::scanning::code::{KeyId, TicketClaims, TicketSigner};

use crate::token::MasterKey;

/// The signer of an organization's codes, which is cached.
#[must_use]
pub fn signer(master: &MasterKey, organization: OrganizationId) -> TicketSigner {
    master.signer(organization, |master| derive(master, organization))
}

fn derive(master: &MasterKey, organization: OrganizationId) -> TicketSigner {
    let organization = organization.uuid().into_bytes();
    let id = master.derive("ticket key id", &[&organization]);
    let seed = master.derive("ticket key", &[&organization]);
    // Below 2^24, so that every code begins with `V50` and not with a blank, which a scanner might trim.
    TicketSigner::new(KeyId(u32::from_be_bytes([0, id[1], id[2], id[3]])), &seed)
}

/// The code of a ticket. It contains no times, so that the ticket stays valid if its event is moved; gates use the event's current window.
#[must_use]
pub fn code(signer: &TicketSigner, event: EventId, ticket: TicketId) -> String {
    signer.sign(&TicketClaims::unbounded(event, ticket))
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;
    use voelgoed_domain::ids::OrganizationId;

    use super::{derive, signer};
    use crate::token::MasterKey;

    #[test]
    fn cached_signer_is_that_of_its_organization() {
        let master = MasterKey::new([7; 32]);
        for round in 0..2 {
            for number in 1..4 {
                let organization = OrganizationId::from_uuid(Uuid::from_u128(number));
                let (found, expected) = (signer(&master, organization), derive(&master, organization));
                assert_eq!(
                    (found.id(), found.public_key()),
                    (expected.id(), expected.public_key()),
                    "{round} {number}"
                );
            }
        }
    }
}
