//! Allowances in this process's memory: what the nodes share where there is one.
//!
//! Never: more callers of a limit than it says; beyond them everybody else shares one allowance (P9).

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use voelgoed_app::error::Stored;
use voelgoed_app::limits::ports::{Allowances, Caller};
use voelgoed_resilience::{RateLimit, Spent, allowance};

use super::MemoryInventory;

/// What was spent, by name of the limit.
#[derive(Default)]
pub(super) struct Spending(Mutex<HashMap<&'static str, Callers>>);

/// When each caller has the whole allowance back, in microseconds; `None` stands for all who have no room of their own.
#[derive(Default)]
struct Callers {
    full_at: HashMap<Option<Caller>, i64>,
    next_sweep: i64,
}

impl Spending {
    pub(super) fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

#[async_trait]
impl Allowances for MemoryInventory {
    async fn spend(&self, limit: RateLimit, caller: &Caller, most: u32) -> Stored<Spent> {
        let now = self.environment.now().micros();
        let mut spending = self.spending.0.lock().unwrap_or_else(PoisonError::into_inner);
        let callers = spending.entry(limit.name).or_default();
        if now >= callers.next_sweep {
            callers.full_at.retain(|_, full_at| *full_at > now);
            callers.next_sweep = now.saturating_add(i64::try_from(limit.per.as_micros()).unwrap_or(i64::MAX));
        }
        let mut key = Some(caller.clone());
        if !callers.full_at.contains_key(&key) && callers.full_at.len() >= limit.keys {
            key = None;
        }
        let before = callers.full_at.get(&key).copied();
        let (spent, full_at) = allowance::spend(limit, now, before, most);
        callers.full_at.insert(key, full_at);
        Ok(spent)
    }
}
