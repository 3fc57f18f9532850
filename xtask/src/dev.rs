//! `cargo xtask dev`: the shop with its demo events, on this machine, with data that outlives the run; one process, or a platform of many.

use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

use anyhow::Context;

use crate::machine::{self, HAPROXY, POSTGRES, REDIS};
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
    /// Three web nodes and two workers behind HAProxy, on a Redis Cluster and a Postgres with a replica; optimised. Ports are free ones.
    #[arg(long)]
    cluster: bool,
}

/// Builds and serves until it is stopped.
pub fn serve(run: &Run, options: &Options) -> anyhow::Result<ExitCode> {
    if options.cluster {
        return serve_cluster(run, options);
    }
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

/// The same as a platform of many processes; what starts and ends them is a program of `testing/nodes`, which takes this one's place: it is
/// what Ctrl-C reaches and what the shell waits for, and all that it started ends with it, also where it is killed.
fn serve_cluster(run: &Run, options: &Options) -> anyhow::Result<ExitCode> {
    machine::prepare(&[HAPROXY, POSTGRES, REDIS])?;
    // Cargo's own words go to standard error: the first line of standard output is the platform's.
    shell::quietly(shell::cargo(&run.root).args(["build", "--package", "voelgoed-nodes"]))?;
    shell::quietly(shell::cargo(&run.root).args(["build", "--release", "--package", "voelgoed"]))?;
    let target = run.target();
    let mut command = Command::new(target.join("debug").join("voelgoed-nodes"));
    command.current_dir(&run.root).arg("dev").arg("--binary").arg(target.join("release").join("voelgoed"));
    command.arg("--root").arg(target.join("dev-cluster"));
    if options.json {
        command.arg("--json");
    }
    Err(command.exec()).with_context(|| format!("cannot start {}", shell::spelled(&command)))
}
