//! Finds events by scanning all keys, for events that no list of [`super::active_events`] names.
//!
//! Never: on the path of a request; a worker scans at most once per [`DISCOVER_INTERVAL`].

use futures::{StreamExt as _, TryStreamExt as _, stream};
use redis::{Value, cmd};
use tokio::time::Instant;
use voelgoed_app::error::{Fault, StoreResult};
use voelgoed_app::ticketing::ports::{EventScope, InventoryError};

use super::RedisWarm;
use super::active_events::DISCOVER_INTERVAL;
use super::activity::Activity;
use super::{function_library, keys, reply, request};

/// Keys per `SCAN` command.
const SCANNED_PER_COMMAND: usize = 1000;
/// Events on which a worker frees holds, or checks for work, concurrently.
pub(super) const EVENTS_CONCURRENT_MAX: usize = 16;

impl RedisWarm {
    /// Every event with a loaded or formerly loaded state.
    pub(super) async fn scan(&self) -> StoreResult<Vec<EventScope>> {
        let mut found = vec![];
        for server in self.router.masters().await {
            let mut cursor = b"0".to_vec();
            loop {
                let mut step = cmd("SCAN");
                step.arg(&cursor).arg("MATCH").arg(format!("{}:{{*}}:meta", self.settings.prefix));
                step.arg("COUNT").arg(SCANNED_PER_COMMAND);
                let (next, keys) = read_page(server.send_command(&step).await?)?;
                found.extend(keys.iter().filter_map(|key| keys::scope_of(&self.settings.prefix, key, "meta")));
                cursor = next;
                if cursor == b"0" {
                    break;
                }
            }
        }
        found.sort_unstable();
        found.dedup();
        Ok(found)
    }

    /// Lists events that have work for a worker but are on no list.
    pub(super) async fn discover(&self) -> StoreResult<()> {
        let mut discovered_at = self.discovered_at.lock().await;
        if discovered_at.is_some_and(|at| at.elapsed() < DISCOVER_INTERVAL) {
            return Ok(());
        }
        let checks = stream::iter(self.scan().await?).map(|scope| async move {
            let found = match self.run(scope, &function_library::FREE_EXPIRED_HOLDS, vec![request::number(0)]).await {
                Ok(value) => reply::remaining_work(value)?,
                // No work: a request that needs the event rebuilds it.
                Err(InventoryError::Unloaded | InventoryError::Refused(_)) => return Ok(()),
                Err(InventoryError::Fault(fault)) => return Err(fault),
            };
            for (activity, left) in
                [(Activity::Holds, found.holds), (Activity::Scans, found.scans), (Activity::Counts, found.counts)]
            {
                if left > 0 {
                    self.list_active(activity, scope, false).await;
                }
            }
            Ok(())
        });
        checks.buffer_unordered(EVENTS_CONCURRENT_MAX).try_collect::<()>().await?;
        *discovered_at = Some(Instant::now());
        Ok(())
    }
}

fn read_page(answer: Value) -> StoreResult<(Vec<u8>, Vec<Vec<u8>>)> {
    if let Value::Array(parts) = answer
        && let Ok([Value::BulkString(cursor), Value::Array(keys)]) = <[Value; 2]>::try_from(parts)
    {
        let text = |key| if let Value::BulkString(key) = key { Some(key) } else { None };
        return Ok((cursor, keys.into_iter().filter_map(text).collect()));
    }
    Err(Fault::internal("SCAN returned an unexpected shape"))
}
