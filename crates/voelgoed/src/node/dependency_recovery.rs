//! Probes unavailable dependencies until they answer.

use std::sync::Arc;

use voelgoed_app::error::Fault;
use voelgoed_resilience::{Dependency, probe};

use crate::sandbox_supervisor::SandboxSupervisor;
use crate::wiring::Runtime;

/// Probes each dependency while it is down; its guard reports the result to the capability table.
pub fn probe_dependencies(runtime: &Runtime) -> impl Future<Output = ()> + Send + use<> {
    let log = |part: &'static str, fault: Fault| tracing::debug!(%fault, part, "still unavailable");
    let capabilities = || runtime.capabilities.clone();
    let cold = Arc::clone(&runtime.cold);
    let cold = probe::probe_while_down(capabilities(), Dependency::Cold, move || {
        let cold = Arc::clone(&cold);
        async move { cold.probe().await.unwrap_or_else(|fault| log("cold", fault)) }
    });
    let warm = runtime.warm_guard.clone();
    let warm = probe::probe_while_down(capabilities(), Dependency::Warm, move || {
        let warm = warm.clone();
        async move {
            if let Some(warm) = warm {
                warm.ping().await.unwrap_or_else(|fault| log("warm", fault));
            }
        }
    });
    let provider = runtime.sandbox.as_ref().map(SandboxSupervisor::gateway);
    let provider = probe::probe_while_down(capabilities(), Dependency::PaymentProvider, move || {
        let provider = provider.clone();
        async move {
            if let Some(provider) = provider {
                provider.ping().await;
            }
        }
    });
    async move {
        // Neither probe ends.
        tokio::join!(cold, warm, provider);
    }
}
