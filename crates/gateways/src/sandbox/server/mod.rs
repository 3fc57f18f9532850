//! The sandbox payment provider: somebody else's company in a process of its own, with its own clock, file and port.
//!
//! Never: a rule or a store of the shop; the two sides share only `protocol` and `signature`. Keeps what it said through kill -9 at
//! any moment: an answer is given after its line is on the disk, pending charges and undelivered callbacks go on after a restart.

mod books;
mod clerk;
mod clock;
mod config;
mod courier;
mod data_file;
mod http;
mod journal;
mod method;
mod ports;
mod process;
mod provider;
mod record;
mod refused;
mod running;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

pub use config::{Delays, MOST_RECORDS, SandboxConfig};
pub use data_file::DataFileError;
pub use process::serve;
pub use running::reuse_or_describe;

use ports::Ports;
use provider::Provider;
use running::Running;

use super::protocol::Ready;

/// A connection to the shop that takes longer has failed.
const CALLBACK_CONNECT_DEADLINE: Duration = Duration::from_secs(2);

/// Why the provider cannot start, or had to stop.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// Another process has this data file.
    #[error("a sandbox provider already runs on {}", .0.display())]
    AlreadyRunning(PathBuf),
    /// The data file cannot be read or written.
    #[error(transparent)]
    DataFile(#[from] DataFileError),
    /// No port, no directory, or no thread.
    #[error("the sandbox provider cannot run: {0}")]
    Io(#[from] io::Error),
    /// No client for callbacks.
    #[error("the sandbox provider cannot send callbacks: {0}")]
    Callbacks(#[from] reqwest::Error),
    /// The data file could not be written; nothing is answered any more.
    #[error("{} cannot be written any more", .0.display())]
    Broken(PathBuf),
}

/// A provider that holds its data file and its port, and answers once it runs.
#[derive(Debug)]
pub struct Sandbox {
    provider: Arc<Provider>,
    ports: Ports,
    http: reqwest::Client,
    ready: Ready,
    /// Held, not read: the data file is ours while this lives.
    _running: Running,
}

impl Sandbox {
    /// Takes the data file and the port, and reads what is there.
    ///
    /// # Errors
    /// [`SandboxError::AlreadyRunning`] where another process has the file; else what is wrong with file or port.
    pub async fn open(config: SandboxConfig) -> Result<Self, SandboxError> {
        std::fs::create_dir_all(data_file::directory(&config.data_file))?;
        let Some(mut running) = Running::take(&config.data_file).await? else {
            return Err(SandboxError::AlreadyRunning(config.data_file));
        };
        let ports = Ports::take(config.listen, running.previous.as_ref()).await?;
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .connect_timeout(CALLBACK_CONNECT_DEADLINE)
            .build()?;
        let ends_with_parent = config.exit_with_parent;
        let provider = Arc::new(Provider::open(config)?);
        let ready = Ready { url: ports.url()?, pid: std::process::id(), ends_with_parent };
        running.describe(&ready)?;
        Ok(Self { provider, ports, http, ready, _running: running })
    }

    /// Where it is.
    #[must_use]
    pub fn ready(&self) -> &Ready {
        &self.ready
    }

    /// Answers, captures and calls back until the data file cannot be written any more. Dropped, it stops as if killed.
    ///
    /// # Errors
    /// [`SandboxError`] says why it had to stop.
    pub async fn run(self) -> Result<(), SandboxError> {
        let router = http::router(self.provider.clone(), self.ports.methods()?);
        let _stop = StopOnDrop(self.provider.clone());
        tokio::select! {
            stopped = axum::serve(self.ports.open, router).into_future() => Ok(stopped?),
            _ = clerk::run(&self.provider) => Err(SandboxError::Broken(self.provider.data_file().to_owned())),
            () = courier::run(&self.provider, &self.http) => Ok(()),
            () = self.provider.broken() => Err(SandboxError::Broken(self.provider.data_file().to_owned())),
        }
    }
}

/// Connections may outlive the future that accepted them; their answers must not.
struct StopOnDrop(Arc<Provider>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.stop();
    }
}
