//! Starts the `voelgoed` server (`demo` or `serve`) as a child process at fixed addresses, so that it can be killed and started again where clients expect it.
//!
//! Never: a server that outlives its value, or a signal to a process that was not started here (the provider's id is in its own lock file).

use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::time::Duration;

use anyhow::{Context, ensure};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::free_port::free_address;
use crate::http_client::{ApiCall, ApiClient, ApiResponse};
use crate::process::{LogWriter, Process, is_alive, run_to_end, send_signal};
use crate::until::until;

/// For seeding and starting, also on a busy machine.
const START_TIMEOUT: Duration = Duration::from_secs(120);
const PROVIDER_END_TIMEOUT: Duration = Duration::from_secs(40);
/// The operator's key of servers that are started with [`ServerOptions::with_operator`].
pub const OPERATOR: &str = "operator-of-the-tests-0123456789abcdef";

/// The command of the binary that serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServerCommand {
    /// `demo`: seeds events, starts a sandbox provider, and prints a card with addresses and keys.
    Demo,
    /// `serve` as `all`, `web` or `worker`.
    Serve(&'static str),
}

/// How a server is started.
#[derive(Debug, Clone)]
pub struct ServerOptions {
    /// Names the server in messages.
    pub name: String,
    /// The `voelgoed` binary.
    pub binary: PathBuf,
    /// The command that serves.
    pub command: ServerCommand,
    /// The data directory.
    pub data: PathBuf,
    /// Standard error; beside the data directory by default.
    pub log: PathBuf,
    /// Settings, e.g. `VOELGOED__SALE__HOLD`.
    pub environment: Vec<(String, String)>,
    /// Shell commands that run before the program takes the shell's place, e.g. `umask 000`.
    pub shell_prelude: Option<&'static str>,
    /// Whether `prlimit --fsize=0` makes file writes fail instead of ending the server, and leaves its log alone.
    pub survives_full_disk: bool,
    /// Whether data directory and log are deleted with the value.
    pub deletes_data: bool,
}

impl ServerOptions {
    /// A server of `binary` on `data`, with default settings.
    #[must_use]
    pub fn new(binary: &Path, command: ServerCommand, data: &Path) -> Self {
        Self {
            name: "the server".to_owned(),
            binary: binary.to_owned(),
            command,
            data: data.to_owned(),
            log: data.with_extension("log"),
            environment: Vec::new(),
            shell_prelude: None,
            survives_full_disk: false,
            deletes_data: false,
        }
    }

    /// Adds settings.
    #[must_use]
    pub fn with_environment<N: Into<String>, V: Into<String>>(
        mut self,
        settings: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        self.environment.extend(settings.into_iter().map(|(name, value)| (name.into(), value.into())));
        self
    }

