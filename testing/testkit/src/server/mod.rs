//! Starts the `voelgoed` server (`demo` or `serve`) as a child process at fixed addresses, so that it can be killed and started again where clients expect it.
//!
//! Never: a server that outlives its value, or a signal to a process that was not started here (the provider's id is in its own lock file).

mod command_line;
mod control;
mod directories;
mod options;
mod requests;

use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use reqwest::Method;
use serde_json::Value;

use crate::free_port::free_address;
use crate::http_client::{ApiCall, ApiClient};
use crate::process::{LogWriter, Process};
use crate::until::until;

pub use command_line::run_command;
use command_line::{has_internal_listener, serving_command};
pub use directories::{copy_directory, empty_directory};
pub use options::{OPERATOR, ServerCommand, ServerOptions};

/// For seeding and starting, also on a busy machine.
const START_TIMEOUT: Duration = Duration::from_secs(120);

/// A server, running or not.
#[derive(Debug)]
pub struct TestServer {
    options: ServerOptions,
    process: Process,
    /// `host:port` that serves people; of a worker the internal one.
    pub address: String,
    /// `host:port` that serves operators and health checks.
    pub internal_address: String,
    /// What a demo prints about itself: `url`, `organization`, `api_key`, …; null for `serve`.
    pub card: Value,
    /// False for a program from before the internal listener, which serves operators at `address`.
    has_internal_listener: bool,
    client: ApiClient,
    operator: ApiClient,
}

impl TestServer {
    /// A server on free ports, not started yet.
    ///
    /// # Errors
    /// No port is free.
    pub fn new(options: ServerOptions) -> anyhow::Result<Self> {
        let internal_address = free_address()?;
        let is_worker = options.command == ServerCommand::Serve("worker");
        let address = if is_worker { internal_address.clone() } else { free_address()? };
        Self::at(options, address, internal_address)
    }

    fn at(options: ServerOptions, address: String, internal_address: String) -> anyhow::Result<Self> {
        let has_internal_listener = has_internal_listener(&options.binary);
        let readiness = if has_internal_listener { &internal_address } else { &address };
        let command = serving_command(&options, &address, &internal_address, has_internal_listener);
        let log_writer = if options.survives_full_disk { LogWriter::Pipe } else { LogWriter::Program };
        let process = Process::new(&options.name, &address, &command, options.log.clone()).with_log_writer(log_writer);
        let client = ApiClient::new(&format!("http://{address}"))?;
        let operator = ApiClient::new(&format!("http://{readiness}"))?;
        Ok(Self {
            options,
            process,
            address,
            internal_address,
            card: Value::Null,
            has_internal_listener,
            client,
            operator,
        })
    }

    /// Starts a server on free ports and waits until it is ready.
    ///
    /// # Errors
    /// It does not come up in time.
    pub async fn started(options: ServerOptions) -> anyhow::Result<Self> {
        let mut server = Self::new(options)?;
        server.start().await?;
        Ok(server)
    }

    /// Starts the server (again) at its addresses, and waits until it is ready.
    ///
    /// # Errors
    /// It runs already, or does not come up in time.
    pub async fn start(&mut self) -> anyhow::Result<()> {
        self.launch().await?;
        self.ready().await
    }

    /// Starts the server without waiting until it is ready; of a demo it waits for the card.
    ///
    /// # Errors
    /// It runs already, or cannot be started.
    pub async fn launch(&mut self) -> anyhow::Result<()> {
        match self.options.command {
            ServerCommand::Demo => {
                let line = self.process.start_and_read_line(START_TIMEOUT).await?;
                self.card = serde_json::from_str(&line).with_context(|| format!("the demo's card: {line}"))?;
                Ok(())
            }
            ServerCommand::Serve(_) => self.process.start(),
        }
    }

    /// Waits until the server says that it is ready.
    ///
    /// # Errors
    /// It does not in time.
    pub async fn ready(&self) -> anyhow::Result<()> {
        let what = format!("{} is ready (see {})", self.options.name, self.options.log.display());
        until(&what, START_TIMEOUT, || async { Ok(self.is_ready().await.then_some(())) }).await
    }

    /// True where the server says that it is ready.
    pub async fn is_ready(&self) -> bool {
        let response = self.operator.call(Method::GET, "/readyz", ApiCall::default()).await;
        response.is_ok_and(|response| response.status == 200)
    }

    /// Names the server in messages.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.options.name
    }

    /// `all`, `web`, `worker` or `demo`.
    #[must_use]
    pub fn role(&self) -> &'static str {
        match self.options.command {
            ServerCommand::Demo => "demo",
            ServerCommand::Serve(role) => role,
        }
    }

    /// True where the server serves people.
    #[must_use]
    pub fn serves_people(&self) -> bool {
        self.role() != "worker"
    }

    /// `http://host:port`, also while the server is down.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// `http://host:port` of the internal listener.
    #[must_use]
    pub fn internal_url(&self) -> String {
        format!("http://{}", self.internal_address)
    }

    /// `host:port` that answers health checks.
    #[must_use]
    pub fn readiness_address(&self) -> &str {
        if self.has_internal_listener { &self.internal_address } else { &self.address }
    }

    /// The client of the public listener.
    #[must_use]
    pub fn client(&self) -> &ApiClient {
        &self.client
    }

    /// The client of the internal listener.
    #[must_use]
    pub fn operator(&self) -> &ApiClient {
        &self.operator
    }

    /// The process id, while the server runs.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.process.pid()
    }

    /// The data directory.
    #[must_use]
    pub fn data(&self) -> &Path {
        &self.options.data
    }

    /// A text of the card; empty where it has none of that name.
    #[must_use]
    pub fn card_text(&self, field: &str) -> &str {
        self.card[field].as_str().unwrap_or_default()
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        if self.options.deletes_data {
            self.process.kill_if_running();
            let _ = std::fs::remove_dir_all(&self.options.data);
            let _ = std::fs::remove_file(&self.options.log);
        }
    }
}
