//! Runs `voelgoed sandbox-psp`: the sandbox payment provider as a process of its own.

use anyhow::anyhow;
use voelgoed_sandbox_psp::{CallbackSecret, Delays, SandboxConfig, serve};

use super::open_data;
use crate::cli::SandboxPspArgs;
use crate::data_directory::IfMissing;
use crate::master_key::{configured_key, master_key};
use crate::sandbox_supervisor::{SECRET_VARIABLE, callback_secret};
use crate::settings::Settings;
use crate::system_environment::SystemEnvironment;

/// Runs until stopped. The secret of its callbacks comes from the parent process, or is derived from the platform's master key.
pub async fn run(args: SandboxPspArgs, settings: &Settings) -> anyhow::Result<()> {
    #[expect(clippy::disallowed_methods, reason = "a secret must not be on the command line")]
    let given = std::env::var(SECRET_VARIABLE);
    let secret = match (given, configured_key(&settings.secrets)?) {
        // The decoder's error would repeat a digit of the secret.
        (Ok(secret), _) => hex::decode(secret).map_err(|_| anyhow!("{SECRET_VARIABLE} must be hexadecimal digits"))?,
        (Err(_), Some(master)) => callback_secret(&master).to_vec(),
        (Err(_), None) => {
            // No server would accept callbacks that a new key signs.
            open_data(settings, IfMissing::Refuse)?;
            callback_secret(&master_key(&settings.secrets, &settings.data.directory, &SystemEnvironment)?).to_vec()
        }
    };
    let mut config = SandboxConfig::new(args.listen, args.file, CallbackSecret::new(secret)?);
    config.callback_url = args.callback_url;
    config.exit_with_parent = args.exit_with_parent;
    config.delays = Delays::default().scaled(args.time_scale);
    Ok(serve(config).await?)
}
