//! Counts the viewers of an event on this node and adds the counts that other nodes reported last.

use voelgoed_app::nodes::presence::ViewerCounts;
use voelgoed_app::ticketing::ports::EventScope;

use super::Fanout;

impl Fanout {
    /// Viewers of an event on all nodes, by the last known counts of the other nodes.
    #[must_use]
    pub fn viewers_on_all_nodes(&self, scope: EventScope) -> u64 {
        let now = self.environment.now();
        self.feeds.get(&scope).map_or(0, |feed| feed.viewers() as u64 + feed.remote_viewers(now))
    }
}

impl ViewerCounts for Fanout {
    fn local_viewers(&self) -> Vec<(EventScope, u32)> {
        let count = |viewers| u32::try_from(viewers).unwrap_or(u32::MAX);
        let now = self.environment.now();
        let in_use = self.feeds.iter().filter(|feed| feed.is_in_use(now));
        in_use.map(|feed| (*feed.key(), count(feed.viewers()))).collect()
    }

    fn set_remote_viewers(&self, scope: EventScope, viewers: u64) {
        if let Some(feed) = self.feeds.get(&scope) {
            feed.set_remote_viewers(viewers, self.environment.now());
        }
    }
}
