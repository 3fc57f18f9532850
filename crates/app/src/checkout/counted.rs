//! What an order counts for, beyond its own life: its buyer, by session and by e-mail address, its promo code, and its client address while it is unpaid.
//!
//! Cold counts buyers and codes in rows that the order's own transaction writes, so that no race of orders passes their limits. The unpaid places of a client
//! address are read from its orders: transactions that run at the same time on Postgres do not see each other's orders, so together they may pass that
//! limit. An order that ends unpaid, and a ticket that is given back, count no more. Never: an e-mail or a client address in a key; a digest under the server's secret stands for it.
//! To add a limit: its key in [`CountedFor::amounts`], its line in [`counted_for`], and its case in the contract suite of orders.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use voelgoed_domain::accounts::identity;
use voelgoed_domain::catalog::listing::Listing;
use voelgoed_domain::catalog::price_rule::PriceRule;
use voelgoed_domain::ids::{SessionId, TicketTypeId};
use voelgoed_domain::refusal::Refusal;
use voelgoed_domain::ticketing::limits;

use crate::error::Result;
use crate::platform::Platform;
use crate::ticketing::ports::EventScope;

/// What an order counts for, as it is stored with the order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CountedFor {
    /// The session and the e-mail address.
    pub buyers: Vec<String>,
    /// Its ticket types that have a limit per buyer.
    pub ticket_types: BTreeSet<TicketTypeId>,
    /// The code and, where it has a limit per buyer, the code by each buyer.
    pub uses: Vec<String>,
}

/// The most that a count may reach.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CountLimit {
    /// Which count.
    pub counted: String,
    /// The limit's stable name.
    pub name: &'static str,
    /// The most.
    pub most: u32,
    /// For a person.
    pub detail: String,
}

impl CountLimit {
    /// `limit_reached` with this limit.
    #[must_use]
    pub fn refusal(&self) -> Refusal {
        Refusal::limit(self.name, u64::from(self.most), self.detail.clone())
    }
}

/// The most places that one client address may have in orders of an event that wait for their payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnpaidLimit {
    /// A digest of the address.
    pub address: String,
    /// The most.
    pub most: u32,
}

impl UnpaidLimit {
    /// The limit of an address in an event of so many places: as many as it may hold.
    #[must_use]
    pub fn of(platform: &Platform, address: IpAddr, places: u32) -> Self {
        let address = platform.master.derive("client address of an order", &[address.to_string().as_bytes()]);
        Self { address: URL_SAFE_NO_PAD.encode(address), most: platform.places_per_address.of(places) }
    }

    /// `limit_reached` with this limit.
    #[must_use]
    pub fn refusal(&self) -> Refusal {
        let detail = "Too many places wait for their payment from this network. Pay for them, or try again later.";
        Refusal::limit(limits::PLACES_PER_ADDRESS, u64::from(self.most), detail.to_owned())
    }
}

impl CountedFor {
    /// By how much each count rises for an order of tickets of these types.
    #[must_use]
    pub fn amounts(&self, tickets: &[TicketTypeId]) -> BTreeMap<String, u32> {
        let uses = self.uses.iter().map(|counted| (counted.clone(), 1));
        self.places(tickets).into_iter().chain(uses).collect()
    }

    /// The same without the code: what falls where tickets of these types are given back.
    #[must_use]
    pub fn places(&self, tickets: &[TicketTypeId]) -> BTreeMap<String, u32> {
        let mut amounts = BTreeMap::new();
        for buyer in &self.buyers {
            for ticket_type in tickets {
                *amounts.entry(places_of(buyer)).or_insert(0) += 1;
                if self.ticket_types.contains(ticket_type) {
                    *amounts.entry(places_of_type(buyer, *ticket_type)).or_insert(0) += 1;
                }
            }
        }
        amounts
    }
}

fn places_of(buyer: &str) -> String {
    format!("places:{buyer}")
}

fn places_of_type(buyer: &str, ticket_type: TicketTypeId) -> String {
    format!("places:{buyer}:{ticket_type}")
}

fn uses_of(rule: &PriceRule, buyer: Option<&str>) -> String {
    match buyer {
        Some(buyer) => format!("uses:{}:{buyer}", rule.id),
        None => format!("uses:{}", rule.id),
    }
}

