//! Starts the sandbox payment provider as a process of its own, and reads the money that it holds from its charges file.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::free_port::free_address;
use crate::process::Process;

/// How the provider is started.
#[derive(Debug, Clone, Copy)]
pub struct SandboxProviderOptions<'a> {
    /// The `voelgoed` binary.
    pub binary: &'a Path,
    /// Its charges file is `sandbox/charges.jsonl` below, its log `sandbox-psp.log`.
    pub data: &'a Path,
    /// Receives callbacks at `/api/v1/providers/sandbox/callback`.
    pub shop_url: &'a str,
    /// The master key that the shop uses too.
    pub master_key: &'a str,
    /// Multiplies the provider's delays.
    pub time_scale: f64,
}

/// A provider on a free port, not started yet.
///
/// # Errors
/// Its directory cannot be made, or no port is free.
pub fn sandbox_provider(options: SandboxProviderOptions<'_>) -> anyhow::Result<Process> {
    let SandboxProviderOptions { binary, data, shop_url, master_key, time_scale } = options;
    std::fs::create_dir_all(data.join("sandbox"))?;
    let address = free_address()?;
    let mut command = Command::new(binary);
    command.args(["sandbox-psp", "--listen", &address, "--file"]).arg(data.join("sandbox/charges.jsonl"));
    command.args(["--callback-url", &format!("{shop_url}/api/v1/providers/sandbox/callback")]);
    command.args(["--time-scale", &time_scale.to_string()]).env("VOELGOED__SECRETS__MASTER", master_key);
    Ok(Process::new("sandbox-psp", &address, &command, data.join("sandbox-psp.log")))
}

/// Money that the provider holds, by order (`ord_…`), in cents; orders that were never captured are absent.
///
/// # Errors
/// The charges file below `data` cannot be read.
pub fn money_by_order(data: &Path) -> anyhow::Result<BTreeMap<String, i64>> {
    let content = std::fs::read_to_string(data.join("sandbox/charges.jsonl"))?;
    let mut captured: BTreeMap<String, i64> = BTreeMap::new();
    let mut refunded: BTreeMap<String, (String, i64)> = BTreeMap::new();
    // The last line of a key is its state; a torn last line was never acknowledged.
    for line in content.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()) {
        let charge = &line["charge"];
        if let (Some(key), Some("captured")) = (charge["key"].as_str(), charge["state"].as_str()) {
            captured.insert(key.to_owned(), charge["amount"].as_i64().unwrap_or(0));
        }
        let refund = &line["refund"];
        if let (Some(key), Some(charge)) = (refund["key"].as_str(), refund["charge"].as_str()) {
            refunded.insert(key.to_owned(), (charge.to_owned(), refund["amount"].as_i64().unwrap_or(0)));
        }
    }
    let order = |key: &str| key.split(':').nth(1).unwrap_or_default().to_owned();
    let mut money: BTreeMap<String, i64> = BTreeMap::new();
    for (key, amount) in &captured {
        *money.entry(order(key)).or_default() += amount;
    }
    for (charge, amount) in refunded.values() {
        *money.entry(order(charge)).or_default() -= amount;
    }
    Ok(money)
}
