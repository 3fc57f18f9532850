//! Starts the demo twice on one data directory, checks its responses, and runs the shell blocks of README.md unchanged.

use std::path::Path;

use anyhow::ensure;
use serde_json::Value;

use super::{Suite, readme, step};
use crate::child_process::TestRun;
use crate::demo_server::DemoServer;
use crate::system_packages::{CURL, JQ, SystemPackage};
use crate::task_context::TaskContext;

/// The demo and the README.
pub struct DemoSuite;

impl Suite for DemoSuite {
    fn name(&self) -> &'static str {
        "demo"
    }

    fn about(&self) -> &'static str {
        "the release binary seeds its demo, serves, drains, and keeps its data over a restart; README's blocks run unchanged"
    }

    fn needs(&self) -> &'static [SystemPackage] {
        &[CURL, JQ]
    }

    fn run(&self, context: &TaskContext) -> anyhow::Result<TestRun> {
        let binary = context.release_binary()?;
        let data = context.target().join("suite-demo");
        if data.exists() {
            std::fs::remove_dir_all(&data)?;
        }
        let mut test_run = TestRun::default();
        let first =
            step(&mut test_run, "a first start seeds three events and serves them", start_and_check(binary, &data));
        if let Some(first) = first {
            let second = start_and_check(binary, &data).and_then(|info| same(&first, info));
            step(&mut test_run, "a restart keeps the data", second);
        }
        let scratch = context.target().join("suite-readme");
        if scratch.exists() {
            std::fs::remove_dir_all(&scratch)?;
        }
        std::fs::create_dir_all(&scratch)?;
        step(
            &mut test_run,
            "README's first command starts a server while port 8080 is taken",
            readme::first_command(context, &scratch),
        );
        step(
            &mut test_run,
            "README's other blocks sell, pay, admit and set up a real organization",
            readme::other_blocks(context, &scratch),
        );
        Ok(test_run)
    }
}

/// Starts the server, checks its public and internal endpoints, and stops it; returns its startup line.
fn start_and_check(binary: &Path, data: &Path) -> anyhow::Result<Value> {
    let server = DemoServer::start(binary, data)?;
    let info = server.startup_info.clone();
    for key in ["url", "internal_url", "organization", "api_key", "device_key", "gate"] {
        ensure!(info[key].is_string(), "the demo's line has no `{key}`");
    }
    ensure!(info["events"].as_array().is_some_and(|events| events.len() == 3), "the demo has three events");
    let organization = info["organization"].as_str().unwrap_or_default();
    let event = info["events"][0]["id"].as_str().unwrap_or_default();
    for path in [
        "/livez".to_owned(),
        "/".to_owned(),
        "/api/v1/openapi.json".to_owned(),
        format!("/api/v1/events?organization={organization}"),
        format!("/api/v1/events/{event}/availability"),
    ] {
        let (status, body) = server.get(&path)?;
        ensure!(status == 200, "GET {path} answers {status}: {body}");
    }
    for path in ["/livez", "/readyz", "/metrics"] {
        let (status, body) = server.get_internal(path)?;
        ensure!(status == 200, "GET {path} of the internal listener answers {status}: {body}");
    }
    for path in ["/readyz", "/metrics"] {
        let (status, _) = server.get(path)?;
        ensure!(status == 404, "GET {path} of the public listener answers {status}");
    }
    let status = server.stop()?;
    ensure!(status.success(), "the server exited with {status}");
    Ok(info)
}

/// Fails if anything but the addresses differs.
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
    fn startup_lines_may_differ_only_in_their_addresses() {
        let first = json!({"url": "http://127.0.0.1:1", "internal_url": null, "api_key": "vgk_a"});
        assert!(same(&first, json!({"url": "http://127.0.0.1:2", "api_key": "vgk_a"})).is_ok());
        assert!(same(&first, json!({"url": "http://127.0.0.1:1", "api_key": "vgk_b"})).is_err());
    }
}
