//! Runs shell scripts as root in a copy-on-write view of this machine: own mounts, processes and network, an overlay on memory over `/`.
//!
//! Never: a change of the machine, a process that outlives the value, a script without a timeout.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};

use anyhow::{Context, bail};

use crate::child_process::capture;

/// `$1` is an empty directory, `$2` is visible inside as `/run/packages`. The shell becomes process 1: it reaps what daemons leave, and ends with its input.
///
/// `/run` and `/tmp` are new, so that no script reaches the machine's systemd.
const SETUP: &str = r#"
mount --make-rprivate /
mount -t tmpfs tmpfs "$1"
mkdir "$1/changes" "$1/work" "$1/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/changes,workdir=$1/work" "$1/root"
read -r id rest </proc/self/stat
mount -t tmpfs tmpfs "$1/root/run"
mkdir "$1/root/run/packages"
mount --bind "$2" "$1/root/run/packages"
mount -t tmpfs tmpfs "$1/root/tmp"
mount -t proc proc "$1/root/proc"
mount --rbind /dev "$1/root/dev"
ip link set lo up
echo "$id"
exec 3<&0
cat <&3 &
wait $!
"#;
/// Succeeds if this machine permits namespaces at all.
const NAMESPACES: &str = "unshare --mount --net --pid --fork true";
/// Succeeds if this machine permits an overlay in the directory `$1`; its layers are empty, so that nothing else can fail.
const OVERLAY: &str = r#"
mount --make-rprivate /
mount -t tmpfs tmpfs "$1"
mkdir "$1/below" "$1/changes" "$1/work" "$1/root"
mount -t overlay overlay -o "lowerdir=$1/below,upperdir=$1/changes,workdir=$1/work" "$1/root"
"#;
/// Seconds for one script.
const SCRIPT_TIMEOUT: &str = "120";
/// That of root.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Why this machine permits no sandbox: not root, or no namespaces or overlayfs, as in most containers. `None` if it permits one.
///
/// The checks are apart from [`Sandbox::start`], so that a fault of its script is not taken for a missing permission.
pub fn missing_permission(directory: &Path) -> anyhow::Result<Option<String>> {
    if capture(Command::new("id").arg("-u"))?.trim() != "0" {
        return Ok(Some("this process is not root".to_owned()));
    }
    let mut namespaces = Command::new("sh");
    namespaces.args(["-euc", NAMESPACES]);
    let mut overlay = Command::new("unshare");
    overlay.args(["--mount", "sh", "-euc", OVERLAY, "sh"]).arg(directory);
    let refusals = [namespaces, overlay].into_iter().find_map(|mut probe| capture(&mut probe).err());
    Ok(refusals.map(|error| format!("{error:#}")))
}

/// A running view.
pub struct Sandbox {
    child: Child,
    /// Process 1 ends once this is closed.
    input: Option<ChildStdin>,
    /// Process 1, as this process sees it.
    id: String,
    directory: PathBuf,
}

impl Sandbox {
    /// Starts the view with the empty `directory` for its mounts; the files of `packages` are in `/run/packages`.
    ///
    /// # Errors
    /// A step of the setup failed; [`missing_permission`] says beforehand whether this machine permits them.
    pub fn start(directory: &Path, packages: &Path) -> anyhow::Result<Self> {
        let mut command = Command::new("unshare");
        command.args(["--mount", "--net", "--pid", "--fork", "--kill-child", "sh", "-euc", SETUP, "sh"]);
        command.arg(directory).arg(packages).env_clear().env("PATH", PATH);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        let input = child.stdin.take();
        let mut line = String::new();
        BufReader::new(child.stdout.take().context("stdout is piped")?).read_line(&mut line)?;
        if line.is_empty() {
            let mut error = String::new();
            child.stderr.take().context("stderr is piped")?.read_to_string(&mut error)?;
            child.wait()?;
            bail!("{}", error.trim());
        }
        Ok(Self { child, input, id: line.trim().to_owned(), directory: directory.to_owned() })
    }

    /// Runs a script with bash as root inside, and returns what it prints.
    pub fn run(&self, script: &str) -> anyhow::Result<String> {
        let mut command = self.enter();
        command.arg("chroot").arg(self.directory.join("root"));
        command.args(["timeout", "--kill-after=5", SCRIPT_TIMEOUT, "bash", "-eu", "-o", "pipefail", "-c", script]);
        let output = command.output().context("cannot start nsenter")?;
        if !output.status.success() {
            let stderr = String::from_utf8_lossy(&output.stderr);
            bail!("`{}` ended with {}: {}", script.trim(), output.status, stderr.trim());
        }
        Ok(String::from_utf8(output.stdout)?)
    }

    /// Files that were made or changed, and directories that were made, as absolute paths.
    pub fn changes(&self) -> anyhow::Result<Vec<String>> {
        let script = r#"cd "$1/changes"; find . -mindepth 1 -printf '%y %P\n' | while read -r kind path; do
            if [ "$kind" != d ] || [ ! -d "/$path" ]; then echo "/$path"; fi; done"#;
        let printed = capture(self.enter().args(["sh", "-euc", script, "sh"]).arg(&self.directory))?;
        Ok(printed.lines().map(str::to_owned).collect())
    }

    /// A command that continues in the namespaces.
    fn enter(&self) -> Command {
        let mut command = Command::new("nsenter");
        command.args(["--target", &self.id, "--mount", "--net", "--pid"]);
        command.env_clear().env("PATH", PATH).env("HOME", "/root").env("LC_ALL", "C.UTF-8").stdin(Stdio::null());
        command
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.input.take();
        // Fails if process 1 has ended already; the kernel ends all other processes of the view with it.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
