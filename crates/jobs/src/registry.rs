//! Checks the explicit lists of handlers and schedules when the process starts.
//!
//! Never: registration by side effect, two handlers of one kind, a schedule of a kind without a handler.

use std::collections::BTreeMap;
use std::sync::Arc;

use voelgoed_app::jobs::handler::JobHandler;
use voelgoed_app::jobs::schedule::Schedule;

/// The handler of each kind, and the schedules.
#[derive(Clone)]
pub struct Registry {
    handlers: BTreeMap<&'static str, Arc<dyn JobHandler>>,
    schedules: Vec<Schedule>,
}

/// The lists are inconsistent; the process must not start.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WiringError {
    /// Two handlers have the same kind.
    #[error("two handlers are registered for jobs of kind `{0}`")]
    TwoHandlers(&'static str),
    /// Two schedules have the same name.
    #[error("two schedules are called `{0}`")]
    TwoSchedules(&'static str),
    /// The kind of a schedule has no handler.
    #[error("the schedule `{name}` asks for jobs of kind `{kind}`, for which no handler is registered")]
    NoHandler {
        /// The schedule.
        name: &'static str,
        /// The kind of its jobs.
        kind: &'static str,
    },
    /// A period of zero would leave no time for other jobs.
    #[error("the schedule `{0}` has a period of zero")]
    NoPeriod(&'static str),
}

impl Registry {
    /// Checks the lists.
    ///
    /// # Errors
    /// [`WiringError`] where they are inconsistent.
    pub fn new(handlers: Vec<Arc<dyn JobHandler>>, schedules: Vec<Schedule>) -> Result<Self, WiringError> {
        let mut by_kind = BTreeMap::new();
        for handler in handlers {
            let kind = handler.kind();
            if by_kind.insert(kind, handler).is_some() {
                return Err(WiringError::TwoHandlers(kind));
            }
        }
        for (at, Schedule { name, period, kind, .. }) in schedules.iter().enumerate() {
            if schedules[..at].iter().any(|earlier| earlier.name == *name) {
                return Err(WiringError::TwoSchedules(name));
            }
            if !by_kind.contains_key(kind) {
                return Err(WiringError::NoHandler { name, kind });
            }
            if period.is_zero() {
                return Err(WiringError::NoPeriod(name));
            }
        }
        Ok(Self { handlers: by_kind, schedules })
    }

    /// The handler of this kind.
    #[must_use]
    pub fn handler(&self, kind: &str) -> Option<Arc<dyn JobHandler>> {
        self.handlers.get(kind).map(Arc::clone)
    }

    /// Every registered kind, in alphabetical order.
    pub fn kinds(&self) -> impl Iterator<Item = &'static str> {
        self.handlers.keys().copied()
    }

    /// The schedules.
    #[must_use]
    pub fn schedules(&self) -> &[Schedule] {
        &self.schedules
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use async_trait::async_trait;
    use voelgoed_app::jobs::handler::{JobContext, JobOutcome};
    use voelgoed_app::jobs::ports::Queue;

    use super::*;

    struct EmptyHandler(&'static str);

    #[async_trait]
    impl JobHandler for EmptyHandler {
        fn kind(&self) -> &'static str {
            self.0
        }
        async fn run(&self, _: JobContext) -> JobOutcome {
            JobOutcome::Done
        }
    }

    fn registry(
        kinds: &[&'static str],
        schedules: &[(&'static str, u64, &'static str)],
    ) -> Result<Registry, WiringError> {
        let handlers = kinds.iter().map(|kind| Arc::new(EmptyHandler(kind)) as Arc<dyn JobHandler>).collect();
        let schedules = schedules
            .iter()
            .map(|&(name, seconds, kind)| Schedule {
                name,
                period: Duration::from_secs(seconds),
                kind,
                queue: Queue::Upkeep,
            })
            .collect();
        Registry::new(handlers, schedules)
    }

    #[test]
    fn inconsistent_lists_are_refused() {
        assert_eq!(
            registry(&["b", "a"], &[("s", 1, "a"), ("t", 1, "a")]).unwrap().kinds().collect::<Vec<_>>(),
            ["a", "b"]
        );
        let rows = [
            (registry(&["a", "a"], &[]), WiringError::TwoHandlers("a")),
            (registry(&["a"], &[("s", 1, "a"), ("s", 2, "a")]), WiringError::TwoSchedules("s")),
            (registry(&["a"], &[("s", 1, "b")]), WiringError::NoHandler { name: "s", kind: "b" }),
            (registry(&["a"], &[("s", 0, "a")]), WiringError::NoPeriod("s")),
        ];
        for (got, expected) in rows {
            assert_eq!(got.err(), Some(expected));
        }
    }
}
