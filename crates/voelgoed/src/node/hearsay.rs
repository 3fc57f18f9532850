//! Applies the facts that other nodes publish to this node's readers: caches, order watchers and gate streams. After each (re)connect, watchers read again and
//! caches revalidate, since facts may have been missed; an entry that cannot be read, because cold is down as well, is used with its age.
//!
//! Never: a fact acknowledged in the outbox here; the relay does that.

use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;
use voelgoed_app::outbox::cluster_bus::{ClusterBus, ClusterMessage};
use voelgoed_app::outbox::consumer::OutboxConsumer;
use voelgoed_app::outbox::event::OutboxRow;
use voelgoed_app::platform::Platform;
use voelgoed_app::scanning::watch::GateWatch;

/// Before the next attempt to listen.
const PAUSE: Duration = Duration::from_millis(500);

/// What the task needs.
pub struct Hearsay {
    /// The way between nodes.
    pub bulletin: Arc<dyn ClusterBus>,
    /// This node, whose own notices it has heard already.
    pub node: Uuid,
    /// Who hears.
    pub readers: Vec<Arc<dyn OutboxConsumer>>,
    /// Whose watchers read anew.
    pub platform: Arc<Platform>,
    /// Who is told to read anew at the gates.
    pub gate_watch: GateWatch,
}

impl Hearsay {
    /// Listens for ever.
    pub async fn follow(self) {
        let mut away = false;
        loop {
            match self.bulletin.listen().await {
                Ok(mut notices) => {
                    away = false;
                    self.missed();
                    while let Some(notice) = notices.heard.recv().await {
                        self.hear(notice).await;
                    }
                }
                Err(fault) => {
                    if !std::mem::replace(&mut away, true) {
                        tracing::warn!(%fault, "cannot hear the other nodes; trying on");
                    }
                }
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn hear(&self, notice: ClusterMessage) {
        if notice.from == self.node {
            return;
        }
        let row = OutboxRow {
            id: Uuid::nil(),
            organization: notice.organization,
            aggregate: Uuid::nil(),
            version: 0,
            fact: notice.fact,
            at: self.platform.environment.now(),
        };
        for reader in &self.readers {
            if let Err(error) = reader.read(&row).await {
                tracing::debug!(%error, reader = reader.name(), "a notice was not taken note of");
            }
        }
    }

    /// From here on everything is heard; what was told before is not known.
    fn missed(&self) {
        self.platform.order_views.forget_all();
        self.platform.order_watch.missed();
        self.gate_watch.missed();
        self.platform.listings.revalidate_all();
        self.platform.credentials.revalidate_all();
    }
}
