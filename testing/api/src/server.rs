//! Starts `voelgoed serve` on an empty data directory in the temporary directory, which is deleted with the server.

use anyhow::Context;
use std::path::Path;
use voelgoed_testkit::free_port::free_port;
use voelgoed_testkit::server::{ServerCommand, ServerOptions, TestServer};

/// Starts a server with these settings (`VOELGOED__…`) and waits until it is ready.
///
/// # Errors
/// No binary is named in `VOELGOED_BIN`, or the server does not come up.
pub async fn start_server(settings: &[(&str, &str)]) -> anyhow::Result<TestServer> {
    let binary = std::env::var("VOELGOED_BIN").context("start this by `cargo xtask test`, which names the binary")?;
    // A port is unique on this machine as long as the server runs.
    let data = std::env::temp_dir().join(format!("voelgoed-api-{}-{}", std::process::id(), free_port()?));
    let options = ServerOptions::new(Path::new(&binary), ServerCommand::Serve("all"), &data)
        .with_operator()
        .with_environment([("VOELGOED__LOG__FILTER", "error")])
        .with_environment(settings.iter().copied());
    TestServer::started(ServerOptions { deletes_data: true, ..options }).await
}
