//! One Redis server and the one multiplexed connection that all calls of this node share.
//!
//! Never: two connection attempts at a time, or one before its backoff (with jitter) ends; while a server is unavailable, calls fail at once. Each call
//! sends the run id of the server process that its connection leads to, so the functions detect a restarted or promoted server.

use std::sync::{Arc, Weak};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use redis::aio::MultiplexedConnection;
use redis::io::tcp::TcpSettings;
use redis::{
    AsyncConnectionConfig, Client, ConnectionAddr, IntoConnectionInfo as _, ProtocolVersion, PushInfo, PushKind,
    RedisConnectionInfo, Value, cmd,
};
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};
use voelgoed_app::environment::Environment;

use super::error::CallError;
use super::function_library::{LIBRARY, RedisFunction};
use super::settings::{RedisSettings, split};

/// The upper bound of the backoff after the first failed connection attempt; doubled with each further one.
const BACKOFF_FIRST_MAX: Duration = Duration::from_millis(50);
/// The upper bound of every backoff.
const BACKOFF_MAX: Duration = Duration::from_secs(1);

/// A call of a function.
pub(super) struct Call<'a> {
    pub(super) function: &'static RedisFunction,
    pub(super) key: &'a str,
    /// The arguments after the run id.
    pub(super) args: &'a [Vec<u8>],
    pub(super) timeout: Duration,
}

/// One server.
pub(super) struct Server {
    pub(super) address: String,
    settings: Arc<RedisSettings>,
    environment: Arc<dyn Environment>,
    live: ArcSwapOption<LiveConnection>,
    attempts: Mutex<ConnectAttempts>,
}

/// An open connection and the run id of the server process at its other end.
struct LiveConnection {
    connection: MultiplexedConnection,
    run_id: String,
}

/// Failed connection attempts in a row, and when the next one may begin.
#[derive(Default)]
struct ConnectAttempts {
    failed: u32,
    not_before: Option<Instant>,
}

impl Server {
    pub(super) fn new(address: String, settings: Arc<RedisSettings>, environment: Arc<dyn Environment>) -> Arc<Self> {
        Arc::new(Self { address, settings, environment, live: ArcSwapOption::empty(), attempts: Mutex::default() })
    }

    /// Runs a function; loads the library first if the server lacks it.
    pub(super) async fn call(self: &Arc<Self>, call: &Call<'_>) -> Result<Value, CallError> {
        let live = self.live().await?;
        match self.send(&live, &fcall(call, &live.run_id), call.timeout).await {
            Err(CallError::LibraryMissing) => {
                self.load_library(&live).await?;
                self.send(&live, &fcall(call, &live.run_id), call.timeout).await
            }
            result => result,
        }
    }

    /// Sends a command other than a call of a function.
    pub(super) async fn send_command(self: &Arc<Self>, command: &redis::Cmd) -> Result<Value, CallError> {
        let live = self.live().await?;
        self.send(&live, command, self.settings.reply_timeout).await
    }

    async fn send(
        &self,
        live: &Arc<LiveConnection>,
        command: &redis::Cmd,
        reply_timeout: Duration,
    ) -> Result<Value, CallError> {
        let mut connection = live.connection.clone();
        let result = match timeout(reply_timeout, command.query_async::<Value>(&mut connection)).await {
            Ok(reply) => reply.map_err(CallError::from),
            Err(_) => Err(CallError::Lost(format!("{} did not reply within {reply_timeout:?}", self.address))),
        };
        let is_lost = match &result {
            Err(CallError::Lost(_)) => true,
            Err(CallError::Refused(detail)) => detail.contains("READONLY"),
            _ => false,
        };
        if is_lost {
            self.drop_connection(live);
        }
        result
    }

    fn drop_connection(&self, live: &Arc<LiveConnection>) {
        self.live.compare_and_swap(live, None);
    }

