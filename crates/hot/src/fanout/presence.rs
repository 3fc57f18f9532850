//! How many watch an event: here, and at other nodes as they last said.

use voelgoed_app::nodes::presence::Audience;
use voelgoed_app::ticketing::ports::EventScope;

use super::Fanout;

impl Fanout {
    /// How many watch an event on all nodes together, as far as is known here.
    #[must_use]
    pub fn watching(&self, scope: EventScope) -> u64 {
        let now = self.environment.now();
        self.feeds.get(&scope).map_or(0, |feed| feed.viewers() as u64 + feed.elsewhere(now))
    }
}

impl Audience for Fanout {
    fn own(&self) -> Vec<(EventScope, u32)> {
        let count = |viewers| u32::try_from(viewers).unwrap_or(u32::MAX);
        let now = self.environment.now();
        let in_use = self.feeds.iter().filter(|feed| feed.is_in_use(now));
        in_use.map(|feed| (*feed.key(), count(feed.viewers()))).collect()
    }

    fn learn(&self, scope: EventScope, elsewhere: u64) {
        if let Some(feed) = self.feeds.get(&scope) {
            feed.learn_elsewhere(elsewhere, self.environment.now());
        }
    }
}
