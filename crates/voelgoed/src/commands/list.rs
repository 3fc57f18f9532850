//! `voelgoed list`: one line per organization, venue, layout or event, identifier first, for scripts and for people who lost an identifier.

use std::future::Future;

use anyhow::Context;
use uuid::Uuid;
use voelgoed_app::page::{MOST_ITEMS, Page, PageRequest};
use voelgoed_app::platform::Platform;

use super::organizer::tenant;
use crate::cli::{List, Listed};

/// The lines, in the order in which things were created.
pub async fn list(platform: &Platform, args: List) -> anyhow::Result<String> {
    let organization = match (args.what, &args.organization) {
        (Listed::Organizations, _) => {
            let lines = every(|page| platform.accounts.organizations(page)).await?;
            return Ok(lines.iter().map(|one| format!("{}  {}  {}\n", one.id, one.slug, one.name)).collect());
        }
        (_, named) => tenant(platform, named.as_deref().context("--organization is missing")?).await?,
    };
    let catalog = &platform.catalog;
    Ok(match args.what {
        Listed::Organizations => String::new(),
        Listed::Venues => {
            let venues = every(|page| catalog.venues(organization, page)).await?;
            venues.iter().map(|venue| format!("{}  {}  {}\n", venue.id, venue.name, venue.address)).collect()
        }
        Listed::Layouts => {
            let layouts = every(|page| catalog.layouts(organization, page)).await?;
            layouts.iter().map(|one| format!("{}  {}  version {}\n", one.id, one.venue, one.version)).collect()
        }
        Listed::Events => {
            let events = every(|page| catalog.events(Some(organization), false, page)).await?;
            let line = |one: &voelgoed_app::catalog::ports::EventSummary| {
                let event = &one.event;
                format!("{}  {}  {}  {}  ({})\n", event.id, event.state, event.starts_at, event.name, one.venue)
            };
            events.iter().map(line).collect()
        }
    })
}

/// Every item of a list, page after page.
async fn every<T, F>(read: impl Fn(PageRequest) -> F) -> anyhow::Result<Vec<T>>
where
    F: Future<Output = voelgoed_app::error::StoreResult<Page<T>>>,
{
    let mut items = Vec::new();
    let mut after: Option<Uuid> = None;
    loop {
        let page = read(PageRequest { after, most: MOST_ITEMS }).await?;
        items.extend(page.items);
        after = page.next;
        if after.is_none() {
            return Ok(items);
        }
    }
}
