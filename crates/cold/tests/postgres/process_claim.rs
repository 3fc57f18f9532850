//! One process, or several: a process that holds its warm tier in memory has a Postgres for itself.

use voelgoed_cold::process_claim::{ProcessClaim, claim};

use crate::server;

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
