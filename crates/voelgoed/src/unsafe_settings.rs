//! Refuses to serve with settings that are each valid and together unsafe.
//!
//! To add one: a check here, and its row in the test.

use anyhow::bail;

use crate::settings::Settings;

/// Checks what `serve` and `demo` are about to open to buyers.
///
/// # Errors
/// A sentence that names the settings, says why they are unsafe together and what to change.
pub fn check(settings: &Settings) -> anyhow::Result<()> {
    let public = settings.server.public_url.trim();
    let scheme = public.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase());
    match scheme.as_deref() {
        None if public.is_empty() => Ok(()),
        Some("http") => Ok(()),
        Some("https") => check_https(settings),
        _ => bail!("server.public_url is `{public}`: it must begin with https:// or http://"),
    }
}

fn check_https(settings: &Settings) -> anyhow::Result<()> {
    if !settings.server.secure_cookies {
        bail!(
            "server.public_url is https and server.secure_cookies is false: browsers would also send session cookies over http, \
             where others can read them. Set server.secure_cookies = true"
        );
    }
    if settings.sandbox.enabled {
        bail!(
            "server.public_url is https and sandbox.enabled is true: the sandbox provider takes no real money, so anybody would get \
             tickets for nothing. Set sandbox.enabled = false; rehearse under an http address"
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Flags;

    #[test]
    fn unsafe_combinations_are_refused_with_the_setting_to_change() {
        for (public_url, secure_cookies, sandbox, refused) in [
            ("", false, true, None),
            ("http://127.0.0.1:8080", false, true, None),
            ("https://tickets.example.org", true, false, None),
            ("https://tickets.example.org", false, false, Some("secure_cookies = true")),
            ("HTTPS://tickets.example.org", false, false, Some("secure_cookies = true")),
            (" https://tickets.example.org", true, true, Some("sandbox.enabled = false")),
            ("tickets.example.org", true, false, Some("must begin with")),
            ("ftp://tickets.example.org", true, false, Some("must begin with")),
        ] {
            let mut settings = Settings::load(None, &Flags::default()).unwrap();
            settings.server.public_url = public_url.to_owned();
            settings.server.secure_cookies = secure_cookies;
            settings.sandbox.enabled = sandbox;
            let answer = check(&settings).map_err(|error| error.to_string());
            match refused {
                None => assert_eq!(answer, Ok(()), "{public_url}"),
                Some(part) => {
                    assert!(answer.as_ref().is_err_and(|text| text.contains(part)), "{public_url}: {answer:?}")
                }
            }
        }
    }
}
