//! Starts and stops a service in the sandbox as its systemd unit says: program, arguments, user, environment and mask of new files.

use anyhow::{Context, ensure};

use super::sandbox::Sandbox;

/// Where the default configuration has the internal listener.
const READY: &str = "http://127.0.0.1:18080/readyz";
/// Lines of the service's log in the message of an error.
const LOG_LINES_MAX: u32 = 6;

/// What a unit says about its process.
#[derive(Debug, PartialEq, Eq)]
pub struct Unit {
    command: Vec<String>,
    user: String,
    mask: String,
    /// May be absent on the host.
    environment_file: String,
}

impl Unit {
    /// Reads an installed unit.
    pub fn read(sandbox: &Sandbox, path: &str) -> anyhow::Result<Self> {
        Self::parse(&sandbox.run(&format!("cat {path}"))?)
    }

    /// The program that it starts.
    pub fn program(&self) -> &str {
        self.command.first().map_or("", String::as_str)
    }

    fn parse(text: &str) -> anyhow::Result<Self> {
        let value = |key: &str| {
            let mut values = text.lines().filter_map(|line| line.strip_prefix(key)?.strip_prefix('='));
            values.next().map(str::to_owned).with_context(|| format!("the unit has no {key}="))
        };
        let command: Vec<String> = value("ExecStart")?.split_whitespace().map(str::to_owned).collect();
        ensure!(!command.is_empty(), "ExecStart= is empty");
        let environment_file = value("EnvironmentFile")?.trim_start_matches('-').to_owned();
        Ok(Self { command, user: value("User")?, mask: value("UMask")?, environment_file })
    }

    /// Starts the service and waits until it is ready.
    pub fn start(&self, sandbox: &Sandbox) -> anyhow::Result<()> {
        let Self { command, user, mask, environment_file } = self;
        let (program, arguments) = command.split_first().context("a command has a program")?;
        let arguments = arguments.join(" ");
        let log = "/run/voelgoed.log";
        let started = sandbox.run(&format!(
            "set -a; if [ -e {environment_file} ]; then . {environment_file}; fi
             start-stop-daemon --start --background --make-pidfile --pidfile /run/voelgoed.pid --chuid {user} --umask {mask} \
             --chdir / --output {log} --startas {program} -- {arguments}
             until curl --silent --fail {READY} >/dev/null; do kill -0 $(cat /run/voelgoed.pid); sleep 0.1; done"
        ));
        started
            .map(drop)
            .with_context(|| sandbox.run(&format!("tail --lines={LOG_LINES_MAX} {log}")).unwrap_or_default())
    }

    /// Stops the service with SIGTERM and waits for its end.
    pub fn stop(&self, sandbox: &Sandbox) -> anyhow::Result<()> {
        sandbox.run("start-stop-daemon --stop --pidfile /run/voelgoed.pid --retry TERM/60").map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn command_user_mask_and_environment_are_read_from_a_unit() -> anyhow::Result<()> {
        let text = "[Service]\nExecStart=/a/b serve --c d\nUser=e\nUMask=0077\nExecStartPre=/x\n\
             EnvironmentFile=-/f\n";
        let unit = Unit::parse(text)?;
        let command = ["/a/b", "serve", "--c", "d"].map(str::to_owned).to_vec();
        assert_eq!(unit, Unit { command, user: "e".into(), mask: "0077".into(), environment_file: "/f".into() });
        assert!(Unit::parse(&text.replace("UMask", "Mask")).is_err());
        Ok(())
    }
}
