//! Names the counts that an order adds to (its buyer by session and by e-mail address, its promo code, its client address while unpaid) and their limits.
//!
//! | counted | where | exact? |
//! |---|---|---|
//! | buyers and codes | in rows that the order's own transaction writes | yes: no race of orders passes the limit |
//! | unpaid places of a client address | read from its orders | no: concurrent Postgres transactions do not see each other's orders |
//!
//! An order that ends unpaid and a refunded ticket no longer count. Never: an e-mail or a client address in a key; an HMAC under the master key replaces it.
//! To add a limit: its key in [`CountedFor::amounts`], its line in [`counted_for`], and its case in the contract suite of orders.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use voelgoed_domain::accounts::email;
use voelgoed_domain::catalog::listing::Listing;
use voelgoed_domain::catalog::price_rule::PriceRule;
use voelgoed_domain::ids::{SessionId, TicketTypeId};
use voelgoed_domain::refusal::Refusal;
use voelgoed_domain::ticketing::limits;

use crate::token::MasterKey;

/// The counts that an order adds to, as stored with the order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CountedFor {
    /// Keys of the session and of the e-mail address.
    pub buyers: Vec<String>,
    /// The order's ticket types that have a limit per buyer.
    pub ticket_types: BTreeSet<TicketTypeId>,
    /// Keys of the code and, if it has a limit per buyer, of the code by each buyer.
    pub uses: Vec<String>,
}

/// The limit of one count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CountLimit {
    /// The count's key.
    pub key: String,
    /// The limit's stable name.
    pub name: &'static str,
    /// The highest count that is accepted.
    pub count_max: u32,
    /// The text of the refusal.
    pub detail: String,
}

impl CountLimit {
    /// `limit_reached` with this limit.
    #[must_use]
    pub fn refusal(&self) -> Refusal {
        Refusal::limit(self.name, u64::from(self.count_max), self.detail.clone())
    }
}

/// Limits the places that one client address may have in unpaid orders of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnpaidLimit {
    /// An HMAC of the address.
    pub address: String,
    /// The limit.
    pub places_max: u32,
}

impl UnpaidLimit {
    /// The limit of an address: it may order as many places as it may hold.
    #[must_use]
    pub fn of(master: &MasterKey, address: IpAddr, places_max: u32) -> Self {
        let address = master.derive("client address of an order", &[address.to_string().as_bytes()]);
        Self { address: URL_SAFE_NO_PAD.encode(address), places_max }
    }

    /// `limit_reached` with this limit.
    #[must_use]
    pub fn refusal(&self) -> Refusal {
        let detail = "Too many places wait for their payment from this network. Pay for them, or try again later.";
        Refusal::limit(limits::PLACES_PER_ADDRESS, u64::from(self.places_max), detail.to_owned())
    }
}

impl CountedFor {
    /// By how much each count rises for an order of tickets of these types.
    #[must_use]
    pub fn amounts(&self, tickets: &[TicketTypeId]) -> BTreeMap<String, u32> {
        let uses = self.uses.iter().map(|key| (key.clone(), 1));
        self.places(tickets).into_iter().chain(uses).collect()
    }

    /// By how much each count falls when tickets of these types are refunded. A use of the code stays counted.
    #[must_use]
    pub fn places(&self, tickets: &[TicketTypeId]) -> BTreeMap<String, u32> {
        let mut amounts = BTreeMap::new();
        for buyer in &self.buyers {
            for ticket_type in tickets {
                *amounts.entry(places_key(buyer)).or_insert(0) += 1;
                if self.ticket_types.contains(ticket_type) {
                    *amounts.entry(places_of_type_key(buyer, *ticket_type)).or_insert(0) += 1;
                }
            }
        }
        amounts
    }
}

fn places_key(buyer: &str) -> String {
    format!("places:{buyer}")
}

fn places_of_type_key(buyer: &str, ticket_type: TicketTypeId) -> String {
    format!("places:{buyer}:{ticket_type}")
}

fn uses_key(rule: &PriceRule, buyer: Option<&str>) -> String {
    match buyer {
        Some(buyer) => format!("uses:{}:{buyer}", rule.id),
        None => format!("uses:{}", rule.id),
    }
}

pub(super) fn session_key(session: SessionId) -> String {
    session.to_string()
}

/// Addresses count as one if they are equal after normalization and in lower case ([`email::counting_key`]); `ann+1@…` is another than `ann@…`.
fn email_key(master: &MasterKey, email: &str) -> String {
    let folded = email::counting_key(email);
    URL_SAFE_NO_PAD.encode(master.derive("buyer counted by e-mail", &[folded.as_bytes()]))
}

/// The limits of a code, first over all buyers, then for each of `buyers`.
pub(super) fn code_limits(rule: &PriceRule, buyers: &[String]) -> Vec<CountLimit> {
    let of_all = rule.uses_max.map(|count_max| CountLimit {
        key: uses_key(rule, None),
        name: limits::CODE_USES,
        count_max,
        detail: "This code is used up.".to_owned(),
    });
    let of_buyers = buyers.iter().filter_map(|buyer| {
        rule.uses_per_buyer_max.map(|count_max| CountLimit {
            key: uses_key(rule, Some(buyer)),
            name: limits::CODE_USES_PER_BUYER,
            count_max,
            detail: format!("One buyer may use this code {count_max} times."),
        })
    });
    of_all.into_iter().chain(of_buyers).collect()
}

/// The counts that an order adds to, and the limits that apply to it.
#[must_use]
pub fn counted_for(
    master: &MasterKey,
    listing: &Listing,
    session: SessionId,
    email: &str,
    tickets: &[TicketTypeId],
    code: Option<&str>,
) -> (CountedFor, Vec<CountLimit>) {
    let buyers = vec![session_key(session), email_key(master, email)];
    let mut limits = Vec::new();
    let mut limit = |key, name, count_max, detail: String| limits.push(CountLimit { key, name, count_max, detail });
    let places_max = listing.event.limits.places_per_session;
    for buyer in &buyers {
        let detail = format!("At most {places_max} places of this event for one buyer, over all orders.");
        limit(places_key(buyer), limits::PLACES_PER_SESSION, places_max, detail);
    }
    let mut ticket_types = BTreeSet::new();
    for found in tickets.iter().filter_map(|id| listing.ticket_type(*id)) {
        let Some(tickets_max) = found.limits.max_per_buyer.filter(|_| ticket_types.insert(found.id)) else { continue };
        for buyer in &buyers {
            let detail = format!("At most {tickets_max} tickets `{}` for one buyer, over all orders.", found.name);
            limit(places_of_type_key(buyer, found.id), limits::TICKETS_PER_BUYER_MAX, tickets_max, detail);
        }
    }
    let mut uses = Vec::new();
    if let Some(rule) = code.and_then(|code| listing.price_rules.iter().find(|rule| rule.matches_code(code))) {
        uses.push(uses_key(rule, None));
        if rule.uses_per_buyer_max.is_some() {
            uses.extend(buyers.iter().map(|buyer| uses_key(rule, Some(buyer))));
        }
        limits.extend(code_limits(rule, &buyers));
    }
    (CountedFor { buyers, ticket_types, uses }, limits)
}
