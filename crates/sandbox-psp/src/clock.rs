//! Reads the machine's time for the provider, which as a separate company takes no timestamp from the shop.

use std::time::{Duration, SystemTime};

use voelgoed_domain::time::Timestamp;

/// The current time.
#[expect(clippy::disallowed_methods, reason = "a process of its own has a clock of its own")]
pub fn now() -> Timestamp {
    let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Timestamp::default().plus(since_epoch)
}

/// The duration until `moment`; zero where it has passed.
pub fn until(moment: Timestamp) -> Duration {
    moment.since(now())
}
