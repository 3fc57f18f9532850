//! How each dependency is, as guards and adapters report it, and what follows for each capability.
//!
//! Never: a probe of its own (whoever talks to the dependency reports), a change without metric and log line (P10). To add a dependency: a
//! variant of [`Dependency`], and its columns in [`crate::capability`].

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use serde::Serialize;
use voelgoed_telemetry::metrics::resilience as metrics;

use crate::capability::{Answer, Capability, Mode, answer};

/// Something that this process needs and that can be away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Dependency {
    /// The shared volatile store.
    Warm,
    /// The durable store.
    Cold,
    /// Those who take the money, together: up while one of them is.
    PaymentProvider,
}

impl Dependency {
    /// Every dependency.
    pub const ALL: [Self; 3] = [Self::Warm, Self::Cold, Self::PaymentProvider];

    /// Its name in metrics, logs and `/readyz`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Warm => "warm",
            Self::Cold => "cold",
            Self::PaymentProvider => "payment_provider",
        }
    }
}

/// How a dependency is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Health {
    /// It does what it should.
    Up,
    /// Only a replica answers: reads, no writes. Meant for the cold tier; another one that only reads counts as down.
    ReplicaOnly,
    /// It does not answer.
    Down,
}

impl Health {
    /// Its name in metrics, logs and `/readyz`.
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

/// The process's view of its dependencies; clones share it.
#[derive(Debug, Clone, Default)]
pub struct Capabilities {
    cells: Arc<[AtomicU8; Dependency::ALL.len()]>,
}

/// Everything `/readyz` says about dependencies and capabilities.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Readiness {
    /// Each dependency's health.
    pub dependencies: Vec<DependencyHealth>,
    /// What follows for each capability.
    pub capabilities: Vec<CapabilityAnswer>,
}

/// One line of [`Readiness`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct DependencyHealth {
    /// Which.
    pub dependency: Dependency,
    /// How it is.
    pub health: Health,
}

/// One line of [`Readiness`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct CapabilityAnswer {
    /// Which.
    pub capability: Capability,
    /// Whether it works now.
    #[serde(flatten)]
    pub answer: Answer,
}

impl Capabilities {
    /// Everything up, until somebody reports otherwise.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Reports how a dependency is.
    pub fn report(&self, dependency: Dependency, health: Health) {
        let before = Health::of_level(self.cells[dependency as usize].swap(health.level(), Ordering::AcqRel));
        if before == health {
            return;
        }
        metrics::dependency_changed(dependency.as_str(), health.as_str(), health.level());
        let (dependency, from, to) = (dependency.as_str(), before.as_str(), health.as_str());
        match health {
            Health::Up => tracing::info!(dependency, from, to, "dependency changed"),
            Health::ReplicaOnly | Health::Down => tracing::warn!(dependency, from, to, "dependency changed"),
        }
    }

    /// How a dependency was when last reported.
    #[must_use]
    pub fn health(&self, dependency: Dependency) -> Health {
        Health::of_level(self.cells[dependency as usize].load(Ordering::Acquire))
    }

    /// May this be done now? Every command asks first.
    #[must_use]
    pub fn may(&self, capability: Capability) -> Answer {
        answer(capability, &self.modes())
    }

    /// What works now, for `/readyz` and the pages.
    #[must_use]
    pub fn current(&self) -> Readiness {
        let modes = self.modes();
        Readiness {
            dependencies: Dependency::ALL
                .map(|dependency| DependencyHealth { dependency, health: self.health(dependency) })
                .to_vec(),
            capabilities: Capability::ALL
                .map(|capability| CapabilityAnswer { capability, answer: answer(capability, &modes) })
                .to_vec(),
        }
    }

    fn modes(&self) -> Vec<Mode> {
        let warm_away = self.health(Dependency::Warm) != Health::Up;
        let cold = match self.health(Dependency::Cold) {
            Health::Up => None,
            Health::ReplicaOnly => Some(Mode::ColdReplicaOnly),
            Health::Down => Some(Mode::ColdGone),
        };
        let provider_away = self.health(Dependency::PaymentProvider) != Health::Up;
        [
            warm_away.then_some(Mode::WarmAway),
            cold,
            (warm_away && cold.is_some()).then_some(Mode::WarmAndColdAway),
            provider_away.then_some(Mode::ProviderAway),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

#[cfg(test)]
mod tests;
