//! One server and the one connection that all calls of this node share.
//!
//! Never a second attempt to connect at the same time, or sooner than its backoff (with jitter) allows: while a server is away, calls fail at once. A connection
//! knows the run id of the process behind it and sends it with each call, so a restarted or promoted server is noticed by the scripts themselves.

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
use super::scripts::{LIBRARY, Script};
use super::settings::{RedisSettings, split};

/// The first wait after a failed attempt to connect; doubled with each further one.
const FIRST_WAIT: Duration = Duration::from_millis(50);
/// The longest wait.
const LONGEST_WAIT: Duration = Duration::from_secs(1);

/// A call of a script as it is sent.
pub(super) struct Call<'a> {
    pub(super) script: &'static Script,
    pub(super) key: &'a str,
    /// What follows the run id.
    pub(super) args: &'a [Vec<u8>],
    pub(super) within: Duration,
}

/// One server.
pub(super) struct Server {
    pub(super) address: String,
    settings: Arc<RedisSettings>,
    environment: Arc<dyn Environment>,
    live: ArcSwapOption<Live>,
    attempts: Mutex<Attempts>,
}

/// A connection and who is at its other end.
struct Live {
    connection: MultiplexedConnection,
    run: String,
}

#[derive(Default)]
struct Attempts {
    failed: u32,
    next: Option<Instant>,
}

impl Server {
    pub(super) fn new(address: String, settings: Arc<RedisSettings>, environment: Arc<dyn Environment>) -> Arc<Self> {
        Arc::new(Self { address, settings, environment, live: ArcSwapOption::empty(), attempts: Mutex::default() })
    }

    /// Runs a command; loads the library where the server does not know it.
    pub(super) async fn call(self: &Arc<Self>, call: &Call<'_>) -> Result<Value, CallError> {
        let live = self.live().await?;
        match self.send(&live, &fcall(call, &live.run), call.within).await {
            Err(CallError::NoScript) => {
                self.load_library(&live).await?;
                self.send(&live, &fcall(call, &live.run), call.within).await
            }
            answer => answer,
        }
    }

    /// Sends any other command.
    pub(super) async fn ask(self: &Arc<Self>, command: &redis::Cmd) -> Result<Value, CallError> {
        let live = self.live().await?;
        self.send(&live, command, self.settings.answer_within).await
    }

    async fn send(&self, live: &Arc<Live>, command: &redis::Cmd, within: Duration) -> Result<Value, CallError> {
        let mut connection = live.connection.clone();
        let answer = match timeout(within, command.query_async::<Value>(&mut connection)).await {
            Ok(answer) => answer.map_err(CallError::from),
            Err(_) => Err(CallError::Lost(format!("{} did not answer within {within:?}", self.address))),
        };
        let is_gone = match &answer {
            Err(CallError::Lost(_)) => true,
            Err(CallError::Refused(detail)) => detail.contains("READONLY"),
            _ => false,
        };
        if is_gone {
            self.drop_connection(live);
        }
        answer
    }

    fn drop_connection(&self, live: &Arc<Live>) {
        self.live.compare_and_swap(live, None);
    }

    async fn live(self: &Arc<Self>) -> Result<Arc<Live>, CallError> {
        if let Some(live) = self.live.load_full() {
            return Ok(live);
        }
        let mut attempts = self.attempts.lock().await;
        if let Some(live) = self.live.load_full() {
            return Ok(live);
        }
        if attempts.next.is_some_and(|next| Instant::now() < next) {
            return Err(CallError::NotSent(format!("{} is away", self.address)));
        }
        let connected = timeout(self.settings.connect_within, self.connect()).await;
        match connected.unwrap_or_else(|_| Err(CallError::NotSent("no connection in time".to_owned()))) {
            Ok(live) => {
                tracing::info!(address = %self.address, run = %live.run, "connected to a server of the warm tier");
                *attempts = Attempts::default();
                let live = Arc::new(live);
                self.live.store(Some(Arc::clone(&live)));
                Ok(live)
            }
            Err(error) => {
                let longest = LONGEST_WAIT.min(FIRST_WAIT * 2_u32.saturating_pow(attempts.failed.min(10)));
                attempts.failed += 1;
                attempts.next = Some(Instant::now() + jittered(longest, &*self.environment));
                tracing::warn!(address = %self.address, failed = attempts.failed, ?error, "no connection to a server of the warm tier");
                Err(CallError::NotSent(format!("{} is away: {error:?}", self.address)))
            }
        }
    }

    async fn connect(self: &Arc<Self>) -> Result<Live, CallError> {
        let server = Arc::downgrade(self);
        let connection = dial(&self.address, &self.settings, move |push: PushInfo| closed(&server, &push)).await?;
        let info: String = cmd("INFO").arg("server").query_async(&mut connection.clone()).await?;
        let run = info.lines().find_map(|line| line.strip_prefix("run_id:")).unwrap_or_default().trim().to_owned();
        let live = Live { connection, run };
        // A server that takes no writes at present refuses the library too; the call that needs it finds out.
        match load(&live.connection).await {
            Ok(()) | Err(CallError::Refused(_)) => Ok(live),
            Err(error) => Err(error),
        }
    }

    async fn load_library(&self, live: &Live) -> Result<(), CallError> {
        timeout(self.settings.answer_within, load(&live.connection))
            .await
            .unwrap_or_else(|_| Err(CallError::Refused("the library was not loaded in time".to_owned())))
    }
}

/// Makes a connection; pushes of the server, and its end, go to `heard`.
pub(super) async fn dial(
    address: &str,
    settings: &RedisSettings,
    heard: impl Fn(PushInfo) -> Result<(), redis::aio::SendError> + Send + Sync + 'static,
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
        .set_connection_timeout(Some(settings.connect_within))
        // Each call has a deadline of its own.
        .set_response_timeout(None)
        .set_push_sender(heard);
    client.get_multiplexed_async_connection_with_config(&config).await.map_err(not_sent)
}

/// A connection that ended is forgotten at once, so that the next call makes a new one instead of failing on it.
fn closed(server: &Weak<Server>, push: &PushInfo) -> Result<(), redis::aio::SendError> {
    if push.kind == PushKind::Disconnection
        && let Some(server) = server.upgrade()
    {
        server.live.store(None);
    }
    Ok(())
}

/// Loads the library; one that is there already is this very one, as its name says what it holds.
async fn load(connection: &MultiplexedConnection) -> Result<(), CallError> {
    let mut command = cmd("FUNCTION");
    command.arg("LOAD").arg(&LIBRARY.source);
    match command.query_async::<Value>(&mut connection.clone()).await {
        Err(error) if !error.to_string().contains("already exists") => Err(CallError::Refused(error.to_string())),
        Ok(_) | Err(_) => Ok(()),
    }
}

fn fcall(call: &Call<'_>, run: &str) -> redis::Cmd {
    let mut command = cmd("FCALL");
    command.arg(call.script.function()).arg(1).arg(call.key).arg(run).arg(call.args);
    command
}

/// Somewhere between half of `longest` and all of it, so that nodes do not come back in step.
pub(super) fn jittered(longest: Duration, environment: &dyn Environment) -> Duration {
    let [dice, ..] = environment.random();
    longest / 2 + longest / 2 * u32::from(dice) / 255
}
