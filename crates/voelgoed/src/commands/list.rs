//! Runs `voelgoed list`: prints one line per organization, venue, layout or event, identifier first.

use std::future::Future;

use anyhow::Context;
use uuid::Uuid;
use voelgoed_app::page::{PAGE_ITEMS_MAX, Page, PageRequest};
use voelgoed_app::slices::Slices;

use super::command_results::find_organization;
use crate::cli::{ListArgs, ListedKind};

/// The lines in the order of creation.
pub async fn list(slices: &Slices, args: ListArgs) -> anyhow::Result<String> {
    let organization = match (args.what, &args.organization) {
        (ListedKind::Organizations, _) => {
            let lines = all_items(|page| slices.accounts.store.organizations(page)).await?;
            return Ok(lines.iter().map(|one| format!("{}  {}  {}\n", one.id, one.slug, one.name)).collect());
        }
        (_, named) => find_organization(slices, named.as_deref().context("--organization is missing")?).await?,
    };
    let catalog = &slices.catalog.store;
    Ok(match args.what {
        ListedKind::Organizations => String::new(),
        ListedKind::Venues => {
            let venues = all_items(|page| catalog.venues(organization, page)).await?;
            venues.iter().map(|venue| format!("{}  {}  {}\n", venue.id, venue.name, venue.address)).collect()
        }
        ListedKind::Layouts => {
            let layouts = all_items(|page| catalog.layouts(organization, page)).await?;
            layouts.iter().map(|one| format!("{}  {}  version {}\n", one.id, one.venue, one.version)).collect()
        }
        ListedKind::Events => {
            let events = all_items(|page| catalog.events(Some(organization), false, page)).await?;
            let line = |one: &voelgoed_app::catalog::ports::EventSummary| {
                let event = &one.event;
                format!("{}  {}  {}  {}  ({})\n", event.id, event.state, event.starts_at, event.name, one.venue)
            };
            events.iter().map(line).collect()
        }
    })
}

/// All items of a list, read page by page.
async fn all_items<T, F>(read: impl Fn(PageRequest) -> F) -> anyhow::Result<Vec<T>>
where
    F: Future<Output = voelgoed_app::error::StoreResult<Page<T>>>,
{
    let mut items = Vec::new();
    let mut after: Option<Uuid> = None;
    loop {
        let page = read(PageRequest { after, limit: PAGE_ITEMS_MAX }).await?;
        items.extend(page.items);
        after = page.next;
        if after.is_none() {
            return Ok(items);
        }
    }
}
