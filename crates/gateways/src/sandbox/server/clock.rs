//! The provider's own clock: it is another company's machine, so it takes no moment from the shop.
//!
//! The one place here that reads the machine's time.

use std::time::{Duration, SystemTime};

use voelgoed_domain::time::Timestamp;

/// The present moment.
#[expect(clippy::disallowed_methods, reason = "a process of its own has a clock of its own")]
pub fn now() -> Timestamp {
    let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Timestamp::default().plus(since_epoch)
}

/// How long until `moment`; zero where it has passed.
pub fn until(moment: Timestamp) -> Duration {
    moment.since(now())
}
