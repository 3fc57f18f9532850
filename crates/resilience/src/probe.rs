//! Asks a dependency that is away whether it is back, so that nobody's request has to find out.
//!
//! Never: a verdict of its own. It asks through the guard, whose breaker lets one probe pass at a time and reports what came of it (P9, P10).

use std::future::Future;
use std::time::Duration;

use crate::health::{Capabilities, Dependency, Health};

/// Between two looks.
pub const EVERY: Duration = Duration::from_millis(500);

/// Asks as long as the dependency is not up, without end; its owner runs and stops it.
pub async fn watch<F: Future>(capabilities: Capabilities, dependency: Dependency, mut ask: impl FnMut() -> F) {
    loop {
        tokio::time::sleep(EVERY).await;
        if capabilities.health(dependency) != Health::Up {
            ask().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn it_asks_only_while_the_dependency_is_away() {
        let (capabilities, asked) = (Capabilities::new(), AtomicUsize::new(0));
        let ask = || async {
            if asked.fetch_add(1, Ordering::Relaxed) == 2 {
                capabilities.report(Dependency::Warm, Health::Up);
            }
        };
        let watched = watch(capabilities.clone(), Dependency::Warm, ask);
        let story = async {
            tokio::time::advance(EVERY * 10).await;
            assert_eq!(asked.load(Ordering::Relaxed), 0, "up");
            capabilities.report(Dependency::Warm, Health::Down);
            tokio::time::sleep(EVERY * 20).await;
            assert_eq!(asked.load(Ordering::Relaxed), 3, "until it is back, and no more");
        };
        tokio::select! {
            () = watched => {}
            () = story => {}
        }
    }
}