fn by_session(session: SessionId) -> String {
    session.to_string()
}

/// Addresses count as one where they are equal after normalization and in lower case ([`identity::email_key`]); `ann+1@…` is another than `ann@…`.
fn by_email(platform: &Platform, email: &str) -> String {
    let folded = identity::email_key(email);
    URL_SAFE_NO_PAD.encode(platform.master.derive("buyer counted by e-mail", &[folded.as_bytes()]))
}

/// What an order counts for, and the limits that apply to it.
#[must_use]
pub fn counted_for(
    platform: &Platform,
    listing: &Listing,
    session: SessionId,
    email: &str,
    tickets: &[TicketTypeId],
    code: Option<&str>,
) -> (CountedFor, Vec<CountLimit>) {
    let buyers = vec![by_session(session), by_email(platform, email)];
    let mut limits = Vec::new();
    let mut limit = |counted, name, most, detail: String| limits.push(CountLimit { counted, name, most, detail });
    let most = listing.event.limits.places_per_session;
    for buyer in &buyers {
        let detail = format!("At most {most} places of this event for one buyer, over all orders.");
        limit(places_of(buyer), limits::PLACES_PER_SESSION, most, detail);
    }
    let mut ticket_types = BTreeSet::new();
    for found in tickets.iter().filter_map(|id| listing.ticket_type(*id)) {
        let Some(most) = found.limits.max_per_buyer.filter(|_| ticket_types.insert(found.id)) else { continue };
        for buyer in &buyers {
            let detail = format!("At most {most} tickets `{}` for one buyer, over all orders.", found.name);
            limit(places_of_type(buyer, found.id), limits::MAX_PER_BUYER, most, detail);
        }
    }
    let mut uses = Vec::new();
    if let Some(rule) = code.and_then(|code| listing.price_rules.iter().find(|rule| rule.has_code(code))) {
        uses.push(uses_of(rule, None));
        if let Some(most) = rule.uses_max {
            limit(uses_of(rule, None), limits::CODE_USES, most, USED_UP.to_owned());
        }
        for buyer in buyers.iter().filter(|_| rule.uses_per_buyer_max.is_some()) {
            uses.push(uses_of(rule, Some(buyer)));
        }
        for (buyer, most) in buyers.iter().filter_map(|buyer| rule.uses_per_buyer_max.map(|most| (buyer, most))) {
            let detail = format!("One buyer may use this code {most} times.");
            limit(uses_of(rule, Some(buyer)), limits::CODE_USES_PER_BUYER, most, detail);
        }
    }
    (CountedFor { buyers, ticket_types, uses }, limits)
}

const USED_UP: &str = "This code is used up.";

/// Whether a session may use a code once more, as far as cold knows now; the order's commit decides.
///
/// # Errors
/// `limit_reached`.
pub async fn check_uses(
    platform: &Platform,
    scope: EventScope,
    listing: &Listing,
    session: SessionId,
    code: Option<&str>,
) -> Result<()> {
    let rule = code.and_then(|code| listing.price_rules.iter().find(|rule| rule.has_code(code)));
    let Some(rule) = rule else { return Ok(()) };
    let buyer = by_session(session);
    let of_all = rule.uses_max.map(|most| (uses_of(rule, None), limits::CODE_USES, most, USED_UP.to_owned()));
    let of_buyer = rule.uses_per_buyer_max.map(|most| {
        let detail = format!("One buyer may use this code {most} times.");
        (uses_of(rule, Some(&buyer)), limits::CODE_USES_PER_BUYER, most, detail)
    });
    let limits: Vec<CountLimit> = of_all
        .into_iter()
        .chain(of_buyer)
        .map(|(counted, name, most, detail)| CountLimit { counted, name, most, detail })
        .collect();
    if limits.is_empty() {
        return Ok(());
    }
    let keys = limits.iter().map(|limit| limit.counted.clone()).collect();
    // Where cold does not answer now, holds go on and the order's commit decides.
    let Ok(counts) = platform.orders.counts(scope.organization, scope.event, keys).await else { return Ok(()) };
    let reached = |limit: &&CountLimit| counts.get(&limit.counted).is_some_and(|count| *count >= u64::from(limit.most));
    match limits.iter().find(reached) {
        Some(limit) => Err(limit.refusal().into()),
        None => Ok(()),
    }
}
