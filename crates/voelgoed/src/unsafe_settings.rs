//! Refuses to serve with settings that are valid one by one and unsafe together.
//!
//! To add a combination: a check here and its row in the test.

use anyhow::bail;
use url::Url;

use crate::settings::Settings;

/// Checks the settings of `serve` and `demo`.
///
/// # Errors
/// Names the settings, the danger and the setting to change.
pub fn check(settings: &Settings) -> anyhow::Result<()> {
    let public = settings.server.public_url.trim();
    if public.is_empty() {
        return Ok(());
    }
    let scheme = public.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase());
    let is_https = match scheme.as_deref() {
        Some("http") => false,
        Some("https") => true,
        _ => bail!("server.public_url is `{public}`: it must begin with https:// or http://"),
    };
    check_public_url(public)?;
    if is_https { check_https(settings) } else { Ok(()) }
}

/// Links in responses begin with the URL, so it has a host, an optional port and path, and nothing else. A URL that may hold a password is not repeated.
fn check_public_url(public: &str) -> anyhow::Result<()> {
    const EXAMPLE: &str = "write for example https://tickets.example.org";
    let Ok(url) = Url::parse(public) else { bail!("server.public_url is no URL with a host; {EXAMPLE}") };
    let names_host = public.split_once("://").is_some_and(|(_, rest)| !rest.starts_with(['/', '\\']));
    if !names_host || url.host_str().is_none_or(str::is_empty) {
        bail!("server.public_url is `{public}`: it names no host; {EXAMPLE}");
    }
    if !url.username().is_empty() || url.password().is_some() || public.contains('@') {
        bail!("server.public_url holds a user or a password, which every buyer would see; {EXAMPLE}");
    }
    if url.query().is_some() || url.fragment().is_some() {
        bail!(
            "server.public_url is `{public}`: links are appended to it, so it must have no `?` and no `#`; {EXAMPLE}"
        );
    }
    Ok(())
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
            "server.public_url is https and sandbox.enabled is true: the sandbox provider takes no real money, so every buyer would get \
             tickets for nothing. Set sandbox.enabled = false; rehearse under an http address"
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::SettingFlags;

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
            ("https://", true, false, Some("no URL with a host")),
            ("http://", false, true, Some("no URL with a host")),
            ("http:///tickets", false, true, Some("names no host")),
            ("http://:8080", false, true, Some("no URL with a host")),
            ("http://a:99999", false, true, Some("no URL with a host")),
            ("http://u:p@tickets.example.org", false, true, Some("a user or a password")),
            ("http://u@tickets.example.org", false, true, Some("a user or a password")),
            ("http://@tickets.example.org", false, true, Some("a user or a password")),
            ("http://tickets.example.org/?y", false, true, Some("no `?`")),
            ("http://tickets.example.org/#z", false, true, Some("no `?`")),
            ("http://[::1]:8080/shop", false, true, None),
            ("ftp://tickets.example.org", true, false, Some("must begin with")),
        ] {
            let mut settings = Settings::load(None, &SettingFlags::default()).unwrap();
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
