//! How the fan-out loads an event that the warm tier does not have: as any command does. Told of the platform once that is put together.

use std::sync::{Arc, OnceLock, Weak};

use async_trait::async_trait;
use voelgoed_app::error::{Fault, Result};
use voelgoed_app::platform::Platform;
use voelgoed_app::ticketing::ports::EventScope;
use voelgoed_app::ticketing::rebuild::loaded;
use voelgoed_hot::fanout::Loader;

/// The loader; weak, since the platform holds the fan-out that holds this.
#[derive(Default)]
pub struct PlatformLoader(OnceLock<Weak<Platform>>);

impl PlatformLoader {
    /// Names the platform.
    pub fn tell(&self, platform: &Arc<Platform>) {
        // Told once, right after it was made.
        let _first = self.0.set(Arc::downgrade(platform));
    }
}

#[async_trait]
impl Loader for PlatformLoader {
    async fn load(&self, scope: EventScope) -> Result<()> {
        let platform = self.0.get().and_then(Weak::upgrade).ok_or_else(|| Fault::internal("the platform is gone"))?;
        loaded(&platform, scope, || platform.inventory.snapshot(scope)).await?;
        Ok(())
    }
}
