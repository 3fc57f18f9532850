//! The demo and the README: the release binary seeds, serves, drains, and starts again as the same shop; every block of the README runs as it stands.

use std::path::Path;

use anyhow::ensure;
use serde_json::Value;

use super::{Suite, readme};
use crate::machine::{CURL, JQ, Need};
use crate::report::Tally;
use crate::run::Run;
use crate::shell::Outcome;
use crate::shop::Shop;

/// `voelgoed demo`, twice on one data directory.
pub struct Demo;

impl Suite for Demo {
    fn name(&self) -> &'static str {
        "demo"
    }

    fn about(&self) -> &'static str {
        "the release binary seeds its demo, serves, drains, and is the same shop after a restart; README's blocks run as they stand"
    }

    fn needs(&self) -> &'static [Need] {
        &[CURL, JQ]
    }

    fn run(&self, run: &Run) -> anyhow::Result<Outcome> {
        let binary = run.release_binary()?;
        let data = run.target().join("suite-demo");
        if data.exists() {
            std::fs::remove_dir_all(&data)?;
        }
        let mut said = Outcome::default();
        let mut judge = |what: &str, outcome: anyhow::Result<Value>| {
            let line = match &outcome {
                Ok(_) => format!("test {what} ... ok"),
                Err(error) => format!("test {what} ... FAILED: {error:#}"),
            };
            println!("{line}");
            said.lines.push(line);
            said.tally.add(Tally::one(outcome.is_ok()));
            outcome.ok()
        };
        let first = judge("a first start seeds three events and serves them", visit(binary, &data));
        if let Some(first) = first {
            judge("a restart is the same shop", visit(binary, &data).and_then(|card| same(&first, card)));
        }
        let scratch = run.target().join("suite-readme");
        if scratch.exists() {
            std::fs::remove_dir_all(&scratch)?;
        }
        std::fs::create_dir_all(&scratch)?;
        let shown = |outcome: anyhow::Result<()>| outcome.map(|()| Value::Null);
        judge(
            "README's first command opens a shop while port 8080 is taken",
            shown(readme::first_command(run, &scratch)),
        );
        judge(
            "README's other blocks sell, pay, admit and open a shop of one's own",
            shown(readme::other_blocks(run, &scratch)),
        );
        Ok(said)
    }
}

/// Opens the shop, looks at what everybody looks at first, and closes it in order.
fn visit(binary: &Path, data: &Path) -> anyhow::Result<Value> {
    let shop = Shop::open(binary, data)?;
    let card = shop.card.clone();
    for key in ["url", "internal_url", "organization", "api_key", "device_key", "gate"] {
        ensure!(card[key].is_string(), "the demo's line has no `{key}`");
    }
    ensure!(card["events"].as_array().is_some_and(|events| events.len() == 3), "the demo has three events");
    let organization = card["organization"].as_str().unwrap_or_default();
    let event = card["events"][0]["id"].as_str().unwrap_or_default();
    for path in [
        "/livez".to_owned(),
        "/".to_owned(),
        "/api/v1/openapi.json".to_owned(),
        format!("/api/v1/events?organization={organization}"),
        format!("/api/v1/events/{event}/availability"),
    ] {
        let (status, body) = shop.get(&path)?;
        ensure!(status == 200, "GET {path} answers {status}: {body}");
    }
    for path in ["/livez", "/readyz", "/metrics"] {
        let (status, body) = shop.get_internal(path)?;
        ensure!(status == 200, "GET {path} of the internal listener answers {status}: {body}");
    }
    for path in ["/readyz", "/metrics"] {
        let (status, _) = shop.get(path)?;
        ensure!(status == 404, "GET {path} of the public listener answers {status}");
    }
    let status = shop.close()?;
    ensure!(status.success(), "the shop ended with {status}");
    Ok(card)
}

/// Everything but the address is as it was.
fn same(first: &Value, mut second: Value) -> anyhow::Result<Value> {
    for address in ["url", "internal_url"] {
        second[address] = first[address].clone();
    }
    ensure!(*first == second, "the line changed from {first} to {second}");
    Ok(second)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_the_address_may_differ_after_a_restart() {
        let first = json!({"url": "http://127.0.0.1:1", "internal_url": null, "api_key": "vgk_a"});
        assert!(same(&first, json!({"url": "http://127.0.0.1:2", "api_key": "vgk_a"})).is_ok());
        assert!(same(&first, json!({"url": "http://127.0.0.1:1", "api_key": "vgk_b"})).is_err());
    }
}
