//! What a demo sells: an organization with three published events of real proportions, a gate and a device.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use voelgoed_app::accounts::create_organization::create_organization;
use voelgoed_app::catalog::create_event::create_event;
use voelgoed_app::catalog::create_layout::create_layout;
use voelgoed_app::catalog::create_price_rule::create_price_rule;
use voelgoed_app::catalog::create_ticket_type::create_ticket_type;
use voelgoed_app::catalog::create_venue::create_venue;
use voelgoed_app::catalog::move_event::move_event;
use voelgoed_app::environment::fresh;
use voelgoed_app::platform::Platform;
use voelgoed_app::scanning::create_device::create_device;
use voelgoed_app::scanning::create_gate::create_gate;
use voelgoed_app::scanning::pair_device::pair_device;
use voelgoed_app::ticketing::ports::EventScope;
use voelgoed_domain::accounts::scope::Scope;
use voelgoed_domain::catalog::admission::AdmissionTimes;
use voelgoed_domain::catalog::demo_plans;
use voelgoed_domain::catalog::event::{EventAct, EventDraft, EventLimits, FeePolicy, SaleWindow, TaxPolicy};
use voelgoed_domain::catalog::layout::AreaDraft;
use voelgoed_domain::catalog::price_rule::{PriceEffect, PriceRuleDraft};
use voelgoed_domain::catalog::ticket_type::{PriceOverride, TicketTypeDraft, TicketTypeLimits};
use voelgoed_domain::ids::{EventId, GateId, OrganizationId};
use voelgoed_domain::money::{Currency, Money};
use voelgoed_domain::scanning::entry::EntryRule;
use voelgoed_domain::time::Timestamp;

use super::organizer::{made, refused};
use super::progress::progress;

/// What a demo printed at its first start, and prints again at later ones.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Seeded {
    /// `org_…`
    pub organization: OrganizationId,
    /// `vgk_…`
    pub api_key: String,
    /// `vgd_…`
    pub device_key: String,
    /// Of the first event.
    pub gate: GateId,
    /// The concert, the festival, the match.
    pub events: Vec<SeededEvent>,
}

/// An event of the demo.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SeededEvent {
    /// `evt_…`
    pub id: EventId,
    /// Its name.
    pub name: String,
}

/// One show of the demo: where, what, for how much.
struct Show {
    name: &'static str,
    venue: &'static str,
    address: &'static str,
    days_ahead: u64,
    fees: FeePolicy,
    tax: TaxPolicy,
    plan: Vec<AreaDraft>,
    ticket_types: Vec<Sold>,
}

/// A ticket type: name, price, prices by category, the categories it is limited to.
struct Sold {
    name: &'static str,
    price: i64,
    by_category: &'static [(&'static str, i64)],
}

const DAY: Duration = Duration::from_secs(24 * 3600);

/// Makes everything.
pub async fn seed(platform: &Platform) -> anyhow::Result<Seeded> {
    let bar = progress("making the demo");
    let made_now = made(create_organization(platform, "Voelgoed Demo", "demo", None).await.map_err(refused)?)?;
    let (organization, key) = (made_now.organization.id, made_now.first_key);
    let mut events = Vec::new();
    for show in shows(platform) {
        bar.set_message(show.name);
        let name = show.name.to_owned();
        let id = put_on(platform, organization, show).await?;
        events.push(SeededEvent { id, name });
    }
    let scope = EventScope { organization, event: events[0].id };
    let gate = made(create_gate(platform, scope, "Main entrance", Vec::new(), None).await.map_err(refused)?)?;
    let device =
        made(create_device(platform, scope, Scope::ALL, "Demo scanner", vec![gate.id], None).await.map_err(refused)?)?;
    let paired = pair_device(platform, &device.pairing_code, None).await.map_err(refused)?;
    bar.finish_and_clear();
    Ok(Seeded { organization, api_key: key.secret, device_key: paired.key, gate: gate.id, events })
}

