//! Builds the command line of a server, and runs other commands of its binary.

use std::path::Path;
use std::process::Command;

use super::options::{ServerCommand, ServerOptions};
use crate::process::run_to_end;

pub(super) fn serving_command(
    options: &ServerOptions,
    address: &str,
    internal_address: &str,
    has_internal_listener: bool,
) -> Command {
    let prelude = options.shell_prelude.into_iter().chain(options.survives_full_disk.then_some("trap '' XFSZ"));
    let prelude: Vec<&str> = prelude.collect();
    let mut command = if prelude.is_empty() {
        Command::new(&options.binary)
    } else {
        let mut shell = Command::new("sh");
        shell.arg("-c").arg(format!("{}; exec \"$@\"", prelude.join("; "))).arg("sh").arg(&options.binary);
        shell
    };
    let serves_people = match options.command {
        ServerCommand::Demo => {
            command.args(["demo", "--json"]);
            true
        }
        ServerCommand::Serve(role) => {
            command.args(["serve", "--role", role]);
            role != "worker"
        }
    };
    if has_internal_listener {
        command.args(["--internal-listen", internal_address]);
    }
    if serves_people || !has_internal_listener {
        command.args(["--listen", address]);
    }
    command.arg("--data").arg(&options.data).envs(options.environment.iter().cloned());
    command
}

/// Runs a command of the binary to its end and returns its standard output.
///
/// # Errors
/// It fails.
pub async fn run_command(
    binary: &Path,
    arguments: &[&str],
    data: &Path,
    environment: &[(String, String)],
) -> anyhow::Result<String> {
    let mut command = Command::new(binary);
    command.args(arguments).arg("--data").arg(data).envs(environment.iter().cloned());
    run_to_end(command).await
}

/// Whether the program's `serve` knows the option.
pub(super) fn has_internal_listener(binary: &Path) -> bool {
    let help = Command::new(binary).args(["serve", "--help"]).output();
    help.is_ok_and(|help| String::from_utf8_lossy(&help.stdout).contains("--internal-listen"))
}
