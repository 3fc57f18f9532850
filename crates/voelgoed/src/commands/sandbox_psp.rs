//! `voelgoed sandbox-psp`: the sandbox payment provider, a company of its own.

use anyhow::Context;
use voelgoed_gateways::sandbox::{CallbackSecret, Delays, SandboxConfig, serve};

use super::open_data;
use crate::cli::SandboxPsp;
use crate::data_directory::IfMissing;
use crate::environment::Machine;
use crate::sandbox::{SECRET_VARIABLE, callback_secret};
use crate::secret::{configured_key, master_key};
use crate::settings::Settings;

/// Runs it until it is stopped. The secret of its callbacks comes from whoever started it, or from the platform's master key.
pub async fn run(args: SandboxPsp, settings: &Settings) -> anyhow::Result<()> {
    #[expect(clippy::disallowed_methods, reason = "a secret must not stand on the command line")]
    let given = std::env::var(SECRET_VARIABLE);
    let secret = match (given, configured_key(&settings.secrets)?) {
        (Ok(secret), _) => secret_bytes(&secret)?,
        (Err(_), Some(master)) => callback_secret(&master).to_vec(),
        (Err(_), None) => {
            // A new key would sign callbacks that no server believes.
            open_data(settings, IfMissing::Refuse)?;
            callback_secret(&master_key(&settings.secrets, &settings.data.directory, &Machine)?).to_vec()
        }
    };
    let mut config = SandboxConfig::new(args.listen, args.file, CallbackSecret::new(secret)?);
    config.callback_url = args.callback_url;
    config.exit_with_parent = args.exit_with_parent;
    config.delays = Delays::default().scaled(args.time_scale);
    Ok(serve(config).await?)
}

fn secret_bytes(text: &str) -> anyhow::Result<Vec<u8>> {
    let pairs = text.as_bytes().chunks(2).map(|pair| {
        let digits = std::str::from_utf8(pair).context("hexadecimal digits")?;
        u8::from_str_radix(digits, 16).context("hexadecimal digits")
    });
    pairs.collect()
}
