//! Runs the provider as a process that tests can kill: `<data file> <callback url or -> <time scale> [--exit-with-parent]`.
//!
//! Never: shipped; `voelgoed sandbox-psp` runs the same `serve`.

use voelgoed_sandbox_psp::{CallbackSecret, Delays, SandboxConfig, serve};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [data_file, callback_url, time_scale, rest @ ..] = arguments.as_slice() else {
        return Err("usage: <data file> <callback url or -> <time scale> [--exit-with-parent]".into());
    };
    let secret = CallbackSecret::new("a secret between two tests")?;
    let mut config = SandboxConfig::new("127.0.0.1:0".parse()?, data_file, secret);
    config.callback_url = Some(callback_url.clone()).filter(|url| url != "-");
    config.delays = Delays::default().scaled(time_scale.parse()?);
    config.exit_with_parent = rest == ["--exit-with-parent"];
    Ok(serve(config).await?)
}
