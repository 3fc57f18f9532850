//! Runs a closed loop: each of its connections sends the next request when the last one is answered, which measures the capacity of a server.
//!
//! Measures no latencies: a waiting connection sends nothing, so slow responses would be counted too rarely. [`crate::open_loop`] measures them.

use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use crate::raw_client::{CONNECTION_IDLE_MAX, RawConnection, RawResponse};

/// The connections, kept alive from round to round.
pub struct ClosedLoop {
    address: String,
    size: usize,
    connections: Vec<RawConnection>,
    idle_since: Instant,
}

/// The responses of one round.
pub struct ClosedLoopRound {
    /// From the first request to the last response.
    pub took: Duration,
    /// In the order of the requests.
    pub responses: Vec<RawResponse>,
}

impl ClosedLoopRound {
    /// Responses per second.
    #[must_use]
    pub fn per_second(&self) -> f64 {
        self.responses.len() as f64 / self.took.as_secs_f64()
    }
}

impl ClosedLoop {
    /// Opens `size` connections.
    ///
    /// # Errors
    /// No server listens on `address`.
    pub async fn open(address: &str, size: usize) -> anyhow::Result<Self> {
        let mut closed_loop =
            Self { address: address.to_owned(), size, connections: Vec::new(), idle_since: Instant::now() };
        closed_loop.connect().await?;
        Ok(closed_loop)
    }

    /// Replaces connections that were idle for too long, so that a round starts with all of them.
    async fn connect(&mut self) -> anyhow::Result<()> {
        if self.idle_since.elapsed() > CONNECTION_IDLE_MAX {
            self.connections.clear();
        }
        while self.connections.len() < self.size {
            self.connections.push(RawConnection::open(&self.address).await?);
        }
        Ok(())
    }

    /// Sends all requests, whose responses must have this status.
    ///
    /// # Errors
    /// A connection ended, or a response has another status.
    pub async fn send(&mut self, requests: &[Vec<u8>], status: u16) -> anyhow::Result<ClosedLoopRound> {
        self.connect().await?;
        let size = self.size;
        let mut work: Vec<Vec<(usize, Vec<u8>)>> = vec![Vec::new(); size];
        for (at, request) in requests.iter().enumerate() {
            work[at % size].push((at, request.clone()));
        }
        let start = Instant::now();
        let mut running = JoinSet::new();
        for (mut connection, mine) in self.connections.drain(..).zip(work) {
            running.spawn(async move {
                let mut responses = Vec::with_capacity(mine.len());
                for (at, request) in mine {
                    responses.push((at, connection.send(&request).await?.expect(status)?));
                }
                anyhow::Ok((connection, responses))
            });
        }
        let mut responses: Vec<(usize, RawResponse)> = Vec::with_capacity(requests.len());
        while let Some(ended) = running.join_next().await {
            let (connection, mine) = ended??;
            self.connections.push(connection);
            responses.extend(mine);
        }
        let took = start.elapsed();
        self.idle_since = Instant::now();
        responses.sort_unstable_by_key(|(at, _)| *at);
        Ok(ClosedLoopRound { took, responses: responses.into_iter().map(|(_, response)| response).collect() })
    }
}
