//! How each kind breaks, and is mended: the real thing, from outside.
//!
//! Never: something that stays broken, a wait without an end. To add a kind: see `schedule`.

use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::sleep;
use voelgoed_testkit::proxy::{Proxy, Weather};
use voelgoed_testkit::until::until;

use super::schedule::{Injection, Kind};
use super::stage::Stage;

/// How late what passes a slow way is, in each direction. A call of Redis is one exchange, a transaction of Postgres some.
const LATE_REDIS: Duration = Duration::from_millis(150);
const LATE_POSTGRES: Duration = Duration::from_millis(80);
/// A copy is written within this.
const SAVES: Duration = Duration::from_secs(20);

impl Stage {
    /// Breaks something, and mends it.
    pub async fn strike(&mut self, injection: &Injection) -> anyhow::Result<()> {
        if injection.copy {
            self.keep_copy().await?;
        }
        let away = injection.away;
        match injection.kind {
            Kind::KillNode(node) => {
                self.nodes[node].kill().await?;
                sleep(away).await;
            }
            Kind::FreezeNode(node) => {
                self.nodes[node].signal("-STOP").await?;
                sleep(away).await;
                self.nodes[node].signal("-CONT").await?;
            }
            Kind::KillProvider => {
                self.provider.kill().await?;
                sleep(away).await;
                self.provider.start()?;
            }
            Kind::FreezeProvider => {
                self.provider.signal("-STOP").await?;
                sleep(away).await;
                self.provider.signal("-CONT").await?;
            }
            Kind::PartRedis(node) => weather(&self.ways[node].redis, Weather::Parted, away).await,
            Kind::SlowRedis(node) => weather(&self.ways[node].redis, Weather::Slow(LATE_REDIS), away).await,
            Kind::PartPostgres(node) => weather(&self.ways[node].postgres, Weather::Parted, away).await,
            Kind::SlowPostgres(node) => weather(&self.ways[node].postgres, Weather::Slow(LATE_POSTGRES), away).await,
            Kind::KillPostgres | Kind::FreezePostgres | Kind::CutPostgres | Kind::FillDisk => {
                self.strike_postgres(injection.kind, away).await?;
            }
            Kind::KillRedis
            | Kind::FreezeRedis
            | Kind::Flush
            | Kind::OldCopy
            | Kind::CutRedis
            | Kind::FailoverRedis => self.strike_redis(injection.kind, away).await?,
        }
        self.keep().await
    }

    async fn strike_postgres(&mut self, kind: Kind, away: Duration) -> anyhow::Result<()> {
        match kind {
            Kind::FreezePostgres => {
                self.postgres.freeze()?;
                sleep(away).await;
                self.postgres.thaw()
            }
            Kind::CutPostgres => {
                let others = "select count(pg_terminate_backend(pid)) from pg_stat_activity where usename = 'voelgoed'";
                self.postgres.sql("postgres", others).map(drop)
            }
            Kind::FillDisk if self.has_disk => {
                self.postgres.fill_disk()?;
                sleep(away).await;
                self.postgres.empty_disk()
            }
            Kind::FillDisk => {
                println!("left out: no disk of its own");
                Ok(())
            }
            _ => {
                self.postgres.kill().await?;
                sleep(away).await;
                self.postgres.rise().await
            }
        }
    }

    async fn strike_redis(&mut self, kind: Kind, away: Duration) -> anyhow::Result<()> {
        let master = &self.redis[self.master];
        match kind {
            Kind::FreezeRedis => {
                master.pause()?;
                sleep(away).await;
                master.resume()
            }
            Kind::CutRedis => {
                for class in ["normal", "pubsub"] {
                    master.ask(&["CLIENT", "KILL", "TYPE", class, "SKIPME", "yes"]).await?;
                }
                Ok(())
            }
            Kind::Flush => {
                master.flush_all().await?;
                self.lost();
                Ok(())
            }
            Kind::FailoverRedis => self.fail_over(away).await,
            _ => self.restart_redis(away, kind == Kind::OldCopy).await,
        }
    }

    /// The replica takes over with what had reached it, as where Sentinel or an operator promotes it; the old master comes back as its replica.
    async fn fail_over(&mut self, away: Duration) -> anyhow::Result<()> {
        let old = self.master;
        self.redis[old].kill()?;
        self.lost();
        sleep(away).await;
        self.master = 1 - old;
        let (master, replica) = (&self.redis[self.master], &self.redis[old]);
        master.promote().await?;
        for ways in &self.ways {
            ways.redis.lead_to(&master.address());
        }
        self.lost();
        replica.rise().await?;
        replica.follow(master).await
    }

    async fn restart_redis(&mut self, away: Duration, from_copy: bool) -> anyhow::Result<()> {
        if from_copy && !self.copy.exists() {
            self.keep_copy().await?;
            sleep(away).await;
        }
        let redis = &self.redis[self.master];
        redis.kill()?;
        self.lost();
        sleep(away).await;
        let saved = redis.saved();
        if from_copy {
            std::fs::copy(&self.copy, &saved)?;
        }
        redis.rise().await?;
        self.lost();
        if from_copy {
            std::fs::remove_file(saved)?;
        }
        Ok(())
    }

    async fn keep_copy(&self) -> anyhow::Result<()> {
        let redis = &self.redis[self.master];
        // It refuses while it writes a copy for its replica.
        until("a copy of Redis", SAVES, || async { Ok(redis.save().await.ok()) }).await?;
        Ok(std::fs::rename(redis.saved(), &self.copy)?)
    }

    fn lost(&self) {
        self.warm_losses.fetch_add(1, Ordering::SeqCst);
    }
}

async fn weather(way: &Proxy, weather: Weather, lasts: Duration) {
    way.set(weather);
    sleep(lasts).await;
    way.set(Weather::Fair);
}
