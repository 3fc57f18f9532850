//! Names the files in the data directory.

/// The embedded database.
pub const DATABASE: &str = "voelgoed.sqlite";
/// The master key; a backup must contain it.
pub const MASTER_KEY: &str = "master.key";
/// The keys and events of a demo, so that later starts print the same.
pub const DEMO: &str = "demo.json";
/// The charges of the sandbox payment provider.
pub const SANDBOX_CHARGES: &str = "sandbox/charges.jsonl";
/// Locked while a server runs on the directory.
pub const SERVER_LOCK: &str = "server.lock";
