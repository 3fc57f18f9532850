//! The sandbox provider's own books: what it took and what it gave back. Its file is what a bank statement is to a shop.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

/// Money that the provider holds, by order (`ord_…`), in cents; orders that were never captured are absent.
///
/// # Errors
/// Where the file cannot be read.
pub fn money_by_order(data: &Path) -> anyhow::Result<BTreeMap<String, i64>> {
    let content = std::fs::read_to_string(data.join("sandbox/charges.jsonl"))?;
    let mut captured: BTreeMap<String, i64> = BTreeMap::new();
    let mut refunded: BTreeMap<String, (String, i64)> = BTreeMap::new();
    // The last line of a key is its state; a torn last line was never answered for.
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
