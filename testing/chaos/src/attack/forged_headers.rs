//! Sends wrong keys from a client that forges another address in each request, and checks that they count for its real address.

use anyhow::{Context, ensure};
use voelgoed_testkit::http_client::ApiClient;
use voelgoed_testkit::report::SuiteReport;

/// The client's real address is `127.0.0.77`, from which no attack comes.
const CLIENT_ADDRESS: u8 = 77;
/// More wrong keys than the burst of one address.
const GUESSES: u16 = 200;

/// Guesses keys like `key`, each time with other forwarding headers.
pub async fn check(url: &str, way: &str, key: &str, report: &mut SuiteReport) -> anyhow::Result<()> {
    let client = ApiClient::from_address(url, CLIENT_ADDRESS)?;
    let start = key.get(..key.len().saturating_sub(5)).context("a key of the demo")?;
    let mut limited = 0;
    for guess in 0..GUESSES {
        let request = client.request("GET", "/api/v1/venues");
        let request = request.bearer_auth(format!("{start}zz{guess:03}"));
        let request = request.header("X-Forwarded-For", format!("203.0.113.{guess}, 198.51.100.{guess}"));
        let request = request.header("Forwarded", format!("for=192.0.2.{guess}"));
        limited += u16::from(client.send(request).await?.status == 429);
    }
    let claim = format!("{way}: a client cannot choose its address with forged headers");
    let is_limited = || {
        ensure!(limited > 0, "{GUESSES} wrong keys were looked up");
        Ok(())
    };
    report.check(&claim, is_limited());
    Ok(())
}
