//! Starts the demo server for `cargo xtask dev`: one process with persistent data, or a cluster of many processes.

use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

use anyhow::Context;

use crate::child_process;
use crate::system_packages::{self, HAPROXY, POSTGRES, REDIS};
use crate::task_context::TaskContext;

/// Command line options of `cargo xtask dev`.
#[derive(clap::Args)]
pub struct DevArguments {
    /// Address and port to listen on.
    #[arg(long, default_value = "127.0.0.1:8080")]
    listen: String,
    /// Print addresses, keys and events as one line of JSON.
    #[arg(long)]
    json: bool,
    /// Build with optimisations, as shipped; builds slower.
    #[arg(long)]
    release: bool,
    /// Three web nodes and two workers behind HAProxy, with Redis Cluster and Postgres with a replica; optimised, on free ports.
    #[arg(long)]
    cluster: bool,
}

/// Builds the server and runs it until it is stopped.
pub fn serve(context: &TaskContext, options: &DevArguments) -> anyhow::Result<ExitCode> {
    if options.cluster {
        return serve_cluster(context, options);
    }
    let data = context.target().join("dev-data");
    let mut command = child_process::cargo(&context.root);
    command.args(["run", "--quiet", "--package", "voelgoed"]);
    if options.release {
        command.arg("--release");
    }
    command.args(["--", "demo", "--listen", &options.listen, "--data"]).arg(&data);
    if options.json {
        command.arg("--json");
    } else {
        println!("data: {} (delete it to start with an empty database)", data.display());
    }
    let status = command.status()?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Replaces this process with `voelgoed-nodes dev`, which starts the cluster.
///
/// With `exec` Ctrl-C reaches that program directly, and its children end with it even if it is killed.
fn serve_cluster(context: &TaskContext, options: &DevArguments) -> anyhow::Result<ExitCode> {
    system_packages::install_missing(&[HAPROXY, POSTGRES, REDIS])?;
    // Callers parse the first line of standard output, so cargo must not print there.
    child_process::run_checked_quietly(child_process::cargo(&context.root).args([
        "build",
        "--package",
        "voelgoed-nodes",
    ]))?;
    child_process::run_checked_quietly(child_process::cargo(&context.root).args([
        "build",
        "--release",
        "--package",
        "voelgoed",
    ]))?;
    let target = context.target();
    let mut command = Command::new(target.join("debug").join("voelgoed-nodes"));
    command.current_dir(&context.root).arg("dev").arg("--binary").arg(target.join("release").join("voelgoed"));
    command.arg("--root").arg(target.join("dev-cluster"));
    if options.json {
        command.arg("--json");
    }
    Err(command.exec()).with_context(|| format!("cannot start {}", child_process::command_line(&command)))
}
