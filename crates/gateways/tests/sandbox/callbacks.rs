//! Tests which callbacks the gateway accepts.

use std::time::Duration;

use voelgoed_app::payments::ports::{CallbackRejected, PaymentGateway};
use voelgoed_contracts::test_directory::TestDirectory;

use super::support::{CallbackInbox, InProcessProvider, config, now, secret};
use super::values::{charge, gateway, key};

#[tokio::test]
async fn callback_is_accepted_only_unaltered_signed_and_in_time() {
    let (directory, inbox) = (TestDirectory::new("gateway"), CallbackInbox::open().await);
    let provider = InProcessProvider::start(config(directory.path())).await;
    let gateway = gateway(&provider.url, Duration::from_secs(5));
    gateway.register_callback_url(&inbox.url, now()).await.unwrap();
    gateway.charge(&charge(1, "ok")).await;
    let received = inbox.until_received(1).await.remove(0);
    let (headers, body) = (&received.headers, received.bytes.as_slice());
    assert_eq!(gateway.verify_callback(headers, body, now()).unwrap().key, key(1));
    let upper_case: Vec<_> = headers.iter().map(|(name, value)| (name.to_uppercase(), value.clone())).collect();
    assert!(gateway.verify_callback(&upper_case, body, now()).is_ok());

    use CallbackRejected::{Forged, Malformed, NotOurs, Stale};
    let reject = |headers: &[(String, String)], body: &[u8], at| gateway.verify_callback(headers, body, at).err();
    let altered = String::from_utf8(body.to_vec()).unwrap().replace("450", "451");
    let without: Vec<_> = headers.iter().filter(|(name, _)| name != "x-sandbox-signature").cloned().collect();
    let doubled: Vec<_> = headers.iter().chain(headers).cloned().collect();
    assert_eq!(reject(headers, altered.as_bytes(), now()), Some(Forged));
    assert_eq!(reject(&without, body, now()), Some(Forged));
    assert_eq!(reject(&doubled, body, now()), Some(Forged), "a doubled header is ambiguous");
    assert_eq!(reject(&[], body, now()), Some(Forged));
    assert_eq!(reject(headers, body, now().plus(Duration::from_secs(310))), Some(Stale));
    assert_eq!(reject(headers, body, now().minus(Duration::from_secs(310))), Some(Stale));
    let foreign = String::from_utf8_lossy(body).replace("ord_", "evt_");
    for (strange, expected) in [("{}", Malformed), (foreign.as_str(), NotOurs)] {
        let (timestamp, signature) = secret().sign(now(), strange.as_bytes());
        let signed = [("x-sandbox-timestamp".to_owned(), timestamp), ("x-sandbox-signature".to_owned(), signature)];
        assert_eq!(reject(&signed, strange.as_bytes(), now()), Some(expected), "{strange}");
    }
}
