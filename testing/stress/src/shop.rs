//! The server under load: the demo of the release binary, in a directory of its own, with limits wide enough for one address to be everybody.
//!
//! Never: a server that outlives its value (it is ended on drop, by its id).

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use anyhow::Context;
use serde_json::Value;

use crate::options::Options;
use crate::process::cpu_seconds;

/// The whole crowd comes from one address here; nothing else differs from the defaults.
const WIDE: &[(&str, &str)] = &[
    ("VOELGOED__LIMITS__SESSION_BURST", "1000000"),
    ("VOELGOED__LIMITS__SESSION_PER", "1s"),
    ("VOELGOED__LIMITS__ADDRESS_BURST", "1000000"),
    ("VOELGOED__LIMITS__HOLD_BURST", "1000000"),
    ("VOELGOED__LIMITS__PLACES_PER_ADDRESS_MAX", "1000000"),
    ("VOELGOED__LIMITS__READ_BURST", "1000000"),
    ("VOELGOED__LIMITS__ADDRESS_PER", "1s"),
    ("VOELGOED__SERVER__CONNECTIONS_PER_ADDRESS_MAX", "100000"),
    ("VOELGOED__LIMITS__BODIES_PER_ADDRESS_MAX", "100000"),
    ("VOELGOED__LIMITS__VIEWERS_PER_ADDRESS_MAX", "100000"),
    ("VOELGOED__LIMITS__VIEWERS_PER_ORGANIZATION_MAX", "100000"),
    ("VOELGOED__LIMITS__ORDER_STREAMS_PER_ADDRESS_MAX", "100000"),
    ("VOELGOED__LIMITS__ORDER_STREAMS_PER_ORGANIZATION_MAX", "100000"),
];

/// A shop that serves.
pub struct Shop {
    child: Child,
    directory: PathBuf,
    /// `127.0.0.1:port`.
    pub address: String,
    /// The same of its internal listener.
    pub internal: String,
    /// What the demo says about itself: `organization`, `api_key`, `device_key`, `gate`, `events`.
    pub card: Value,
}

impl Shop {
    /// Starts it on an empty directory and waits until it serves.
    ///
    /// # Errors
    /// The binary is not there, or does not start.
    pub fn open(options: &Options, name: &str) -> anyhow::Result<Self> {
        Self::open_with(options, name, &[])
    }

    /// The same with further settings, such as `VOELGOED__WARM__URL`.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_with(options: &Options, name: &str, settings: &[(&str, String)]) -> anyhow::Result<Self> {
        let directory = options.data.join(name);
        if directory.exists() {
            std::fs::remove_dir_all(&directory)?;
        }
        std::fs::create_dir_all(&options.data)?;
        // A write that its limit refuses is to fail, and not to end it.
        let mut command = Command::new("sh");
        command.args(["-c", r#"trap '' XFSZ; exec "$@""#, "sh"]).arg(&options.voelgoed);
        command.args(["demo", "--json", "--listen", "127.0.0.1:0", "--data"]).arg(&directory);
        command.envs(WIDE.iter().copied()).envs(settings.iter().map(|(name, value)| (*name, value.as_str())));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().with_context(|| format!("cannot start {}", options.voelgoed.display()))?;
        let stdout = child.stdout.take().context("stdout is piped")?;
        let mut shop = Self { child, directory, address: String::new(), internal: String::new(), card: Value::Null };
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line)?;
        shop.card = serde_json::from_str(&line).with_context(|| format!("the demo's first line is JSON: {line}"))?;
        let url = shop.card["url"].as_str().context("the demo has a url")?;
        url.trim_start_matches("http://").trim_end_matches('/').clone_into(&mut shop.address);
        let internal = shop.card["internal_url"].as_str().context("the demo has an internal url")?;
        internal.trim_start_matches("http://").clone_into(&mut shop.internal);
        Ok(shop)
    }

    /// Seconds of processor time that the server (not the sandbox provider) has used so far.
    ///
    /// # Errors
    /// It is gone.
    pub fn cpu_seconds(&self) -> anyhow::Result<f64> {
        cpu_seconds(&self.child.id().to_string())
    }

    /// The server's process.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// A text of the card.
    #[must_use]
    pub fn said(&self, field: &str) -> &str {
        self.card[field].as_str().unwrap_or_default()
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        // SIGTERM, so that it ends its own child too; an error says that it has ended already.
        let _ = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}
