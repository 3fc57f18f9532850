//! Captures pending charges when they fall due; charges that fell due while no process ran are captured at start.

use std::time::Duration;

use crate::clock;
use crate::durable_state::DurableState;
use crate::request_error::RequestError;

/// Waits this long where too many changes are in flight.
const BUSY_PAUSE: Duration = Duration::from_millis(10);

/// Runs until the data file cannot be written, and returns that error.
pub async fn run(state: &DurableState) -> RequestError {
    loop {
        if let Err(error) = capture_next(state).await {
            return error;
        }
    }
}

async fn capture_next(state: &DurableState) -> Result<(), RequestError> {
    match state.next_capture().await? {
        None => state.next_capture_changed().await,
        Some(at) if at > clock::now() => {
            tokio::select! {
                () = tokio::time::sleep(clock::until(at)) => {}
                () = state.next_capture_changed() => {}
            }
        }
        Some(_) => match state.change(|state, now| Ok(state.capture_due(now))).await {
            Ok(_) => {}
            // The charge stays due, so the next turn of the loop captures it.
            Err(RequestError::Busy) => tokio::time::sleep(BUSY_PAUSE).await,
            Err(error) => return Err(error),
        },
    }
    Ok(())
}
