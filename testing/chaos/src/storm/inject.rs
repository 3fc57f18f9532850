//! Breaks and repairs the real processes for each kind of injection.
//!
//! Never: a part that stays broken, or a wait without a deadline. To add a kind: see `schedule.rs`.

use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::sleep;
use voelgoed_testkit::proxy::{LinkFault, Proxy};
use voelgoed_testkit::until::until;

use super::platform::StormPlatform;
use super::schedule::{Injection, InjectionKind};

/// Delays in each direction. A call of Redis is one exchange, a transaction of Postgres several.
const REDIS_DELAY: Duration = Duration::from_millis(150);
const POSTGRES_DELAY: Duration = Duration::from_millis(80);
const SNAPSHOT_TIMEOUT: Duration = Duration::from_secs(20);

impl StormPlatform {
    /// Breaks a part, and repairs it.
    pub async fn inject(&mut self, injection: &Injection) -> anyhow::Result<()> {
        if injection.keep_snapshot {
            self.keep_snapshot().await?;
        }
        let outage = injection.outage;
        match injection.kind {
            InjectionKind::KillNode(node) => {
                self.nodes[node].kill_if_running();
                sleep(outage).await;
            }
            InjectionKind::FreezeNode(node) => {
                self.nodes[node].signal_if_running("-STOP")?;
                sleep(outage).await;
                self.nodes[node].signal_if_running("-CONT")?;
            }
            InjectionKind::KillProvider => {
                self.provider.kill_if_running();
                sleep(outage).await;
                self.provider.start()?;
            }
            InjectionKind::FreezeProvider => {
                self.provider.signal_if_running("-STOP")?;
                sleep(outage).await;
                self.provider.signal_if_running("-CONT")?;
            }
            InjectionKind::PartitionRedis(node) => {
                inject_fault(&self.proxies[node].redis, LinkFault::Partition, outage).await
            }
            InjectionKind::SlowRedis(node) => {
                inject_fault(&self.proxies[node].redis, LinkFault::Delay(REDIS_DELAY), outage).await
            }
            InjectionKind::PartitionPostgres(node) => {
                inject_fault(&self.proxies[node].postgres, LinkFault::Partition, outage).await
            }
            InjectionKind::SlowPostgres(node) => {
                inject_fault(&self.proxies[node].postgres, LinkFault::Delay(POSTGRES_DELAY), outage).await
            }
            InjectionKind::KillPostgres
            | InjectionKind::FreezePostgres
            | InjectionKind::CutPostgres
            | InjectionKind::FillDisk => {
                self.inject_into_postgres(injection.kind, outage).await?;
            }
            InjectionKind::KillRedis
            | InjectionKind::FreezeRedis
            | InjectionKind::Flush
            | InjectionKind::OldCopy
            | InjectionKind::CutRedis
            | InjectionKind::FailoverRedis => self.inject_into_redis(injection.kind, outage).await?,
        }
        self.restart_ended().await
    }

    async fn inject_into_postgres(&mut self, kind: InjectionKind, outage: Duration) -> anyhow::Result<()> {
        match kind {
            InjectionKind::FreezePostgres => {
                self.postgres.freeze()?;
                sleep(outage).await;
                self.postgres.thaw()
            }
            InjectionKind::CutPostgres => {
                let others = "select count(pg_terminate_backend(pid)) from pg_stat_activity where usename = 'voelgoed'";
                self.postgres.sql("postgres", others).map(drop)
            }
            InjectionKind::FillDisk if self.has_small_disk => {
                self.postgres.fill_disk()?;
                sleep(outage).await;
                self.postgres.empty_disk()
            }
            InjectionKind::FillDisk => {
                println!("skipped: no small disk");
                Ok(())
            }
            _ => {
                self.postgres.kill().await?;
                sleep(outage).await;
                self.postgres.restart().await
            }
        }
    }

    async fn inject_into_redis(&mut self, kind: InjectionKind, outage: Duration) -> anyhow::Result<()> {
        let master = &self.redis[self.master];
        match kind {
            InjectionKind::FreezeRedis => {
                master.pause()?;
                sleep(outage).await;
                master.resume()
            }
            InjectionKind::CutRedis => {
                for class in ["normal", "pubsub"] {
                    master.execute(&["CLIENT", "KILL", "TYPE", class, "SKIPME", "yes"]).await?;
                }
                Ok(())
            }
            InjectionKind::Flush => {
                master.flush_all().await?;
                self.count_warm_loss();
                Ok(())
            }
            InjectionKind::FailoverRedis => self.fail_over(outage).await,
            _ => self.restart_redis(outage, kind == InjectionKind::OldCopy).await,
        }
    }

    /// Promotes the replica with the data that had reached it, as Sentinel or an operator does; the old master comes back as its replica.
    async fn fail_over(&mut self, outage: Duration) -> anyhow::Result<()> {
        let old = self.master;
        self.redis[old].kill()?;
        self.count_warm_loss();
        sleep(outage).await;
        self.master = 1 - old;
        let (master, replica) = (&self.redis[self.master], &self.redis[old]);
        master.promote().await?;
        for proxies in &self.proxies {
            proxies.redis.redirect_to(&master.address());
        }
        self.count_warm_loss();
        replica.restart().await?;
        replica.follow(master).await
    }

    async fn restart_redis(&mut self, outage: Duration, from_old_snapshot: bool) -> anyhow::Result<()> {
        if from_old_snapshot && !self.old_snapshot.exists() {
            self.keep_snapshot().await?;
            sleep(outage).await;
        }
        let redis = &self.redis[self.master];
        redis.kill()?;
        self.count_warm_loss();
        sleep(outage).await;
        let snapshot = redis.snapshot_file();
        if from_old_snapshot {
            std::fs::copy(&self.old_snapshot, &snapshot)?;
        }
        redis.restart().await?;
        self.count_warm_loss();
        if from_old_snapshot {
            std::fs::remove_file(snapshot)?;
        }
        Ok(())
    }

    async fn keep_snapshot(&self) -> anyhow::Result<()> {
        let redis = &self.redis[self.master];
        // Redis refuses while it writes a snapshot for its replica.
        until("a snapshot of Redis", SNAPSHOT_TIMEOUT, || async { Ok(redis.save().await.ok()) }).await?;
        Ok(std::fs::rename(redis.snapshot_file(), &self.old_snapshot)?)
    }

    fn count_warm_loss(&self) {
        self.warm_losses.fetch_add(1, Ordering::SeqCst);
    }
}

async fn inject_fault(proxy: &Proxy, fault: LinkFault, outage: Duration) {
    proxy.set_fault(fault);
    sleep(outage).await;
    proxy.set_fault(LinkFault::None);
}
