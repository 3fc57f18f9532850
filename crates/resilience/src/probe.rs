//! Probes an unavailable dependency until it is up, so that its recovery does not depend on a request.
//!
//! Never: an own judgement of health. The probe goes through the guard, whose breaker admits one probe at a time and reports the result (P9, P10).

use std::future::Future;
use std::time::Duration;

use crate::health::{Capabilities, Dependency, DependencyHealth};

/// The pause between two probes.
pub const PROBE_INTERVAL: Duration = Duration::from_millis(500);

/// Calls `probe` once per [`PROBE_INTERVAL`] while the dependency is not up; never returns, so its owner runs and stops it.
pub async fn probe_while_down<F: Future>(
    capabilities: Capabilities,
    dependency: Dependency,
    mut probe: impl FnMut() -> F,
) {
    loop {
        tokio::time::sleep(PROBE_INTERVAL).await;
        if capabilities.health(dependency) != DependencyHealth::Up {
            probe().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn dependency_is_probed_only_while_it_is_down() {
        let (capabilities, probes) = (Capabilities::new(), AtomicUsize::new(0));
        let probe = || async {
            if probes.fetch_add(1, Ordering::Relaxed) == 2 {
                capabilities.report(Dependency::Warm, DependencyHealth::Up);
            }
        };
        let probing = probe_while_down(capabilities.clone(), Dependency::Warm, probe);
        let outage = async {
            tokio::time::advance(PROBE_INTERVAL * 10).await;
            assert_eq!(probes.load(Ordering::Relaxed), 0, "up");
            capabilities.report(Dependency::Warm, DependencyHealth::Down);
            tokio::time::sleep(PROBE_INTERVAL * 20).await;
            assert_eq!(probes.load(Ordering::Relaxed), 3, "probed until it is up, and no longer");
        };
        tokio::select! {
            () = probing => {}
            () = outage => {}
        }
    }
}