fn shows(platform: &Platform) -> [Show; 3] {
    let mut id = || fresh(&*platform.environment);
    [
        Show {
            name: "Mahler: Symphony No. 2",
            venue: "Concert Hall",
            address: "1 Church Square, Pretoria",
            // Near enough that its gate admits today: tickets admit from a day before the beginning.
            days_ahead: DAYS_AHEAD[0],
            fees: FeePolicy { per_ticket: 1_000, basis_points: 250 },
            tax: TaxPolicy { basis_points: 1_500, included: true },
            plan: demo_plans::concert_hall(&mut id),
            ticket_types: vec![
                Sold { name: "Full price", price: 45_000, by_category: CONCERT_FULL },
                Sold { name: "Student", price: 22_500, by_category: CONCERT_STUDENT },
            ],
        },
        Show {
            name: "Highveld Festival",
            venue: "Showgrounds",
            address: "Nasrec Road, Johannesburg",
            days_ahead: DAYS_AHEAD[1],
            fees: FeePolicy { per_ticket: 1_500, basis_points: 0 },
            tax: TaxPolicy { basis_points: 1_500, included: true },
            plan: demo_plans::festival(&mut id),
            ticket_types: vec![Sold { name: "Festival pass", price: 65_000, by_category: FESTIVAL }],
        },
        Show {
            name: "Cup Final",
            venue: "National Stadium",
            address: "Soccer City Avenue, Johannesburg",
            days_ahead: DAYS_AHEAD[2],
            fees: FeePolicy { per_ticket: 500, basis_points: 500 },
            tax: TaxPolicy { basis_points: 1_500, included: false },
            plan: demo_plans::stadium(&mut id),
            ticket_types: vec![Sold { name: "Match ticket", price: 18_000, by_category: MATCH }],
        },
    ]
}

const CONCERT_FULL: &[(&str, i64)] = &[
    ("Premium", 95_000),
    ("Category 1", 65_000),
    ("Category 2", 45_000),
    ("Category 3", 28_000),
    ("Restricted view", 18_000),
];
const CONCERT_STUDENT: &[(&str, i64)] = &[
    ("Premium", 70_000),
    ("Category 1", 32_500),
    ("Category 2", 22_500),
    ("Category 3", 14_000),
    ("Restricted view", 9_000),
];
const FESTIVAL: &[(&str, i64)] =
    &[("Front stage", 95_000), ("VIP terrace", 240_000), ("Camping", 40_000), ("Camper vans", 120_000)];
const MATCH: &[(&str, i64)] =
    &[("Club", 150_000), ("Category 1", 90_000), ("Category 2", 55_000), ("Home end", 35_000), ("Category 3", 30_000)];

async fn put_on(platform: &Platform, organization: OrganizationId, show: Show) -> anyhow::Result<EventId> {
    let now = platform.environment.now();
    let venue = made(create_venue(platform, organization, show.venue, show.address, None).await.map_err(refused)?)?;
    let layout = made(create_layout(platform, organization, venue.id, show.plan, None).await.map_err(refused)?)?;
    let starts_at = start(now, show.days_ahead);
    let draft = EventDraft {
        entry_rule: EntryRule::Single,
        name: show.name.to_owned(),
        layout: layout.id,
        starts_at,
        admission: AdmissionTimes::default(),
        timezone: "Africa/Johannesburg".to_owned(),
        sale: SaleWindow { opens_at: now, closes_at: starts_at },
        currency: Currency::ZAR,
        fees: show.fees,
        tax: show.tax,
        limits: EventLimits::default(),
    };
    let event = made(create_event(platform, organization, draft, None).await.map_err(refused)?)?.id;
    let scope = EventScope { organization, event };
    for sold in show.ticket_types {
        let prices = sold.by_category.iter();
        let draft = TicketTypeDraft {
            name: sold.name.to_owned(),
            price: Money::new(sold.price, Currency::ZAR),
            areas: Vec::new(),
            categories: Vec::new(),
            prices: prices
                .map(|(category, amount)| PriceOverride {
                    area: None,
                    category: Some((*category).to_owned()),
                    amount: *amount,
                })
                .collect(),
            limits: TicketTypeLimits::default(),
            admission: AdmissionTimes::default(),
        };
        made(create_ticket_type(platform, scope, draft, None).await.map_err(refused)?)?;
    }
    let friends = PriceRuleDraft {
        code: Some("FRIENDS".to_owned()),
        ticket_types: Vec::new(),
        effect: PriceEffect::BasisPointsOff(1_000),
        starts_at: None,
        ends_at: None,
        uses_max: None,
        uses_per_buyer_max: None,
    };
    made(create_price_rule(platform, scope, friends, None).await.map_err(refused)?)?;
    move_event(platform, scope, EventAct::Publish).await.map_err(refused)?;
    Ok(event)
}

/// How many days ahead each show is.
pub const DAYS_AHEAD: [u64; 3] = [0, 30, 60];

/// So many days ahead, and most of a day more, on the hour: the first show is always yet to begin.
pub fn start(now: Timestamp, days_ahead: u64) -> Timestamp {
    let hour = 3_600_000_000;
    let late = now.plus(DAY * u32::try_from(days_ahead).unwrap_or(0)).plus(Duration::from_secs(20 * 3600));
    Timestamp::from_micros(late.micros() / hour * hour)
}
