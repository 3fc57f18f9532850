//! Signals a program and waits for its end.

use std::process::ExitStatus;

use anyhow::Context;

use super::{POLL_INTERVAL, Process, START_STOP_TIMEOUT, send_signal};

impl Process {
    /// Sends a signal, e.g. `-STOP`.
    ///
    /// # Errors
    /// The program is down.
    pub fn signal(&self, name: &str) -> anyhow::Result<()> {
        let pid = self.pid().with_context(|| format!("{} is down", self.name))?;
        send_signal(name, pid)
    }

    /// Sends a signal where the program runs; false where it is down or has ended.
    ///
    /// # Errors
    /// The signal cannot be sent.
    pub fn signal_if_running(&mut self, name: &str) -> anyhow::Result<bool> {
        let Some(child) = &mut self.child else { return Ok(false) };
        if child.try_wait()?.is_some() {
            return Ok(false);
        }
        self.signal(name).map(|()| true)
    }

    /// Sends a signal that ends the program, and waits for its end; success where it is down already.
    ///
    /// # Errors
    /// It does not end in time.
    pub async fn stop(&mut self, signal: &str) -> anyhow::Result<ExitStatus> {
        if self.child.is_some() {
            self.signal(signal)?;
        }
        self.wait().await
    }

    /// Waits for the end of the program; success where it is down already.
    ///
    /// # Errors
    /// It does not end in time.
    pub async fn wait(&mut self) -> anyhow::Result<ExitStatus> {
        let Some(child) = &mut self.child else { return Ok(ExitStatus::default()) };
        let polling = async {
            loop {
                if let Some(status) = child.try_wait()? {
                    return anyhow::Ok(status);
                }
                tokio::time::sleep(POLL_INTERVAL).await;
            }
        };
        let ended = tokio::time::timeout(START_STOP_TIMEOUT, polling).await;
        let status = ended.with_context(|| format!("{} does not end within {START_STOP_TIMEOUT:?}", self.name))??;
        self.child = None;
        Ok(status)
    }
}
