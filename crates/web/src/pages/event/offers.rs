//! Tabulates the current prices of each ticket type by area and category, by the pricing of `domain`.
//!
//! Never: a promise; the hold fixes the price and applies a promo code.

use serde::Serialize;
use voelgoed_domain::catalog::layout::Area;
use voelgoed_domain::catalog::listing::Listing;
use voelgoed_domain::catalog::ticket_type::TicketType;
use voelgoed_domain::money::Money;
use voelgoed_domain::ticketing::quote::{UnitPrice, unit_price};
use voelgoed_domain::time::Timestamp;

/// The price of a ticket type in an area and category, as indices: scripts look thousands of seats up.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Offer {
    /// Index of the listing's ticket type.
    pub ticket_type: usize,
    /// Index of the layout's area.
    pub area: usize,
    /// Index in [`Offers::categories`].
    pub category: usize,
    /// The ticket's price, in minor units.
    pub price: i64,
    /// The fee on the ticket, in minor units.
    pub fee: i64,
    /// The buyer's payment for one ticket: price, fee, and tax unless the price includes it.
    pub pays: i64,
}

/// All offers of a listing.
#[derive(Debug)]
pub struct Offers {
    /// The layout's categories, in the order of their first place.
    pub categories: Vec<String>,
    /// The offers, by area, then category, then ticket type.
    pub all: Vec<Offer>,
    currency: voelgoed_domain::money::Currency,
}

impl Offers {
    /// The offers of `listing` at `now`.
    pub fn of(listing: &Listing, now: Timestamp) -> Self {
        let admissions = listing.admissions();
        let admits = |found: &TicketType| !admissions.window(Some(found.id)).is_over(now);
        let mut offers = Self { categories: Vec::new(), all: Vec::new(), currency: listing.event.currency };
        for (at, area) in listing.layout.areas.iter().enumerate() {
            for category in area.categories() {
                let category_at = offers.category(category);
                let fitting = listing
                    .ticket_types
                    .iter()
                    .enumerate()
                    .filter(|(_, found)| found.is_sold_in(area.id, category) && admits(found));
                for (ticket_type, _) in fitting {
                    let unit = price(listing, ticket_type, area, category, now);
                    let on_top = if listing.event.tax.included { 0 } else { unit.tax };
                    let pays = unit.price + unit.fee + on_top;
                    offers.all.push(Offer {
                        ticket_type,
                        area: at,
                        category: category_at,
                        price: unit.price,
                        fee: unit.fee,
                        pays,
                    });
                }
            }
        }
        offers
    }

    fn category(&mut self, name: &str) -> usize {
        if let Some(at) = self.categories.iter().position(|known| known == name) {
            return at;
        }
        self.categories.push(name.to_owned());
        self.categories.len() - 1
    }

    /// The offers for an area, or for one category of it.
    pub fn in_area(&self, area: usize, category: Option<usize>) -> impl Iterator<Item = &Offer> {
        self.all
            .iter()
            .filter(move |offer| offer.area == area && category.is_none_or(|wanted| offer.category == wanted))
    }

    /// The lowest payment for one place.
    pub fn lowest(&self) -> Option<Money> {
        self.all.iter().map(|offer| offer.pays).min().map(|amount| Money::new(amount, self.currency))
    }

    /// The lowest and the highest payment.
    pub fn range<'a>(&self, offers: impl Iterator<Item = &'a Offer>) -> Option<(Money, Money)> {
        let amounts: Vec<_> = offers.map(|offer| offer.pays).collect();
        let money = |amount: &i64| Money::new(*amount, self.currency);
        Some((amounts.iter().min().map(money)?, amounts.iter().max().map(money)?))
    }
}

/// Applies the price rules without a promo code.
fn price(listing: &Listing, ticket_type: usize, area: &Area, category: &str, now: Timestamp) -> UnitPrice {
    let found = &listing.ticket_types[ticket_type];
    let rules =
        listing.price_rules.iter().filter(|rule| rule.code.is_none() && rule.is_active(now) && rule.covers(found.id));
    unit_price(&listing.event, found.price_in(area.id, category).amount, |price| {
        rules.map(|rule| rule.effect.apply(price)).min().unwrap_or(price)
    })
}
