//! Opens the data file, the lock file and the ports, and runs the HTTP server, the capture scheduler and the webhook sender until one of them ends.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::config::SandboxConfig;
use crate::data_file::{self, DataFileError};
use crate::durable_state::DurableState;
use crate::lock_file::LockFile;
use crate::protocol::ProviderEndpoint;
use crate::tcp_ports::TcpPorts;
use crate::{capture_scheduler, http, webhook_sender};

/// Limits how long connecting to the shop may take.
const CALLBACK_CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// Why the provider cannot start, or had to stop.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// Another process holds the lock of this data file.
    #[error("a sandbox provider already runs on {}", .0.display())]
    AlreadyRunning(PathBuf),
    /// The data file cannot be read or written.
    #[error(transparent)]
    DataFile(#[from] DataFileError),
    /// A port, a directory or a thread could not be created.
    #[error("the sandbox provider cannot run: {0}")]
    Io(#[from] io::Error),
    /// The HTTP client for callbacks could not be created.
    #[error("the sandbox provider cannot send callbacks: {0}")]
    Callbacks(#[from] reqwest::Error),
    /// Writing the data file failed while the provider ran; it answers nothing any more.
    #[error("{} cannot be written any more", .0.display())]
    Broken(PathBuf),
}

/// A provider that holds its data file and its ports; it answers while [`SandboxProvider::run`] is polled.
#[derive(Debug)]
pub struct SandboxProvider {
    state: Arc<DurableState>,
    ports: TcpPorts,
    http: reqwest::Client,
    endpoint: ProviderEndpoint,
    /// Keeps the data file locked for as long as the provider lives.
    _lock_file: LockFile,
}

impl SandboxProvider {
    /// Locks and reads the data file, and binds the ports.
    ///
    /// # Errors
    /// [`SandboxError::AlreadyRunning`] where another process holds the lock; otherwise what is wrong with the file or the port.
    pub async fn open(config: SandboxConfig) -> Result<Self, SandboxError> {
        std::fs::create_dir_all(data_file::directory(&config.data_file))?;
        let Some(mut lock_file) = LockFile::acquire(&config.data_file).await? else {
            return Err(SandboxError::AlreadyRunning(config.data_file));
        };
        let ports = TcpPorts::bind(config.listen, lock_file.previous.as_ref()).await?;
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .connect_timeout(CALLBACK_CONNECT_TIMEOUT)
            .build()?;
        let ends_with_parent = config.exit_with_parent;
        let state = Arc::new(DurableState::open(config)?);
        let endpoint = ProviderEndpoint { url: ports.url()?, pid: std::process::id(), ends_with_parent };
        lock_file.write_endpoint(&endpoint)?;
        Ok(Self { state, ports, http, endpoint, _lock_file: lock_file })
    }

    /// The address and the process of this provider.
    #[must_use]
    pub fn endpoint(&self) -> &ProviderEndpoint {
        &self.endpoint
    }

    /// Answers requests, captures charges and sends callbacks until the data file cannot be written. Dropping the future stops the
    /// provider as a kill would.
    ///
    /// # Errors
    /// [`SandboxError`] says why it had to stop.
    pub async fn run(self) -> Result<(), SandboxError> {
        let router = http::router(self.state.clone(), self.ports.methods()?);
        let _stop = StopOnDrop(self.state.clone());
        tokio::select! {
            stopped = axum::serve(self.ports.open, router).into_future() => Ok(stopped?),
            _ = capture_scheduler::run(&self.state) => Err(SandboxError::Broken(self.state.data_file().to_owned())),
            () = webhook_sender::run(&self.state, &self.http) => Ok(()),
            () = self.state.write_failed() => Err(SandboxError::Broken(self.state.data_file().to_owned())),
        }
    }
}

/// Stops the state when `run` ends, because connections may outlive the future that accepted them and must not be answered then.
struct StopOnDrop(Arc<DurableState>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.stop();
    }
}