    async fn live(self: &Arc<Self>) -> Result<Arc<LiveConnection>, CallError> {
        if let Some(live) = self.live.load_full() {
            return Ok(live);
        }
        let mut attempts = self.attempts.lock().await;
        if let Some(live) = self.live.load_full() {
            return Ok(live);
        }
        if attempts.not_before.is_some_and(|not_before| Instant::now() < not_before) {
            return Err(CallError::NotSent(format!("{} is unavailable", self.address)));
        }
        let connected = timeout(self.settings.connect_timeout, self.connect()).await;
        match connected.unwrap_or_else(|_| Err(CallError::NotSent("the connection attempt timed out".to_owned()))) {
            Ok(live) => {
                tracing::info!(address = %self.address, run = %live.run_id, "connected to a server of the warm tier");
                *attempts = ConnectAttempts::default();
                let live = Arc::new(live);
                self.live.store(Some(Arc::clone(&live)));
                Ok(live)
            }
            Err(error) => {
                let backoff_max = BACKOFF_MAX.min(BACKOFF_FIRST_MAX * 2_u32.saturating_pow(attempts.failed.min(10)));
                attempts.failed += 1;
                attempts.not_before = Some(Instant::now() + jittered(backoff_max, &*self.environment));
                tracing::warn!(address = %self.address, failed = attempts.failed, ?error, "no connection to a server of the warm tier");
                Err(CallError::NotSent(format!("{} is unavailable: {error:?}", self.address)))
            }
        }
    }

    async fn connect(self: &Arc<Self>) -> Result<LiveConnection, CallError> {
        let server = Arc::downgrade(self);
        let connection =
            dial(&self.address, &self.settings, move |push: PushInfo| remove_closed(&server, &push)).await?;
        let info: String = cmd("INFO").arg("server").query_async(&mut connection.clone()).await?;
        let run_id = info.lines().find_map(|line| line.strip_prefix("run_id:")).unwrap_or_default().trim().to_owned();
        let live = LiveConnection { connection, run_id };
        // A read-only server refuses the library too; a later call loads it.
        match load(&live.connection).await {
            Ok(()) | Err(CallError::Refused(_)) => Ok(live),
            Err(error) => Err(error),
        }
    }

    async fn load_library(&self, live: &LiveConnection) -> Result<(), CallError> {
        timeout(self.settings.reply_timeout, load(&live.connection))
            .await
            .unwrap_or_else(|_| Err(CallError::Refused("the library was not loaded in time".to_owned())))
    }
}

/// Opens a connection; `on_push` receives the server's pushes and the disconnection.
pub(super) async fn dial(
    address: &str,
    settings: &RedisSettings,
    on_push: impl Fn(PushInfo) -> Result<(), redis::aio::SendError> + Send + Sync + 'static,
) -> Result<MultiplexedConnection, CallError> {
    let (host, port) = split(address).ok_or_else(|| CallError::NotSent(format!("{address} is not host:port")))?;
    let mut redis = RedisConnectionInfo::default().set_protocol(ProtocolVersion::RESP3);
    if let Some(username) = &settings.username {
        redis = redis.set_username(username);
    }
    if let Some(password) = &settings.password {
        redis = redis.set_password(password);
    }
    let not_sent = |error: redis::RedisError| CallError::NotSent(error.to_string());
    let tcp = TcpSettings::default().set_nodelay(true);
    let info = ConnectionAddr::Tcp(host.to_owned(), port).into_connection_info().map_err(not_sent)?;
    let client = Client::open(info.set_redis_settings(redis).set_tcp_settings(tcp)).map_err(not_sent)?;
    let config = AsyncConnectionConfig::new()
        .set_connection_timeout(Some(settings.connect_timeout))
        // Each call has its own timeout.
        .set_response_timeout(None)
        .set_push_sender(on_push);
    client.get_multiplexed_async_connection_with_config(&config).await.map_err(not_sent)
}

/// Removes a closed connection at once, so that the next call opens a new one instead of failing.
fn remove_closed(server: &Weak<Server>, push: &PushInfo) -> Result<(), redis::aio::SendError> {
    if push.kind == PushKind::Disconnection
        && let Some(server) = server.upgrade()
    {
        server.live.store(None);
    }
    Ok(())
}

/// Loads the library; an existing library of this name has the same text, because the name contains its digest.
async fn load(connection: &MultiplexedConnection) -> Result<(), CallError> {
    let mut command = cmd("FUNCTION");
    command.arg("LOAD").arg(&LIBRARY.source);
    match command.query_async::<Value>(&mut connection.clone()).await {
        Err(error) if !error.to_string().contains("already exists") => Err(CallError::Refused(error.to_string())),
        Ok(_) | Err(_) => Ok(()),
    }
}

fn fcall(call: &Call<'_>, run_id: &str) -> redis::Cmd {
    let mut command = cmd("FCALL");
    command.arg(call.function.fcall_name()).arg(1).arg(call.key).arg(run_id).arg(call.args);
    command
}

/// A random wait between half of `wait_max` and all of it, so that nodes do not reconnect in step.
pub(super) fn jittered(wait_max: Duration, environment: &dyn Environment) -> Duration {
    let [random, ..] = environment.random();
    wait_max / 2 + wait_max / 2 * u32::from(random) / 255
}
