//! Runs the provider as a process: prints its endpoint on standard output when it answers, and ends on a signal or with its parent.

use std::io::{self, Read, Write};

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;

use crate::config::SandboxConfig;
use crate::provider::{SandboxError, SandboxProvider};

/// Runs the provider as this process's only work. Prints `{"url", "pid"}` as one line when it answers, and returns after SIGINT, SIGTERM,
/// or the end of standard input where the configuration asks for that. Needs no cleanup, because every answer is already on the disk.
///
/// # Errors
/// [`SandboxError`] says why it cannot start or had to stop.
pub async fn serve(config: SandboxConfig) -> Result<(), SandboxError> {
    let exit_with_parent = config.exit_with_parent;
    let provider = SandboxProvider::open(config).await?;
    let mut terminate = signal(SignalKind::terminate())?;
    let parent_ended = end_of_input(exit_with_parent)?;
    print_endpoint(&provider)?;
    tokio::select! {
        ended = provider.run() => ended,
        _ = terminate.recv() => Ok(()),
        interrupted = tokio::signal::ctrl_c() => Ok(interrupted?),
        Ok(()) = parent_ended => Ok(()),
    }
}

fn print_endpoint(provider: &SandboxProvider) -> io::Result<()> {
    let mut line = serde_json::to_vec(provider.endpoint())?;
    line.push(b'\n');
    let mut stdout = io::stdout().lock();
    stdout.write_all(&line)?;
    stdout.flush()
}

/// Completes when standard input ends; fails at once where `watch` is false. Reads on a thread, because a runtime that shuts down waits
/// for a blocking read of standard input, while a process that ends does not wait for its threads.
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
