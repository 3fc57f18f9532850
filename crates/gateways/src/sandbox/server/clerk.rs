//! Captures pending charges when their time has come; what was due while nobody ran is captured at start.

use std::time::Duration;

use super::clock;
use super::provider::Provider;
use super::refused::Refused;

/// The pause where too many changes are in flight.
const BUSY_PAUSE: Duration = Duration::from_millis(10);

/// Runs until the provider is broken, and then says so.
pub async fn run(provider: &Provider) -> Refused {
    loop {
        if let Err(refused) = work(provider).await {
            return refused;
        }
    }
}

async fn work(provider: &Provider) -> Result<(), Refused> {
    match provider.next_capture().await? {
        None => provider.captures_changed().await,
        Some(at) if at > clock::now() => {
            tokio::select! {
                () = tokio::time::sleep(clock::until(at)) => {}
                () = provider.captures_changed() => {}
            }
        }
        Some(_) => match provider.change(|books, now| Ok(books.capture_due(now))).await {
            Ok(_) => {}
            // Not lost, only later: the charge stays due.
            Err(Refused::Busy) => tokio::time::sleep(BUSY_PAUSE).await,
            Err(refused) => return Err(refused),
        },
    }
    Ok(())
}
