//! A client behind the proxy that names an address of its own with each request: its wrong keys count for the address that it has.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use anyhow::{Context, ensure};
use reqwest::{Client, Method};
use voelgoed_testkit::verdict::Verdicts;

/// Where the client is; no strike comes from there.
const OWN: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 77));
/// More wrong keys than one address may try at once.
const GUESSES: u16 = 200;
/// An answer takes at most this.
const ANSWER: Duration = Duration::from_secs(20);

/// Guesses keys like `key`, each time under other forwarding headers.
pub async fn judge(url: &str, way: &str, key: &str, verdicts: &mut Verdicts) -> anyhow::Result<()> {
    let client = Client::builder().local_address(OWN).timeout(ANSWER).no_proxy().build()?;
    let start = key.get(..key.len().saturating_sub(5)).context("a key of the demo")?;
    let mut limited = 0;
    for guess in 0..GUESSES {
        let request = client.request(Method::GET, format!("{url}/api/v1/venues"));
        let request = request.bearer_auth(format!("{start}zz{guess:03}"));
        let request = request.header("X-Forwarded-For", format!("203.0.113.{guess}, 198.51.100.{guess}"));
        let answer = request.header("Forwarded", format!("for=192.0.2.{guess}")).send().await?;
        limited += u16::from(answer.status() == 429);
    }
    let claim = format!("{way}: a client cannot choose its address with headers of its own");
    let is_limited = || {
        ensure!(limited > 0, "{GUESSES} wrong keys were looked up");
        Ok(())
    };
    verdicts.judge(&claim, is_limited());
    Ok(())
}
