//! `cargo xtask dev`: the shop with its demo events, on this machine, with data that outlives the run.

use std::process::ExitCode;

use crate::run::Run;
use crate::shell;

/// How to start it.
#[derive(clap::Args)]
pub struct Options {
    /// Where to listen.
    #[arg(long, default_value = "127.0.0.1:8080")]
    listen: String,
    /// Print addresses, keys and events as one line of JSON.
    #[arg(long)]
    json: bool,
    /// Optimised, as it ships; slower to build.
    #[arg(long)]
    release: bool,
}

/// Builds and serves until it is stopped.
pub fn serve(run: &Run, options: &Options) -> anyhow::Result<ExitCode> {
    let data = run.target().join("dev-data");
    let mut command = shell::cargo(&run.root);
    command.args(["run", "--quiet", "--package", "voelgoed"]);
    if options.release {
        command.arg("--release");
    }
    command.args(["--", "demo", "--listen", &options.listen, "--data"]).arg(&data);
    if options.json {
        command.arg("--json");
    } else {
        println!("data: {} (delete it to begin anew)", data.display());
    }
    let status = command.status()?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
