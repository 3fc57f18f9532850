//! `voelgoed jobs`: dead jobs are listed for a person, and given all their attempts anew once the cause is mended.
//!
//! Never: a living job, or one whose work another has taken over under the same key.

use anyhow::bail;
use voelgoed_app::environment::Environment;
use voelgoed_app::jobs::ports::JobStore;
use voelgoed_domain::ids::JobId;

use super::open_data;
use crate::cli::JobsAct;
use crate::data_directory::IfMissing;
use crate::output;
use crate::role::Role;
use crate::settings::Settings;
use crate::wiring::wire;

/// The most that is listed.
const MOST: u32 = 1_000;

/// Lists or revives; a server may run on the data meanwhile and finds what was revived at its next look.
pub async fn jobs(settings: &Settings, act: JobsAct) -> anyhow::Result<()> {
    open_data(settings, IfMissing::Refuse)?;
    let wired = wire(settings, Role::All, "http://localhost").await?;
    let (store, environment) = (&*wired.platform.jobs, &*wired.platform.environment);
    let done = match act {
        JobsAct::List => list(store).await,
        JobsAct::Revive { job: None } => revive_all(store, environment).await,
        JobsAct::Revive { job: Some(job) } => revive(store, environment, job).await,
    };
    wired.cold.close().await;
    output::text(done?)
}

async fn list(store: &dyn JobStore) -> anyhow::Result<String> {
    let dead = store.dead(MOST).await?;
    let line = |job: voelgoed_app::jobs::ports::LeasedJob| {
        let organization = job.organization.map_or_else(|| "-".to_owned(), |id| id.to_string());
        let error = job.last_error.unwrap_or_default();
        format!("{} {} {organization} {} {error}\n", job.id, job.kind, job.payload)
    };
    Ok(dead.into_iter().map(line).collect())
}

async fn revive(store: &dyn JobStore, environment: &dyn Environment, id: JobId) -> anyhow::Result<String> {
    if !store.revive(id, environment.now()).await? {
        bail!(
            "{id} is not dead, or another job does its work already. Nothing was changed; `voelgoed jobs list` prints the dead ones"
        );
    }
    Ok(format!("{id}\n"))
}

async fn revive_all(store: &dyn JobStore, environment: &dyn Environment) -> anyhow::Result<String> {
    let mut revived = String::new();
    for job in store.dead(MOST).await? {
        if store.revive(job.id, environment.now()).await? {
            revived.push_str(&format!("{}\n", job.id));
        }
    }
    Ok(revived)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use voelgoed_app::environment::fresh;
    use voelgoed_app::jobs::ports::{JobEnd, NewJob, Queue};
    use voelgoed_cold::{Cold, ColdConfig};

    use super::{Environment, JobStore, list, revive, revive_all};
    use crate::environment::Machine;

    #[tokio::test]
    async fn a_dead_job_is_listed_and_lives_again() {
        let directory = std::env::temp_dir().join(format!("voelgoed-jobs-{}", Machine.uuid()));
        let environment: Arc<dyn Environment> = Arc::new(Machine);
        let cold = Cold::open(ColdConfig::embedded(&directory), Arc::clone(&environment)).await.unwrap();
        let now = environment.now();
        let job = |kind| NewJob {
            id: fresh(&*environment),
            organization: None,
            kind,
            queue: Queue::Payments,
            payload: serde_json::json!({"refund": 7}),
            run_at: now,
            unique_key: None,
            max_attempts: 3,
        };
        cold.enqueue(vec![job("test.one"), job("test.two")]).await.unwrap();
        assert_eq!(list(&cold).await.unwrap(), "", "they live");
        for leased in
            cold.lease(Queue::Payments, &["test.one", "test.two"], 9, now, Duration::from_secs(9)).await.unwrap()
        {
            assert!(cold.end(leased.id, leased.lease, JobEnd::Dead("the provider said no".into()), now).await.unwrap());
        }
        let listed = list(&cold).await.unwrap();
        assert_eq!(listed.lines().count(), 2);
        assert!(listed.contains("test.one - {\"refund\":7} the provider said no\n"), "{listed}");
        let first = listed.split(' ').next().unwrap().parse().unwrap();
        assert_eq!(revive(&cold, &*environment, first).await.unwrap(), format!("{first}\n"));
        assert!(revive(&cold, &*environment, first).await.is_err(), "it lives");
        assert!(revive(&cold, &*environment, fresh(&*environment)).await.is_err(), "there is no such job");
        assert_eq!(revive_all(&cold, &*environment).await.unwrap().lines().count(), 1);
        assert_eq!(list(&cold).await.unwrap(), "");
        assert_eq!(cold.depth(Queue::Payments, environment.now()).await.unwrap().ready, 2);
        cold.close().await;
        std::fs::remove_dir_all(directory).unwrap();
    }
}
