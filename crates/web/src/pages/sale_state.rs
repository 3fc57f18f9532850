//! Words the state of an event's sale for buyers: on sale, opening, paused, sold out or closed.
//!
//! Never: a decision; the domain decides whether an event is on sale.

use voelgoed_domain::catalog::event::{Event, EventState};
use voelgoed_domain::catalog::listing::Listing;
use voelgoed_domain::time::Timestamp;

use super::formatting::Moment;

/// The state of a sale for a buyer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SaleState {
    /// A few words.
    pub words: String,
    /// The meaning and the next change; empty while places are on sale.
    pub detail: String,
    /// The end of a CSS class: `on`, `soon`, `out` or `over`.
    pub kind: &'static str,
}

impl SaleState {
    /// The state of an event at `now`; `sold_out` is true only if it is known.
    pub fn of(event: &Event, now: Timestamp, sold_out: bool) -> Self {
        let state = |words: &str, detail: &str, kind| Self { words: words.to_owned(), detail: detail.to_owned(), kind };
        let refusal = match event.check_on_sale(now) {
            Ok(()) if sold_out => {
                let detail = "Every place is held or sold. Places come back when somebody lets go of theirs, so look again in a few minutes.";
                return state("Sold out", detail, "out");
            }
            Ok(()) => return state("On sale", "", "on"),
            Err(refusal) => refusal,
        };
        if let Some(opens_at) = refusal.evidence.opens_at {
            let opens = Moment::new(opens_at, &event.timezone);
            let detail = format!("The sale opens on {}, {} {}.", opens.date(), opens.clock(), opens.zone());
            return Self { words: format!("Opens {}", opens.short()), detail, kind: "soon" };
        }
        if event.state == EventState::Paused && !event.is_sale_over(now) {
            let detail = "The organizer has paused the sale. Look again later; what is reserved for you stays yours until its time is over.";
            return state("Sale paused", detail, "soon");
        }
        let closed = Moment::new(event.sale.closes_at, &event.timezone);
        let detail = match event.sale.closes_at <= now {
            true => format!("The sale closed on {}, {} {}.", closed.date(), closed.clock(), closed.zone()),
            false => "No more tickets are sold for this event.".to_owned(),
        };
        Self { words: "Sale closed".to_owned(), detail, kind: "over" }
    }

    /// The state of a listing: closed as soon as no ticket type admits any more.
    pub fn of_listing(listing: &Listing, now: Timestamp, sold_out: bool) -> Self {
        match listing.check_any_type_still_admits(now) {
            Ok(()) => Self::of(&listing.event, now, sold_out),
            Err(_) if listing.event.state == EventState::Draft => Self::of(&listing.event, now, sold_out),
            Err(_) => Self {
                words: "Sale closed".to_owned(),
                detail: "Tickets of this event no longer admit, so none are sold.".to_owned(),
                kind: "over",
            },
        }
    }

    /// True while places can be held.
    pub fn can_choose(&self) -> bool {
        self.kind == "on"
    }
}
