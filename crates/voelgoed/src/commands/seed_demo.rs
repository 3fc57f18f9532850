//! Creates the demo: an organization with three published events of realistic size, a gate and a paired device.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use voelgoed_app::environment::new_id;
use voelgoed_app::slices::Slices;
use voelgoed_app::ticketing::ports::EventScope;
use voelgoed_domain::accounts::scope::Scope;
use voelgoed_domain::catalog::admission_window::AdmissionTimes;
use voelgoed_domain::catalog::demo_plans;
use voelgoed_domain::catalog::event::{EventDraft, EventLimits, EventTransition, FeePolicy, SaleWindow, TaxPolicy};
use voelgoed_domain::catalog::layout::AreaDraft;
use voelgoed_domain::catalog::price_rule::{PriceEffect, PriceRuleDraft};
use voelgoed_domain::catalog::ticket_type::{PriceOverride, TicketTypeDraft, TicketTypeLimits};
use voelgoed_domain::ids::{EventId, GateId, OrganizationId};
use voelgoed_domain::money::{Currency, Money};
use voelgoed_domain::scanning::entry::EntryRule;
use voelgoed_domain::time::Timestamp;

use super::command_results::{created_value, into_anyhow};
use super::progress::progress;

/// The keys and events of a demo, stored in `demo.json`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Seeded {
    /// `org_…`
    pub organization: OrganizationId,
    /// `vgk_…`
    pub api_key: String,
    /// `vgd_…`
    pub device_key: String,
    /// A gate of the first event.
    pub gate: GateId,
    /// The concert, the festival, the match.
    pub events: Vec<SeededEvent>,
}

/// An event of the demo.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SeededEvent {
    /// `evt_…`
    pub id: EventId,
    /// The event's name.
    pub name: String,
}

/// The description of one event.
struct DemoEvent {
    name: &'static str,
    venue: &'static str,
    address: &'static str,
    days_ahead: u64,
    fees: FeePolicy,
    tax: TaxPolicy,
    plan: Vec<AreaDraft>,
    ticket_types: Vec<DemoTicketType>,
}

/// A ticket type with its prices by category, in minor units.
struct DemoTicketType {
    name: &'static str,
    price: i64,
    by_category: &'static [(&'static str, i64)],
}

const DAY: Duration = Duration::from_secs(24 * 3600);

/// Creates everything.
pub async fn seed(slices: &Slices) -> anyhow::Result<Seeded> {
    let bar = progress("making the demo");
    let created =
        created_value(slices.accounts.create_organization("Voelgoed Demo", "demo", None).await.map_err(into_anyhow)?)?;
    let (organization, key) = (created.organization.id, created.first_key);
    let mut events = Vec::new();
    for show in demo_events(slices) {
        bar.set_message(show.name);
        let name = show.name.to_owned();
        let id = create_and_publish(slices, organization, show).await?;
        events.push(SeededEvent { id, name });
    }
    let scope = EventScope { organization, event: events[0].id };
    let gate = created_value(
        slices.scanning.create_gate(scope, "Main entrance", Vec::new(), None).await.map_err(into_anyhow)?,
    )?;
    let device = created_value(
        slices
            .scanning
            .create_device(scope, Scope::ALL, "Demo scanner", vec![gate.id], None)
            .await
            .map_err(into_anyhow)?,
    )?;
    let paired = slices.scanning.pair_device(&device.pairing_code, None).await.map_err(into_anyhow)?;
    bar.finish_and_clear();
    Ok(Seeded { organization, api_key: key.secret, device_key: paired.key, gate: gate.id, events })
}

fn demo_events(slices: &Slices) -> [DemoEvent; 3] {
    let mut id = || new_id(&*slices.context.environment);
    [
        DemoEvent {
            name: "Mahler: Symphony No. 2",
            venue: "Concert Hall",
            address: "1 Church Square, Pretoria",
            // Tickets admit from a day before the start, so the gate admits today.
            days_ahead: DAYS_AHEAD[0],
            fees: FeePolicy { per_ticket: 1_000, basis_points: 250 },
            tax: TaxPolicy { basis_points: 1_500, included: true },
            plan: demo_plans::concert_hall(&mut id),
            ticket_types: vec![
                DemoTicketType { name: "Full price", price: 45_000, by_category: CONCERT_FULL },
                DemoTicketType { name: "Student", price: 22_500, by_category: CONCERT_STUDENT },
            ],
        },
        DemoEvent {
            name: "Highveld Festival",
            venue: "Showgrounds",
            address: "Nasrec Road, Johannesburg",
            days_ahead: DAYS_AHEAD[1],
            fees: FeePolicy { per_ticket: 1_500, basis_points: 0 },
            tax: TaxPolicy { basis_points: 1_500, included: true },
            plan: demo_plans::festival(&mut id),
            ticket_types: vec![DemoTicketType { name: "Festival pass", price: 65_000, by_category: FESTIVAL }],
        },
        DemoEvent {
            name: "Cup Final",
            venue: "National Stadium",
            address: "Soccer City Avenue, Johannesburg",
            days_ahead: DAYS_AHEAD[2],
            fees: FeePolicy { per_ticket: 500, basis_points: 500 },
            tax: TaxPolicy { basis_points: 1_500, included: false },
            plan: demo_plans::stadium(&mut id),
            ticket_types: vec![DemoTicketType { name: "Match ticket", price: 18_000, by_category: MATCH }],
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

async fn create_and_publish(slices: &Slices, organization: OrganizationId, show: DemoEvent) -> anyhow::Result<EventId> {
    let now = slices.context.now();
    let venue = created_value(
        slices.catalog.create_venue(organization, show.venue, show.address, None).await.map_err(into_anyhow)?,
    )?;
    let layout = created_value(
        slices.catalog.create_layout(organization, venue.id, show.plan, None).await.map_err(into_anyhow)?,
    )?;
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
    let event = created_value(slices.catalog.create_event(organization, draft, None).await.map_err(into_anyhow)?)?.id;
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
        created_value(slices.catalog.create_ticket_type(scope, draft, None).await.map_err(into_anyhow)?)?;
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
    created_value(slices.catalog.create_price_rule(scope, friends, None).await.map_err(into_anyhow)?)?;
    slices.catalog.transition_event(scope, EventTransition::Publish).await.map_err(into_anyhow)?;
    Ok(event)
}

/// Days until the start of each event.
pub const DAYS_AHEAD: [u64; 3] = [0, 30, 60];

/// The start of an event, on the hour: `days_ahead` and 20 hours from now, so that the first event is always ahead.
pub fn start(now: Timestamp, days_ahead: u64) -> Timestamp {
    let hour = 3_600_000_000;
    let late = now.plus(DAY * u32::try_from(days_ahead).unwrap_or(0)).plus(Duration::from_secs(20 * 3600));
    Timestamp::from_micros(late.micros() / hour * hour)
}
