//! Starts the server under load: the demo of the release binary on an empty directory, with limits lifted because all clients share one address.

use std::path::PathBuf;

use voelgoed_testkit::limits::unlimited_with;
use voelgoed_testkit::server::{ServerCommand, ServerOptions, TestServer};

use crate::options::BenchOptions;

/// The options of the server under load; its data directory is `name` below that of the benchmarks.
///
/// # Errors
/// The directories cannot be made.
pub fn bench_server_options(
    options: &BenchOptions,
    name: &str,
    settings: &[(&str, String)],
) -> anyhow::Result<ServerOptions> {
    let directory = options.data.join(name);
    if directory.exists() {
        std::fs::remove_dir_all(&directory)?;
    }
    std::fs::create_dir_all(&options.data)?;
    let refills = [("VOELGOED__LIMITS__SESSION_PER", "1s"), ("VOELGOED__LIMITS__ADDRESS_PER", "1s")];
    let server = ServerOptions::new(&options.voelgoed, ServerCommand::Demo, &directory)
        .with_environment(unlimited_with(&refills))
        .with_environment(settings.iter().map(|(name, value)| (*name, value.as_str())));
    // Writing a log would be part of what is measured.
    Ok(ServerOptions { log: PathBuf::from("/dev/null"), deletes_data: true, ..server })
}

/// Starts the server under load and waits until it is ready.
///
/// # Errors
/// The binary is absent, or the server does not come up.
pub async fn start_bench_server(options: &BenchOptions, name: &str) -> anyhow::Result<TestServer> {
    TestServer::started(bench_server_options(options, name, &[])?).await
}
