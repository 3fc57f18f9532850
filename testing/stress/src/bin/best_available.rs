//! Measures the choice of best available seats in a stadium of 60,000 seats at 95 % sold, by the size of the party.
//!
//! Seats are sold in random adjacent blocks of one to four, as people buy. After each choice its seats are sold and as many others are freed, so that no
//! two choices see the same map. The product chooses per area; the whole plan at once is the harder case.

use std::time::Instant;

use clap::Parser;
use rand::{RngExt, SeedableRng, rngs::StdRng};
use uuid::Uuid;
use voelgoed_domain::catalog::demo_plans;
use voelgoed_domain::catalog::layout::Layout;
use voelgoed_domain::ids::AreaId;
use voelgoed_domain::ticketing::best_available::{Closeness, PackedStates, Party, SeatingPlan};
use voelgoed_stress::latency::Latencies;
use voelgoed_stress::measures::Measures;
use voelgoed_stress::options::BenchOptions;

const PARTIES: [u32; 7] = [1, 2, 3, 4, 6, 8, 10];
const CHOICES_PER_PARTY: usize = 2_000;
const SOLD_PERCENT: usize = 95;
const SOLD: u8 = 2;

/// The state of every seat in two bits, as availability is sent.
struct PackedHall {
    packed: Vec<u8>,
    seats: usize,
    sold: usize,
}

impl PackedHall {
    fn set(&mut self, place: usize, state: u8) {
        let shift = 2 * (place % 4);
        let byte = &mut self.packed[place / 4];
        let was = *byte >> shift & 3;
        *byte = *byte & !(3 << shift) | state << shift;
        self.sold = self.sold + usize::from(state != 0) - usize::from(was != 0);
    }

    /// Sells or frees random blocks of one to four seats until the hall is [`SOLD_PERCENT`] sold.
    fn fill(&mut self, random: &mut StdRng) {
        let wanted = self.seats * SOLD_PERCENT / 100;
        while self.sold != wanted {
            let state = if self.sold < wanted { SOLD } else { 0 };
            let first = random.random_range(0..self.seats);
            for place in first..(first + random.random_range(1..=4)).min(self.seats) {
                if self.sold != wanted {
                    self.set(place, state);
                }
            }
        }
    }
}

fn main() -> anyhow::Result<()> {
    let options = BenchOptions::parse();
    let mut count = 0;
    let new_id = || {
        count += 1;
        AreaId::from_uuid(Uuid::from_u128(count))
    };
    let Ok(layout) = Layout::build(demo_plans::stadium(new_id)) else {
        anyhow::bail!("the stadium is not a valid layout")
    };
    let areas: Vec<_> = layout.areas.iter().filter(|area| area.is_seated()).collect();
    let plan = SeatingPlan::new(&areas, layout.focus());
    let seats = plan.seat_count();
    println!("{seats} seats");
    let mut random = StdRng::seed_from_u64(95);
    let mut hall = PackedHall { packed: vec![0; seats.div_ceil(4)], seats, sold: 0 };
    hall.fill(&mut random);
    let mut measures = Measures::default();
    let mut together = 0;
    for _ in 0..options.rounds {
        for quantity in PARTIES {
            let mut latencies = Latencies::default();
            for _ in 0..options.scaled(CHOICES_PER_PARTY) {
                let (view, party) = (PackedStates(&hall.packed), Party::of(quantity));
                let start = Instant::now();
                let choice = plan.choose(&view, &party);
                latencies.record(start.elapsed());
                let Some(choice) = choice else { anyhow::bail!("no seats for {quantity}") };
                together += usize::from(choice.closeness == Closeness::Together);
                choice.places.iter().for_each(|place| hall.set(place.index(), SOLD));
                hall.fill(&mut random);
            }
            measures.add(format!("party of {quantity}, p50"), "µs", latencies.micros(50.0));
            measures.add(format!("party of {quantity}, p99"), "µs", latencies.micros(99.0));
        }
    }
    println!(
        "in {together} of {} choices all seats were together",
        options.rounds * PARTIES.len() * options.scaled(CHOICES_PER_PARTY)
    );
    measures.print();
    Ok(())
}
