//! The stored shape of a seating plan, and the plans that somebody of this process has in hand.
//!
//! Never: a change of a version that is in use; a new shape is a new number beside the old one. A plan of 60,000 seats is some megabytes of JSON and
//! changes with the version of its flags only, so it is decoded once while it is in use: listings that are read again share it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use serde::{Deserialize, Serialize};
use voelgoed_domain::catalog::layout::{Area, Layout};
use voelgoed_domain::ids::{LayoutId, OrganizationId};

use crate::db::{Error, Result, Value};

/// The version that is written.
const VERSION: u32 = 1;

#[derive(Serialize)]
struct Written<'a> {
    v: u32,
    areas: &'a [Area],
}

#[derive(Deserialize)]
struct Read {
    v: u32,
    areas: Vec<Area>,
}

pub(super) fn write(layout: &Layout) -> Result<Value> {
    Value::json(&Written { v: VERSION, areas: &layout.areas })
}

fn read(text: &str) -> Result<Layout> {
    let Read { v, areas } = serde_json::from_str(text)?;
    if v == VERSION {
        Ok(Layout { areas, flags_version: 0 })
    } else {
        Err(Error::internal(format!("a plan of version {v} is newer than this program")))
    }
}

/// Plans in use. An entry holds no memory of its plan once nobody has it.
#[derive(Debug, Default)]
pub(crate) struct Plans(Mutex<BTreeMap<(OrganizationId, LayoutId, u32), Weak<Layout>>>);

impl Plans {
    /// The plan, where somebody has it.
    pub(super) fn in_use(&self, organization: OrganizationId, layout: LayoutId, flags: u32) -> Option<Arc<Layout>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&(organization, layout, flags))?.upgrade()
    }

    /// The plan decoded from `text`, shared from now on.
    pub(super) fn decode(
        &self,
        organization: OrganizationId,
        layout: LayoutId,
        flags: u32,
        text: &str,
    ) -> Result<Arc<Layout>> {
        let plan = Arc::new(Layout { flags_version: flags, ..read(text)? });
        let mut plans = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        plans.retain(|_, plan| plan.strong_count() > 0);
        plans.insert((organization, layout, flags), Arc::downgrade(&plan));
        Ok(plan)
    }
}
