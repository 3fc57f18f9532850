//! Tests the cells of the capability table: a file per column breaks a real dependency, sends every row's request over HTTP, repairs it, and checks that
//! interrupted requests complete (P1-P3, P5, P6, P10).
//!
//! Never: a check on a time (`cargo xtask bench refusals` measures the cost of a refusal). Each check is a promised response, or that nothing is lost,
//! doubled or stuck afterwards. To add a row: a request in `requests.rs`, and its promise in every column. To add a column: a file and a line in [`run`].

mod cold_down;
mod disk_full;
mod fixture;
mod node_dies;
mod primary_down;
mod provider_down;
mod requests;
mod response_values;
mod warm_down;

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use voelgoed_testkit::report::SuiteReport;

/// For every change of state that a test waits for.
const RECOVERY_TIMEOUT: Duration = Duration::from_secs(60);

/// Options of `cells`.
#[derive(Debug, Args)]
pub struct CellsOptions {
    /// The configuration of HAProxy.
    #[arg(long, default_value = "deploy/haproxy/haproxy.cfg")]
    haproxy: PathBuf,
    /// Only the scenarios whose name contains this.
    #[arg(long, default_value = "")]
    only: String,
}

/// Runs all scenarios concurrently, and the columns of one scenario one after the other.
pub async fn run(binary: &Path, root: &Path, options: &CellsOptions, report: &mut SuiteReport) -> anyhow::Result<()> {
    let (binary, haproxy) = (binary.canonicalize()?, options.haproxy.canonicalize()?);
    let root = root.join("cells");
    std::fs::create_dir_all(&root)?;
    let root = root.canonicalize()?;
    let scenarios: [(&str, _); 4] = tokio::join!(
        scenario(options, "disk", async |report| disk_full::run(&binary, &root, report).await),
        scenario(options, "warm and provider", async |report| {
            let mut fixture = fixture::CellsFixture::open(&binary, &root, "warm", false).await?;
            warm_down::run(&mut fixture, report).await?;
            provider_down::run(&mut fixture, report).await?;
            fixture.check_final_state(report).await
        }),
        scenario(options, "cold", async |report| {
            let mut fixture = fixture::CellsFixture::open(&binary, &root, "cold", true).await?;
            primary_down::run(&mut fixture, report).await?;
            cold_down::run(&mut fixture, report).await?;
            fixture.check_final_state(report).await
        }),
        scenario(options, "node", async |report| node_dies::run(&binary, &root, &haproxy, report).await),
    )
    .into();
    for (name, (of_scenario, ended)) in scenarios {
        report.add(&of_scenario);
        if let Some(ended) = ended {
            report.check(&format!("{name}: the scenario runs to its end"), ended);
        }
    }
    Ok(())
}

/// Runs a scenario with a report of its own, so that scenarios can run concurrently.
async fn scenario<'n>(
    options: &CellsOptions,
    name: &'n str,
    run: impl AsyncFnOnce(&mut SuiteReport) -> anyhow::Result<()>,
) -> (&'n str, (SuiteReport, Option<anyhow::Result<()>>)) {
    let mut report = SuiteReport::default();
    if !name.contains(&options.only) {
        return (name, (report, None));
    }
    let ended = run(&mut report).await;
    (name, (report, Some(ended)))
}
