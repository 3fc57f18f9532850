//! What is sold for which area and category, at what price now: `domain`'s pricing, tabulated for the page and its scripts.
//!
//! Never a promise: the hold fixes the price, after codes; this is what it will be without one.

use serde::Serialize;
use voelgoed_domain::catalog::layout::Area;
use voelgoed_domain::catalog::listing::Listing;
use voelgoed_domain::catalog::ticket_type::TicketType;
use voelgoed_domain::money::Money;
use voelgoed_domain::ticketing::quote::{UnitPrice, unit_price};
use voelgoed_domain::time::Timestamp;

/// One ticket type for one area and category. Indices, since scripts read thousands of seats by them.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Offer {
    /// Which of the listing's ticket types.
    pub ticket_type: usize,
    /// Which of the layout's areas.
    pub area: usize,
    /// Which of the layout's categories.
    pub category: usize,
    /// The ticket's price, in minor units.
    pub price: i64,
    /// The fee on it.
    pub fee: i64,
    /// What the buyer pays for one: price, fee, and tax where it is on top.
    pub pays: i64,
}

/// Everything on offer.
#[derive(Debug)]
pub struct Offers {
    /// The layout's categories, in the order of their first place.
    pub categories: Vec<String>,
    /// The offers, by area, then category, then ticket type.
    pub all: Vec<Offer>,
    currency: voelgoed_domain::money::Currency,
}

impl Offers {
    /// What `listing` offers at `now`.
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
                    .filter(|(_, found)| found.fits(area.id, category) && admits(found));
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

    /// The offers for an area, of one category where given.
    pub fn in_area(&self, area: usize, category: Option<usize>) -> impl Iterator<Item = &Offer> {
        self.all
            .iter()
            .filter(move |offer| offer.area == area && category.is_none_or(|wanted| offer.category == wanted))
    }

    /// The lowest amount that anybody pays for a place.
    pub fn lowest(&self) -> Option<Money> {
        self.all.iter().map(|offer| offer.pays).min().map(|amount| Money::new(amount, self.currency))
    }

    /// The lowest and highest of some offers.
    pub fn range<'a>(&self, offers: impl Iterator<Item = &'a Offer>) -> Option<(Money, Money)> {
        let amounts: Vec<_> = offers.map(|offer| offer.pays).collect();
        let money = |amount: &i64| Money::new(*amount, self.currency);
        Some((amounts.iter().min().map(money)?, amounts.iter().max().map(money)?))
    }
}

/// With the rules that hold by themselves; codes come with the hold.
fn price(listing: &Listing, ticket_type: usize, area: &Area, category: &str, now: Timestamp) -> UnitPrice {
    let found = &listing.ticket_types[ticket_type];
    let rules =
        listing.price_rules.iter().filter(|rule| rule.code.is_none() && rule.is_current(now) && rule.covers(found.id));
    unit_price(&listing.event, found.price_in(area.id, category).amount, |price| {
        rules.map(|rule| rule.effect.apply(price)).min().unwrap_or(price)
    })
}
