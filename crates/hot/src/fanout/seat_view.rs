//! Implements the application's `SeatView` port from this node's availability views.

use std::sync::Arc;

use async_trait::async_trait;
use voelgoed_app::error::CommandResult;
use voelgoed_app::ticketing::ports::EventScope;
use voelgoed_app::ticketing::seat_view::{Occupancy, SeatView};
use voelgoed_domain::ticketing::place::Position;

use super::Fanout;

#[async_trait]
impl SeatView for Fanout {
    async fn current(&self, scope: EventScope) -> CommandResult<Arc<dyn Occupancy>> {
        Ok(self.availability(scope).await?)
    }

    async fn newer_than(&self, scope: EventScope, position: Position) -> CommandResult<Arc<dyn Occupancy>> {
        let feed = self.feed(scope)?;
        match feed.view() {
            Some(view) if view.position() > position => Ok(view),
            Some(_) | None => Ok(self.refresh(&feed).await?),
        }
    }
}
