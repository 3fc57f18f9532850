//! Implements the node store: each node keeps a leased row by heartbeats, and expired rows are deleted (system role).

use async_trait::async_trait;
use uuid::Uuid;
use voelgoed_app::error::StoreResult;
use voelgoed_app::nodes::ports::{MemberNode, NodeStore};
use voelgoed_domain::time::Timestamp;

use crate::Cold;
use crate::db::{Sql, SystemRole, binds, sql};

const HEARTBEAT: Sql = sql(
    "nodes.announce",
    "insert into nodes (id, role, address, version, started_at, lives_until) values ($1, $2, $3, $4, $5, $6)
     on conflict (id) do update set lives_until = excluded.lives_until",
);
const DELETE_EXPIRED: Sql = sql("nodes.forget", "delete from nodes where lives_until < $1");
const ALIVE: Sql = sql(
    "nodes.living",
    "select id, role, address, version, started_at from nodes where lives_until > $1 order by started_at, id",
);
const LEAVE: Sql = sql("nodes.leave", "delete from nodes where id = $1");

#[async_trait]
impl NodeStore for Cold {
    async fn heartbeat(&self, node: &MemberNode, until: Timestamp, forget_before: Timestamp) -> StoreResult<()> {
        let mut tx = self.db.begin(SystemRole::Nodes).await?;
        let row = binds![node.id, &node.role, &node.address, &node.version, node.started_at, until];
        tx.execute(HEARTBEAT, row).await?;
        tx.execute(DELETE_EXPIRED, binds![forget_before]).await?;
        Ok(tx.commit().await?)
    }

    async fn live_nodes(&self, now: Timestamp) -> StoreResult<Vec<MemberNode>> {
        let rows =
            self.db.fetch_all::<(Uuid, String, String, String, i64)>(SystemRole::Nodes, ALIVE, binds![now]).await?;
        let node = |(id, role, address, version, started_at)| MemberNode {
            id,
            role,
            address,
            version,
            started_at: Timestamp::from_micros(started_at),
        };
        Ok(rows.into_iter().map(node).collect())
    }

    async fn leave(&self, id: Uuid) -> StoreResult<()> {
        let mut tx = self.db.begin(SystemRole::Nodes).await?;
        tx.execute(LEAVE, binds![id]).await?;
        Ok(tx.commit().await?)
    }
}
