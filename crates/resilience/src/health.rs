//! Stores the health of each dependency as guards and adapters report it, and derives what each capability may do.
//!
//! Never: a probe of its own (the client of a dependency reports), a change without metric and log line (P10). To add a dependency: a variant of
//! [`Dependency`], and its columns in [`crate::capability`].

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use serde::Serialize;
use voelgoed_telemetry::metrics::resilience as metrics;

use crate::capability::{Capability, CapabilityAnswer, FailureMode, worst_answer};

/// A remote service that this process needs and that can be unavailable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Dependency {
    /// The shared volatile store.
    Warm,
    /// The durable store.
    Cold,
    /// The payment providers together: up while at least one answers.
    PaymentProvider,
}

impl Dependency {
    /// Every dependency, in the order of `/readyz`.
    pub const ALL: [Self; 3] = [Self::Warm, Self::Cold, Self::PaymentProvider];

    /// The name in metrics, logs and `/readyz`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Warm => "warm",
            Self::Cold => "cold",
            Self::PaymentProvider => "payment_provider",
        }
    }
}

/// What a dependency can do now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DependencyHealth {
    /// Reads and writes work.
    Up,
    /// Only reads work. Meant for the cold tier; any other dependency in this state counts as down.
    ReplicaOnly,
    /// Calls fail or time out.
    Down,
}

impl DependencyHealth {
    /// The name in metrics, logs and `/readyz`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::ReplicaOnly => "replica_only",
            Self::Down => "down",
        }
    }

    const fn level(self) -> u8 {
        match self {
            Self::Up => 0,
            Self::ReplicaOnly => 1,
            Self::Down => 2,
        }
    }

    const fn of_level(level: u8) -> Self {
        match level {
            0 => Self::Up,
            1 => Self::ReplicaOnly,
            _ => Self::Down,
        }
    }
}

/// The process's view of its dependencies; clones share the same state.
#[derive(Debug, Clone, Default)]
pub struct Capabilities {
    levels: Arc<[AtomicU8; Dependency::ALL.len()]>,
}

/// The part of `/readyz` about dependencies and capabilities.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Readiness {
    /// One entry per [`Dependency::ALL`].
    pub dependencies: Vec<DependencyReadiness>,
    /// One entry per [`Capability::ALL`].
    pub capabilities: Vec<CapabilityReadiness>,
}

/// The health of one dependency in [`Readiness`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct DependencyReadiness {
    /// The dependency that [`Self::health`] describes.
    pub dependency: Dependency,
    /// As last reported.
    pub health: DependencyHealth,
}

/// The state of one capability in [`Readiness`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct CapabilityReadiness {
    /// The capability.
    pub capability: Capability,
    /// What [`Capabilities::may`] answers now.
    #[serde(flatten)]
    pub answer: CapabilityAnswer,
}

impl Capabilities {
    /// Starts with every dependency up.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Records the health of a dependency; a change is counted and logged.
    pub fn report(&self, dependency: Dependency, health: DependencyHealth) {
        let before =
            DependencyHealth::of_level(self.levels[dependency as usize].swap(health.level(), Ordering::AcqRel));
        if before == health {
            return;
        }
        metrics::dependency_changed(dependency.as_str(), health.as_str(), health.level());
        let (dependency, from, to) = (dependency.as_str(), before.as_str(), health.as_str());
        match health {
            DependencyHealth::Up => tracing::info!(dependency, from, to, "dependency changed"),
            DependencyHealth::ReplicaOnly | DependencyHealth::Down => {
                tracing::warn!(dependency, from, to, "dependency changed")
            }
        }
    }

    /// The health that was reported last.
    #[must_use]
    pub fn health(&self, dependency: Dependency) -> DependencyHealth {
        DependencyHealth::of_level(self.levels[dependency as usize].load(Ordering::Acquire))
    }

    /// Whether a capability is available now; every command checks before it begins.
    #[must_use]
    pub fn may(&self, capability: Capability) -> CapabilityAnswer {
        worst_answer(capability, &self.modes())
    }

    /// The present state of all dependencies and capabilities, for `/readyz`.
    #[must_use]
    pub fn current(&self) -> Readiness {
        let modes = self.modes();
        Readiness {
            dependencies: Dependency::ALL
                .map(|dependency| DependencyReadiness { dependency, health: self.health(dependency) })
                .to_vec(),
            capabilities: Capability::ALL
                .map(|capability| CapabilityReadiness { capability, answer: worst_answer(capability, &modes) })
                .to_vec(),
        }
    }

    fn modes(&self) -> Vec<FailureMode> {
        let warm_down = self.health(Dependency::Warm) != DependencyHealth::Up;
        let cold = match self.health(Dependency::Cold) {
            DependencyHealth::Up => None,
            DependencyHealth::ReplicaOnly => Some(FailureMode::ColdReplicaOnly),
            DependencyHealth::Down => Some(FailureMode::ColdUnavailable),
        };
        let provider_down = self.health(Dependency::PaymentProvider) != DependencyHealth::Up;
        [
            warm_down.then_some(FailureMode::WarmUnavailable),
            cold,
            (warm_down && cold.is_some()).then_some(FailureMode::WarmAndColdUnavailable),
            provider_down.then_some(FailureMode::ProviderUnavailable),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

#[cfg(test)]
mod tests;
