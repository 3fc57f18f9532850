//! Runs `voelgoed jobs`: lists dead jobs, or revives them with all their attempts once their cause is fixed.
//!
//! Never: revives a job that is not dead, or one whose unique key another job has.

use anyhow::bail;
use voelgoed_app::environment::Environment;
use voelgoed_app::jobs::ports::JobStore;
use voelgoed_domain::ids::JobId;

use super::open_data;
use crate::cli::JobsCommand;
use crate::data_directory::IfMissing;
use crate::output;
use crate::role::Role;
use crate::settings::Settings;
use crate::wiring::wire;

/// Dead jobs that are listed or revived at once.
const DEAD_JOBS_MAX: u32 = 1_000;

/// Lists or revives; a running server finds revived jobs at its next poll.
pub async fn jobs(settings: &Settings, act: JobsCommand) -> anyhow::Result<()> {
    open_data(settings, IfMissing::Refuse)?;
    let runtime = wire(settings, Role::All, "http://localhost").await?;
    let store: &dyn JobStore = &*runtime.cold;
    let environment = &*runtime.slices.context.environment;
    let done = match act {
        JobsCommand::List => list(store).await,
        JobsCommand::Revive { job: None } => revive_all(store, environment).await,
        JobsCommand::Revive { job: Some(job) } => revive(store, environment, job).await,
    };
    runtime.cold.close().await;
    output::text(done?)
}

async fn list(store: &dyn JobStore) -> anyhow::Result<String> {
    let dead = store.dead(DEAD_JOBS_MAX).await?;
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
    for job in store.dead(DEAD_JOBS_MAX).await? {
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

    use voelgoed_app::environment::new_id;
    use voelgoed_app::jobs::ports::{JobEnd, NewJob, Queue};
    use voelgoed_cold::{Cold, ColdConfig};

    use super::{Environment, JobStore, list, revive, revive_all};
    use crate::system_environment::SystemEnvironment;

    #[tokio::test]
    async fn dead_job_is_listed_and_becomes_ready_when_revived() {
        let directory = std::env::temp_dir().join(format!("voelgoed-jobs-{}", SystemEnvironment.uuid()));
        let environment: Arc<dyn Environment> = Arc::new(SystemEnvironment);
        let cold = Cold::open(ColdConfig::embedded(&directory), Arc::clone(&environment)).await.unwrap();
        let now = environment.now();
        let job = |kind| NewJob {
            id: new_id(&*environment),
            organization: None,
            kind,
            queue: Queue::Payments,
            payload: serde_json::json!({"refund": 7}),
            run_at: now,
            unique_key: None,
            max_attempts: 3,
        };
        cold.enqueue(vec![job("test.one"), job("test.two")]).await.unwrap();
        assert_eq!(list(&cold).await.unwrap(), "", "no job is dead");
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
        assert!(revive(&cold, &*environment, first).await.is_err(), "the job is not dead");
        assert!(revive(&cold, &*environment, new_id(&*environment)).await.is_err(), "there is no such job");
        assert_eq!(revive_all(&cold, &*environment).await.unwrap().lines().count(), 1);
        assert_eq!(list(&cold).await.unwrap(), "");
        assert_eq!(cold.depth(Queue::Payments, environment.now()).await.unwrap().ready, 2);
        cold.close().await;
        std::fs::remove_dir_all(directory).unwrap();
    }
}
