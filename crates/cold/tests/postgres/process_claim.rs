//! One process, or several: a process that holds its warm tier in memory has a Postgres for itself.

use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use voelgoed_cold::db::PostgresSettings;
use voelgoed_cold::process_claim::{ProcessClaim, claim};
use voelgoed_testkit::postgres::{Postgres, ROLE};
use voelgoed_testkit::until::until;

use crate::server;

/// Pings, timeouts and tries of a claim that was lost are over within this.
const SOON: Duration = Duration::from_secs(60);

/// The sessions that have a claim on `database`; `chosen` is what is asked of each.
fn holders(postgres: &Postgres, database: &str, chosen: &str) -> String {
    let text = format!(
        "select {chosen} from pg_locks where locktype = 'advisory' and granted
           and database = (select oid from pg_database where datname = '{database}')"
    );
    postgres.sql("postgres", &text).unwrap()
}

/// Waits until one session has the claim that is not `before`.
async fn another_holder(postgres: &Postgres, database: &str, before: &str) -> String {
    let look = || async {
        let pid = holders(postgres, database, "pid");
        Ok((!pid.is_empty() && !pid.contains('\n') && pid != before).then_some(pid))
    };
    until("the database is claimed again", SOON, look).await.unwrap()
}

/// A way to `to` whose first connection falls silent on demand, while both of its ends believe it to be open.
async fn silenceable(to: String) -> (String, watch::Sender<bool>, JoinSet<()>) {
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
    let only = claim(&settings, ProcessClaim::Only).await.unwrap();
    for other in [ProcessClaim::Only, ProcessClaim::OneOfSeveral] {
        let refused = claim(&settings, other).await.unwrap_err().to_string();
        assert!(refused.contains("warm.url"), "{refused}");
    }
    drop(only);
    // The server notices that the connection has ended; then several may share it, and none may have it alone.
    let first = claim(&settings, ProcessClaim::OneOfSeveral).await.unwrap();
    let second = claim(&settings, ProcessClaim::OneOfSeveral).await.unwrap();
    assert!(claim(&settings, ProcessClaim::Only).await.is_err());
    drop((first, second));
    claim(&settings, ProcessClaim::Only).await.unwrap();
}

#[tokio::test]
async fn claims_on_two_databases_of_one_server_do_not_meet() {
    let postgres = server::shared().await;
    let [one, other] = [(); 2].map(|()| server::settings(postgres, &server::database(postgres)));
    let _one = claim(&one, ProcessClaim::Only).await.unwrap();
    claim(&other, ProcessClaim::Only).await.unwrap();
}

#[tokio::test]
async fn claim_whose_connection_was_ended_is_taken_again() {
    let postgres = server::shared().await;
    for kind in [ProcessClaim::Only, ProcessClaim::OneOfSeveral] {
        let database = server::database(postgres);
        let settings = server::settings(postgres, &database);
        let mut watched = JoinSet::new();
        watched.spawn(claim(&settings, kind).await.unwrap().until_taken());
        let first = holders(postgres, &database, "pid");
        assert_eq!(holders(postgres, &database, "pg_terminate_backend(pid)"), "t");
        let second = another_holder(postgres, &database, &first).await;
        assert_ne!(second, first);
        assert!(claim(&settings, ProcessClaim::Only).await.is_err());
        assert!(watched.try_join_next().is_none(), "the process serves on");
    }
}

#[tokio::test]
async fn claim_survives_a_restart_of_the_server() {
    let mut postgres = Postgres::start().await.unwrap();
    server::prepare(&postgres).await;
    let database = server::database(&postgres);
    let settings = server::settings(&postgres, &database);
    let mut watched = JoinSet::new();
    watched.spawn(claim(&settings, ProcessClaim::Only).await.unwrap().until_taken());
    let first = holders(&postgres, &database, "pid");
    postgres.kill().await.unwrap();
    postgres.rise().await.unwrap();
    another_holder(&postgres, &database, &first).await;
    assert!(claim(&settings, ProcessClaim::Only).await.is_err());
    assert!(watched.try_join_next().is_none(), "the process serves on");
}

#[tokio::test]
async fn process_learns_that_another_one_has_its_claim() {
    let postgres = server::shared().await;
    for other in [ProcessClaim::Only, ProcessClaim::OneOfSeveral] {
        let database = server::database(postgres);
        let settings = server::settings(postgres, &database);
        let lost = claim(&settings, ProcessClaim::Only).await.unwrap();
        assert_eq!(holders(postgres, &database, "pg_terminate_backend(pid)"), "t");
        let _other = claim(&settings, other).await.unwrap();
        let error = tokio::time::timeout(SOON, lost.until_taken()).await.unwrap().to_string();
        assert!(error.contains("warm.url"), "{error}");
    }
}

/// A process that is set up wrongly stops no cluster.
#[tokio::test]
async fn one_of_several_goes_on_and_claims_again_once_it_can() {
    let postgres = server::shared().await;
    let database = server::database(postgres);
    let settings = server::settings(postgres, &database);
    let lost = claim(&settings, ProcessClaim::OneOfSeveral).await.unwrap();
    assert_eq!(holders(postgres, &database, "pg_terminate_backend(pid)"), "t");
    let other = claim(&settings, ProcessClaim::Only).await.unwrap();
    let others = holders(postgres, &database, "pid");
    let mut watched = JoinSet::new();
    watched.spawn(lost.until_taken());
    assert!(tokio::time::timeout(Duration::from_secs(8), watched.join_next()).await.is_err(), "it serves on");
    drop(other);
    another_holder(postgres, &database, &others).await;
    assert!(watched.try_join_next().is_none());
}

/// A network that drops the connection without a word: the server keeps the session and its lock, and the process ends that session itself.
#[tokio::test]
async fn claim_is_taken_again_from_a_session_that_only_the_server_believes_in() {
    let postgres = server::shared().await;
    let database = server::database(postgres);
    let (address, silence, _carrying) = silenceable(postgres.address()).await;
    let through = PostgresSettings::new(format!("postgres://{ROLE}@{address}/{database}"));
    let mut watched = JoinSet::new();
    watched.spawn(claim(&through, ProcessClaim::Only).await.unwrap().until_taken());
    let first = holders(postgres, &database, "pid");
    silence.send_replace(true);
    another_holder(postgres, &database, &first).await;
    assert!(watched.try_join_next().is_none(), "the process serves on");
}
