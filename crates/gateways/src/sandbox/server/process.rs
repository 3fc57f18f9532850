//! The provider as a process: one line on standard output when it is ready, and the ways in which it ends.

use std::io::{self, Read, Write};

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;

use super::config::SandboxConfig;
use super::{Sandbox, SandboxError};

/// Runs the provider as this process's only work: prints `{"url", "pid"}` as one line when it is ready, and returns after SIGINT, SIGTERM,
/// or the end of standard input where the configuration asks for that. Nothing needs to be tidied up: what was answered is on the disk.
///
/// # Errors
/// [`SandboxError`] says why it cannot start or had to stop.
pub async fn serve(config: SandboxConfig) -> Result<(), SandboxError> {
    let with_parent = config.exit_with_parent;
    let sandbox = Sandbox::open(config).await?;
    let mut terminate = signal(SignalKind::terminate())?;
    let parent = end_of_input(with_parent)?;
    announce(&sandbox)?;
    tokio::select! {
        ended = sandbox.run() => ended,
        _ = terminate.recv() => Ok(()),
        interrupted = tokio::signal::ctrl_c() => Ok(interrupted?),
        Ok(()) = parent => Ok(()),
    }
}

fn announce(sandbox: &Sandbox) -> io::Result<()> {
    let mut line = serde_json::to_vec(sandbox.ready())?;
    line.push(b'\n');
    let mut stdout = io::stdout().lock();
    stdout.write_all(&line)?;
    stdout.flush()
}

/// Completes when standard input ends; never where `watch` is false. A thread of its own, since a runtime cannot give up a read of standard
/// input when it shuts down, while a process that ends does not wait for its threads.
fn end_of_input(watch: bool) -> io::Result<oneshot::Receiver<()>> {
    let (ended, end) = oneshot::channel();
    if watch {
        std::thread::Builder::new().name("sandbox-parent".into()).spawn(move || {
            let mut input = io::stdin().lock();
            while matches!(input.read(&mut [0; 64]), Ok(1..)) {}
            ended.send(()).ok();
        })?;
    }
    Ok(end)
}
