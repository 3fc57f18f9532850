//! Serializes seating plans as versioned JSON, and shares decoded plans between the listings that use them.
//!
//! A plan of 60,000 seats is several megabytes of JSON and changes only with the version of its flags, so it is decoded once while it is in use.
//! Never: a change of a format version that is in use; a new format gets a new number beside the old one.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use serde::{Deserialize, Serialize};
use voelgoed_domain::catalog::layout::{Area, Layout};
use voelgoed_domain::ids::{LayoutId, OrganizationId};

use crate::db::{DbError, DbResult, Value};

const FORMAT_VERSION: u32 = 1;

#[derive(Serialize)]
struct PlanToStore<'a> {
    v: u32,
    areas: &'a [Area],
}

#[derive(Deserialize)]
struct StoredPlan {
    v: u32,
    areas: Vec<Area>,
}

pub(super) fn write(layout: &Layout) -> DbResult<Value> {
    Value::json(&PlanToStore { v: FORMAT_VERSION, areas: &layout.areas })
}

fn read(text: &str) -> DbResult<Layout> {
    let StoredPlan { v, areas } = serde_json::from_str(text)?;
    if v == FORMAT_VERSION {
        Ok(Layout { areas, flags_version: 0 })
    } else {
        Err(DbError::internal(format!("a plan has version {v}, which this program does not read")))
    }
}

/// Decoded plans in use, by weak references: a plan is freed with its last user.
#[derive(Debug, Default)]
pub(crate) struct PlanCache(Mutex<BTreeMap<(OrganizationId, LayoutId, u32), Weak<Layout>>>);

impl PlanCache {
    /// The decoded plan, if it is in use.
    pub(super) fn in_use(&self, organization: OrganizationId, layout: LayoutId, flags: u32) -> Option<Arc<Layout>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&(organization, layout, flags))?.upgrade()
    }

    /// Decodes a plan from `text` and shares it.
    pub(super) fn decode(
        &self,
        organization: OrganizationId,
        layout: LayoutId,
        flags: u32,
        text: &str,
    ) -> DbResult<Arc<Layout>> {
        let plan = Arc::new(Layout { flags_version: flags, ..read(text)? });
        let mut plans = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        plans.retain(|_, plan| plan.strong_count() > 0);
        plans.insert((organization, layout, flags), Arc::downgrade(&plan));
        Ok(plan)
    }
}
