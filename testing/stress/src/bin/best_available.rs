//! Best available seats in the whole stadium of 60,000 at 95 % sold, by the size of the party.
//!
//! Sold in adjacent blocks of one to four at random, as people buy. After each choice its seats are sold and as many others come free, so that no two
//! choices are of the same view. The product asks per area; the whole plan at once is the harder case.

use std::time::Instant;

use clap::Parser;
use rand::{RngExt, SeedableRng, rngs::StdRng};
use uuid::Uuid;
use voelgoed_domain::catalog::demo_plans;
use voelgoed_domain::catalog::layout::Layout;
use voelgoed_domain::ids::AreaId;
use voelgoed_domain::ticketing::best_available::{Closeness, PackedStates, Party, SeatingPlan};
use voelgoed_stress::latency::Latencies;
use voelgoed_stress::measure::Measures;
use voelgoed_stress::options::Options;

const PARTIES: [u32; 7] = [1, 2, 3, 4, 6, 8, 10];
const CHOICES: usize = 2_000;
const SOLD_OF_100: usize = 95;
const SOLD: u8 = 2;

/// Two bits per place, as availability is sent.
struct Hall {
    packed: Vec<u8>,
    seats: usize,
    sold: usize,
}

impl Hall {
    fn set(&mut self, place: usize, state: u8) {
        let shift = 2 * (place % 4);
        let byte = &mut self.packed[place / 4];
        let was = *byte >> shift & 3;
        *byte = *byte & !(3 << shift) | state << shift;
        self.sold = self.sold + usize::from(state != 0) - usize::from(was != 0);
    }

    /// Blocks of one to four change their state at random until the hall is as full as it should be.
    fn settle(&mut self, random: &mut StdRng) {
        let wanted = self.seats * SOLD_OF_100 / 100;
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
    let options = Options::parse();
    let mut count = 0;
    let new_id = || {
        count += 1;
        AreaId::from_uuid(Uuid::from_u128(count))
    };
    let Ok(layout) = Layout::build(demo_plans::stadium(new_id)) else { anyhow::bail!("the stadium is no layout") };
    let areas: Vec<_> = layout.areas.iter().filter(|area| area.is_seated()).collect();
    let plan = SeatingPlan::new(&areas, layout.focus());
    let seats = plan.seat_count();
    println!("{seats} seats");
    let mut random = StdRng::seed_from_u64(95);
    let mut hall = Hall { packed: vec![0; seats.div_ceil(4)], seats, sold: 0 };
    hall.settle(&mut random);
    let mut measures = Measures::default();
    let mut together = 0;
    for _ in 0..options.rounds {
        for quantity in PARTIES {
            let mut latencies = Latencies::default();
            for _ in 0..options.scaled(CHOICES) {
                let (view, party) = (PackedStates(&hall.packed), Party::of(quantity));
                let start = Instant::now();
                let choice = plan.choose(&view, &party);
                latencies.record(start.elapsed());
                let Some(choice) = choice else { anyhow::bail!("no seats for {quantity}") };
                together += usize::from(choice.closeness == Closeness::Together);
                choice.places.iter().for_each(|place| hall.set(place.index(), SOLD));
                hall.settle(&mut random);
            }
            measures.add(format!("party of {quantity}, p50"), "µs", latencies.micros(50.0));
            measures.add(format!("party of {quantity}, p99"), "µs", latencies.micros(99.0));
        }
    }
    println!("{together} of {} choices were together", options.rounds * PARTIES.len() * options.scaled(CHOICES));
    measures.print();
    Ok(())
}
