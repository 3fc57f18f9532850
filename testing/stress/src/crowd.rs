//! A closed loop: so many connections, each of which sends its next request when its last one is answered. It finds the most that a server does.
//!
//! Never for a latency that is published: whoever waits does not ask meanwhile. Latencies come from [`crate::paced`].

use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use crate::client::{Answer, Connection};

/// The server closes a connection that rests for ten seconds; one that rested longer than this is not used again.
const LONGEST_REST: Duration = Duration::from_secs(5);

/// The connections, kept alive from round to round.
pub struct Crowd {
    address: String,
    size: usize,
    connections: Vec<Connection>,
    rested: Instant,
}

/// What a round brought.
pub struct Round {
    /// From the first request to the last answer.
    pub took: Duration,
    /// In the order of the requests.
    pub answers: Vec<Answer>,
}

impl Round {
    /// Answers per second.
    #[must_use]
    pub fn per_second(&self) -> f64 {
        self.answers.len() as f64 / self.took.as_secs_f64()
    }
}

impl Crowd {
    /// Opens `size` connections.
    ///
    /// # Errors
    /// Nobody listens on `address`.
    pub async fn open(address: &str, size: usize) -> anyhow::Result<Self> {
        let mut crowd = Self { address: address.to_owned(), size, connections: Vec::new(), rested: Instant::now() };
        crowd.gather().await?;
        Ok(crowd)
    }

    /// New connections in place of those that rested too long, so that a round begins with all of them.
    async fn gather(&mut self) -> anyhow::Result<()> {
        if self.rested.elapsed() > LONGEST_REST {
            self.connections.clear();
        }
        while self.connections.len() < self.size {
            self.connections.push(Connection::open(&self.address).await?);
        }
        Ok(())
    }

    /// Sends all requests, each of which must be answered by `status`.
    ///
    /// # Errors
    /// A connection ended or an answer is another one.
    pub async fn send(&mut self, requests: &[Vec<u8>], status: u16) -> anyhow::Result<Round> {
        self.gather().await?;
        let size = self.size;
        let mut work: Vec<Vec<(usize, Vec<u8>)>> = vec![Vec::new(); size];
        for (at, request) in requests.iter().enumerate() {
            work[at % size].push((at, request.clone()));
        }
        let start = Instant::now();
        let mut running = JoinSet::new();
        for (mut connection, mine) in self.connections.drain(..).zip(work) {
            running.spawn(async move {
                let mut answers = Vec::with_capacity(mine.len());
                for (at, request) in mine {
                    answers.push((at, connection.send(&request).await?.expect(status)?));
                }
                anyhow::Ok((connection, answers))
            });
        }
        let mut answers: Vec<(usize, Answer)> = Vec::with_capacity(requests.len());
        while let Some(ended) = running.join_next().await {
            let (connection, mine) = ended??;
            self.connections.push(connection);
            answers.extend(mine);
        }
        let took = start.elapsed();
        self.rested = Instant::now();
        answers.sort_unstable_by_key(|(at, _)| *at);
        Ok(Round { took, answers: answers.into_iter().map(|(_, answer)| answer).collect() })
    }
}
