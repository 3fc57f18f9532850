//! Tests that a process with its warm tier in memory excludes other processes from its Postgres, and reclaims it after a lost connection.

use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use voelgoed_cold::db::PostgresSettings;
use voelgoed_cold::process_claim::{ProcessClaim, claim};
use voelgoed_testkit::postgres::{Postgres, ROLE};
use voelgoed_testkit::until::until;

use crate::server;

/// Longer than the pings, timeouts and attempts of a lost claim together.
const RECLAIM_TIMEOUT: Duration = Duration::from_secs(60);

/// Selects `chosen` of each session that has a claim on `database`.
fn holders(postgres: &Postgres, database: &str, chosen: &str) -> String {
    let text = format!(
        "select {chosen} from pg_locks where locktype = 'advisory' and granted
           and database = (select oid from pg_database where datname = '{database}')"
    );
    postgres.sql("postgres", &text).unwrap()
}

/// Waits until one session other than `before` has the claim.
async fn another_holder(postgres: &Postgres, database: &str, before: &str) -> String {
    let find = || async {
        let pid = holders(postgres, database, "pid");
        Ok((!pid.is_empty() && !pid.contains('\n') && pid != before).then_some(pid))
    };
    until("the database is claimed again", RECLAIM_TIMEOUT, find).await.unwrap()
}

/// A proxy to `to` whose first connection stops forwarding on demand, while both sockets stay open.
async fn proxy_with_silence(to: String) -> (String, watch::Sender<bool>, JoinSet<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let (silence, silent) = watch::channel(false);
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        let mut carried = JoinSet::new();
        while let Ok((mut client, _)) = listener.accept().await {
            let is_first = carried.is_empty();
            let (to, mut silent) = (to.clone(), silent.clone());
            carried.spawn(async move {
                let mut server = TcpStream::connect(to).await.unwrap();
                let silenced = async {
                    if !is_first || silent.wait_for(|silent| *silent).await.is_err() {
                        std::future::pending::<()>().await;
                    }
                };
                tokio::select! {
                    _ended = tokio::io::copy_bidirectional(&mut client, &mut server) => return,
                    () = silenced => {}
                }
                // Both sockets stay open.
                std::future::pending::<()>().await;
            });
        }
    });
    (address, silence, tasks)
}

#[tokio::test]
async fn process_with_its_own_warm_tier_excludes_every_other_one() {
    let postgres = server::shared().await;
    let settings = server::settings(postgres, &server::database(postgres));
    let exclusive = claim(&settings, ProcessClaim::Exclusive).await.unwrap();
    for other in [ProcessClaim::Exclusive, ProcessClaim::Shared] {
        let refused = claim(&settings, other).await.unwrap_err().to_string();
        assert!(refused.contains("warm.url"), "{refused}");
    }
    drop(exclusive);
    // The server notices the closed connection; then several processes may share the database, and none may claim it exclusively.
    let first = claim(&settings, ProcessClaim::Shared).await.unwrap();
    let second = claim(&settings, ProcessClaim::Shared).await.unwrap();
    assert!(claim(&settings, ProcessClaim::Exclusive).await.is_err());
    drop((first, second));
    claim(&settings, ProcessClaim::Exclusive).await.unwrap();
}

#[tokio::test]
async fn claims_on_two_databases_of_one_server_do_not_conflict() {
    let postgres = server::shared().await;
    let [one, other] = [(); 2].map(|()| server::settings(postgres, &server::database(postgres)));
    let _one = claim(&one, ProcessClaim::Exclusive).await.unwrap();
    claim(&other, ProcessClaim::Exclusive).await.unwrap();
}

#[tokio::test]
async fn claim_whose_connection_was_terminated_is_reclaimed() {
    let postgres = server::shared().await;
    for kind in [ProcessClaim::Exclusive, ProcessClaim::Shared] {
        let database = server::database(postgres);
        let settings = server::settings(postgres, &database);
        let mut watched = JoinSet::new();
        watched.spawn(claim(&settings, kind).await.unwrap().run_until_lost());
        let first = holders(postgres, &database, "pid");
        assert_eq!(holders(postgres, &database, "pg_terminate_backend(pid)"), "t");
        let second = another_holder(postgres, &database, &first).await;
        assert_ne!(second, first);
        assert!(claim(&settings, ProcessClaim::Exclusive).await.is_err());
        assert!(watched.try_join_next().is_none(), "the process goes on serving");
    }
}

#[tokio::test]
async fn claim_survives_a_restart_of_the_server() {
    let mut postgres = Postgres::start().await.unwrap();
    server::prepare(&postgres).await;
    let database = server::database(&postgres);
    let settings = server::settings(&postgres, &database);
    let mut watched = JoinSet::new();
    watched.spawn(claim(&settings, ProcessClaim::Exclusive).await.unwrap().run_until_lost());
    let first = holders(&postgres, &database, "pid");
    postgres.kill().await.unwrap();
    postgres.restart().await.unwrap();
    another_holder(&postgres, &database, &first).await;
    assert!(claim(&settings, ProcessClaim::Exclusive).await.is_err());
    assert!(watched.try_join_next().is_none(), "the process goes on serving");
}

#[tokio::test]
async fn exclusive_claim_ends_when_another_process_has_taken_it() {
    let postgres = server::shared().await;
    for other in [ProcessClaim::Exclusive, ProcessClaim::Shared] {
        let database = server::database(postgres);
        let settings = server::settings(postgres, &database);
        let lost = claim(&settings, ProcessClaim::Exclusive).await.unwrap();
        assert_eq!(holders(postgres, &database, "pg_terminate_backend(pid)"), "t");
        let _other = claim(&settings, other).await.unwrap();
        let error = tokio::time::timeout(RECLAIM_TIMEOUT, lost.run_until_lost()).await.unwrap().to_string();
        assert!(error.contains("warm.url"), "{error}");
    }
}

/// A process with wrong settings must not stop a cluster.
#[tokio::test]
async fn shared_claim_is_retried_until_the_exclusive_one_is_released() {
    let postgres = server::shared().await;
    let database = server::database(postgres);
    let settings = server::settings(postgres, &database);
    let lost = claim(&settings, ProcessClaim::Shared).await.unwrap();
    assert_eq!(holders(postgres, &database, "pg_terminate_backend(pid)"), "t");
    let other = claim(&settings, ProcessClaim::Exclusive).await.unwrap();
    let others = holders(postgres, &database, "pid");
    let mut watched = JoinSet::new();
    watched.spawn(lost.run_until_lost());
    assert!(
        tokio::time::timeout(Duration::from_secs(8), watched.join_next()).await.is_err(),
        "the process goes on serving"
    );
    drop(other);
    another_holder(postgres, &database, &others).await;
    assert!(watched.try_join_next().is_none());
}

/// The network drops the connection silently: the server keeps the session and its lock, so the process terminates that session itself.
#[tokio::test]
async fn claim_is_reclaimed_from_a_session_that_only_the_server_still_has() {
    let postgres = server::shared().await;
    let database = server::database(postgres);
    let (address, silence, _carrying) = proxy_with_silence(postgres.address()).await;
    let through = PostgresSettings::new(format!("postgres://{ROLE}@{address}/{database}"));
    let mut watched = JoinSet::new();
    watched.spawn(claim(&through, ProcessClaim::Exclusive).await.unwrap().run_until_lost());
    let first = holders(postgres, &database, "pid");
    silence.send_replace(true);
    another_holder(postgres, &database, &first).await;
    assert!(watched.try_join_next().is_none(), "the process goes on serving");
}
