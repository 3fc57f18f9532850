//! Reads an event's map once it has not changed for a while, because the effects of orders may come last.

use std::time::Duration;

use anyhow::Context;
use voelgoed_testkit::seat_map::SeatMap;
use voelgoed_testkit::server::TestServer;

use crate::EFFECT_TIMEOUT;
use crate::tenant::TestTenant;

/// A map that does not change for this time has settled.
const SETTLED_INTERVAL: Duration = Duration::from_millis(1_500);

/// The settled map.
///
/// # Errors
/// Where the map still changes after [`EFFECT_TIMEOUT`], or cannot be read.
pub async fn read_settled_map(server: &TestServer, tenant: &TestTenant) -> anyhow::Result<SeatMap> {
    let path = format!("/api/v1/events/{}/availability", tenant.event);
    let reading = async {
        let mut before = SeatMap::default();
        loop {
            let now = SeatMap::from_availability(&server.get(&path, "").await?)?;
            if now == before {
                return anyhow::Ok(now);
            }
            before = now;
            tokio::time::sleep(SETTLED_INTERVAL).await;
        }
    };
    tokio::time::timeout(EFFECT_TIMEOUT, reading).await.context("the map settles")?
}