    /// Gives the server the operator's key [`OPERATOR`].
    #[must_use]
    pub fn with_operator(self) -> Self {
        self.with_environment([("VOELGOED__SECRETS__OPERATOR", OPERATOR)])
    }
}

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

    /// Runs another program from the next start on.
    ///
    /// # Errors
    /// No HTTP client can be made.
    pub fn set_binary(&mut self, binary: &Path) -> anyhow::Result<()> {
        self.options.binary = binary.to_owned();
        self.has_internal_listener = has_internal_listener(binary);
        self.operator = ApiClient::new(&format!("http://{}", self.readiness_address()))?;
        self.renew_command();
        Ok(())
    }

    /// Changes a setting from the next start on.
    pub fn set_environment(&mut self, name: &str, value: &str) {
        self.options.environment.retain(|(known, _)| known != name);
        self.options.environment.push((name.to_owned(), value.to_owned()));
        self.renew_command();
    }

    fn renew_command(&mut self) {
        let Self { options, address, internal_address, has_internal_listener, .. } = &*self;
        let command = serving_command(options, address, internal_address, *has_internal_listener);
        self.process.set_command(&command);
    }

    /// Runs another command of the binary with this server's settings to its end, and returns its standard output.
    ///
    /// # Errors
    /// It fails.
    pub async fn run(&self, arguments: &[&str]) -> anyhow::Result<String> {
        let data = self.options.data.with_extension("commands");
        run_command(&self.options.binary, arguments, &data, &self.options.environment).await
    }

    /// Starts the server where it is down, as a supervisor does; true where it had ended by itself.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn restart_if_ended(&mut self) -> anyhow::Result<bool> {
        self.process.restart_if_ended()
    }

    /// Kills the server without warning (SIGKILL).
    ///
    /// # Errors
    /// It is down.
    pub fn kill(&mut self) -> anyhow::Result<()> {
        self.process.kill()
    }

    /// Kills the server (SIGKILL); nothing where it is down.
    pub fn kill_if_running(&mut self) {
        self.process.kill_if_running();
    }

    /// Sends SIGTERM and waits until the server has drained.
    ///
    /// # Errors
    /// It is down, does not end in time, or ends with an error.
    pub async fn stop(&mut self) -> anyhow::Result<()> {
        ensure!(self.pid().is_some(), "{} is down already", self.options.name);
        let status = self.process.stop("-TERM").await?;
        ensure!(status.success(), "{} ended with {status} (see {})", self.options.name, self.options.log.display());
        Ok(())
    }

    /// Sends SIGTERM without waiting.
    ///
    /// # Errors
    /// The server is down.
    pub fn terminate(&self) -> anyhow::Result<()> {
        self.process.signal("-TERM")
    }

    /// Waits for the end of the server.
    ///
    /// # Errors
    /// It does not end in time.
    pub async fn wait(&mut self) -> anyhow::Result<ExitStatus> {
        self.process.wait().await
    }

    /// Sends a signal, e.g. `-STOP`, where the server runs; false where it is down.
    ///
    /// # Errors
    /// The signal cannot be sent.
    pub fn signal_if_running(&mut self, name: &str) -> anyhow::Result<bool> {
        self.process.signal_if_running(name)
    }

    /// Lets the server's process write files, or refuses every write (`prlimit --fsize`); reads go on.
    ///
    /// # Errors
    /// `prlimit` refuses, or the server is down.
    pub fn allow_file_writes(&self, allowed: bool) -> anyhow::Result<()> {
        ensure!(self.options.survives_full_disk, "{} would be ended by a refused write", self.options.name);
        let pid = self.pid().with_context(|| format!("{} is down", self.options.name))?.to_string();
        let limit = if allowed { "--fsize=unlimited:unlimited" } else { "--fsize=0:unlimited" };
        let status = Command::new("prlimit").args(["--pid", &pid, limit]).status()?;
        ensure!(status.success(), "prlimit: {status}");
        Ok(())
    }

    /// Kills the sandbox provider that a demo has started (SIGKILL); false where there is none right now.
    ///
    /// # Errors
    /// The provider does not end.
    pub async fn kill_provider(&self) -> anyhow::Result<bool> {
        let Some(pid) = provider_pid(&self.options.data) else { return Ok(false) };
        let command = std::fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let file = self.options.data.join("sandbox");
        if !command.contains("sandbox-psp") || !command.contains(file.to_str().unwrap_or("?")) {
            return Ok(false);
        }
        send_signal("-KILL", pid)?;
        until("the provider is gone", PROVIDER_END_TIMEOUT, || async { Ok((!is_alive(pid)).then_some(())) }).await?;
        Ok(true)
    }

    /// How the server sees a dependency (`warm`, `cold`, …), as `/readyz` says.
    ///
    /// # Errors
    /// No response, or an unknown dependency.
    pub async fn dependency_health(&self, dependency: &str) -> anyhow::Result<String> {
        let ready = self.operator.call(Method::GET, "/readyz", ApiCall::default()).await?.json();
        let all = ready["dependencies"].as_array().context("dependencies")?;
        let found = all.iter().find(|one| one["dependency"] == dependency).context("the dependency")?;
        Ok(found["health"].as_str().unwrap_or_default().to_owned())
    }

    /// Makes an organization with the operator's key; the body of the response, with its first `api_key`.
    ///
    /// # Errors
    /// The server was started without [`ServerOptions::with_operator`], or the slug is taken.
    pub async fn organization(&self, slug: &str) -> anyhow::Result<Value> {
        let body = json!({"name": slug, "slug": slug});
        let call = ApiCall { bearer: Some(OPERATOR), body: Some(&body), ..ApiCall::default() };
        self.operator.call(Method::POST, "/api/v1/organizations", call).await?.must(201)
    }

    /// A request to a path of the public listener.
    pub fn request(&self, method: &str, path: &str) -> RequestBuilder {
        self.client.request(method, path)
    }

    /// A request to a path of the internal listener.
    pub fn internal_request(&self, method: &str, path: &str) -> RequestBuilder {
        self.operator.request(method, path)
    }

    /// Sends a request and reads its response.
    ///
    /// # Errors
    /// No whole response came.
    pub async fn send(&self, request: RequestBuilder) -> anyhow::Result<ApiResponse> {
        self.client.send(request).await
    }

    /// `POST` of JSON, with a bearer's key unless it is empty; the body of a response that must be a success.
    ///
    /// # Errors
    /// No whole response came, or no success.
    pub async fn post(&self, path: &str, key: &str, body: &Value) -> anyhow::Result<Value> {
        self.success(self.request("POST", path).json(body), key).await.with_context(|| format!("POST {path}"))
    }

    /// `GET` with a bearer's key unless it is empty; the body of a response that must be a success.
    ///
    /// # Errors
    /// No whole response came, or no success.
    pub async fn get(&self, path: &str, key: &str) -> anyhow::Result<Value> {
        self.success(self.request("GET", path), key).await.with_context(|| format!("GET {path}"))
    }

    async fn success(&self, request: RequestBuilder, key: &str) -> anyhow::Result<Value> {
        let request = if key.is_empty() { request } else { request.bearer_auth(key) };
        let response = self.send(request).await?;
        ensure!(response.is_success(), "{} {}", response.status, response.body);
        Ok(response.json())
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

fn serving_command(
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
fn has_internal_listener(binary: &Path) -> bool {
    let help = Command::new(binary).args(["serve", "--help"]).output();
    help.is_ok_and(|help| String::from_utf8_lossy(&help.stdout).contains("--internal-listen"))
}

/// The process that the provider's lock file names.
fn provider_pid(data: &Path) -> Option<u32> {
    let text = std::fs::read_to_string(data.join("sandbox/charges.jsonl.lock")).ok()?;
    let lock: Value = serde_json::from_str(&text).ok()?;
    lock["pid"].as_u64().and_then(|pid| u32::try_from(pid).ok())
}

/// An empty directory path for one run's data below `root`; short, because of unix sockets and locks.
///
/// # Errors
/// What an earlier run left cannot be deleted.
pub fn empty_directory(root: &Path, name: &str) -> anyhow::Result<PathBuf> {
    let path = root.join(name);
    if path.exists() {
        std::fs::remove_dir_all(&path)?;
    }
    let log = path.with_extension("log");
    if log.exists() {
        std::fs::remove_file(log)?;
    }
    std::fs::create_dir_all(root)?;
    Ok(path)
}

/// Copies a data directory that no process uses.
///
/// # Errors
/// A file cannot be read or written.
pub fn copy_directory(from: &Path, to: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_directory(&entry.path(), &target)?;
        } else {
            std::fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
