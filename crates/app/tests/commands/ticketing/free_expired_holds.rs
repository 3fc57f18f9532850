//! Frees all expired holds in one round, also when many expire at once, and leaves other holds.

use std::time::Duration;

use voelgoed_app::ticketing::free_expired_holds::free_all_expired_holds;
use voelgoed_testkit::platform::TestPlatform;

use crate::support::{field_area, hold_command, places_of_area, session};

/// Expired holds that one step frees.
const HOLDS_PER_STEP_MAX: usize = 100;

/// A platform on which so many holds expire at once, beside one that lasts longer.
async fn with_expired(holds: usize) -> TestPlatform {
    let shop = TestPlatform::builder().areas(vec![field_area(1, 400)]).open().await;
    let one = async || {
        let items = vec![places_of_area(&shop, 0, 1).await];
        shop.slices.ticketing.hold(hold_command(&shop, session(&shop), items)).await.unwrap()
    };
    for _ in 0..holds {
        one().await;
    }
    shop.environment.advance(Duration::from_secs(1));
    one().await;
    shop.environment.advance(Duration::from_secs(599));
    shop
}

#[tokio::test]
async fn one_round_frees_all_expired_holds_and_no_other() {
    for holds in [0, 1, HOLDS_PER_STEP_MAX - 1, HOLDS_PER_STEP_MAX, 2 * HOLDS_PER_STEP_MAX + 50] {
        let shop = with_expired(holds).await;
        let inventory = &*shop.slices.ticketing.inventory;
        assert_eq!(free_all_expired_holds(inventory).await.unwrap(), holds);
        assert_eq!(free_all_expired_holds(inventory).await.unwrap(), 0);
        let counts = inventory.snapshot(shop.scope).await.unwrap().counts;
        assert_eq!(counts.iter().map(|area| area.free).sum::<u32>(), 399, "one hold lives");
        shop.environment.advance(Duration::from_secs(1));
        assert_eq!(free_all_expired_holds(inventory).await.unwrap(), 1);
    }
}
