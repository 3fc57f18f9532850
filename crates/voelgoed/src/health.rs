//! Looks after what is away: asks whether it is back, and brings to cold what warm has kept for it meanwhile.

use std::sync::Arc;

use voelgoed_app::error::Fault;
use voelgoed_app::platform::Platform;
use voelgoed_app::scanning::{gate_filter_sync, replay_offline_scans};
use voelgoed_resilience::{Dependency, probe};

use crate::sandbox::Sandbox;
use crate::wiring::Wired;

/// Asks what is away whether it is back. How it went, each guard sees and reports.
pub fn watch(wired: &Wired) -> impl Future<Output = ()> + Send + use<> {
    let told = |part: &'static str, fault: Fault| tracing::debug!(%fault, part, "still away");
    let capabilities = || wired.capabilities.clone();
    let cold = Arc::clone(&wired.cold);
    let cold = probe::watch(capabilities(), Dependency::Cold, move || {
        let cold = Arc::clone(&cold);
        async move { cold.pulse().await.unwrap_or_else(|fault| told("cold", fault)) }
    });
    let warm = wired.warm_guard.clone();
    let warm = probe::watch(capabilities(), Dependency::Warm, move || {
        let warm = warm.clone();
        async move {
            if let Some(warm) = warm {
                warm.ping().await.unwrap_or_else(|fault| told("warm", fault));
            }
        }
    });
    let provider = wired.sandbox.as_ref().map(Sandbox::gateway);
    let provider = probe::watch(capabilities(), Dependency::PaymentProvider, move || {
        let provider = provider.clone();
        async move {
            if let Some(provider) = provider {
                provider.ping().await;
            }
        }
    });
    async move {
        // None of them ends.
        tokio::join!(cold, warm, provider);
    }
}

/// Tells warm of acts on tickets as soon as it hears again; whatever node asked cold about them.
pub async fn tell_untold(platform: Arc<Platform>) {
    loop {
        tokio::time::sleep(gate_filter_sync::EVERY).await;
        gate_filter_sync::tell_untold(&platform).await;
    }
}

/// Brings kept scans to cold.
pub async fn settle_kept_scans(platform: Arc<Platform>) {
    loop {
        tokio::time::sleep(replay_offline_scans::EVERY).await;
        match replay_offline_scans::replay_offline_scans(&platform).await {
            Ok(0) => {}
            Ok(scans) => tracing::info!(scans, slice = "scanning", "kept scans have reached cold"),
            // Either tier is away; the next round looks again.
            Err(error) => tracing::debug!(%error, slice = "scanning", "kept scans wait on"),
        }
    }
}
