//! Logs once that a store became unavailable and once that it is available again, instead of at each attempt.

use voelgoed_app::error::Fault;

/// The availability of a store, as one loop sees it.
pub(crate) struct StoreAvailability {
    loop_name: &'static str,
    is_unavailable: bool,
}

impl StoreAvailability {
    pub(crate) const fn new(loop_name: &'static str) -> Self {
        Self { loop_name, is_unavailable: false }
    }

    /// The value of a store call; none where it failed.
    pub(crate) fn note<T>(&mut self, result: Result<T, Fault>) -> Option<T> {
        let was_unavailable = std::mem::replace(&mut self.is_unavailable, result.is_err());
        match result {
            Ok(value) => {
                if was_unavailable {
                    tracing::info!(loop_name = self.loop_name, "the cold tier is available again");
                }
                Some(value)
            }
            Err(fault) => {
                if !was_unavailable {
                    tracing::warn!(loop_name = self.loop_name, %fault, "the cold tier is unavailable; retrying");
                }
                None
            }
        }
    }
}
