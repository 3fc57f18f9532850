//! The list of nodes: a leased row each (system role; nodes belong to no organization).

use async_trait::async_trait;
use uuid::Uuid;
use voelgoed_app::error::StoreResult;
use voelgoed_app::nodes::ports::{Node, NodeStore};
use voelgoed_domain::time::Timestamp;

use crate::Cold;
use crate::db::{Sql, System, binds, sql};

const ANNOUNCE: Sql = sql(
    "nodes.announce",
    "insert into nodes (id, role, address, version, started_at, lives_until) values ($1, $2, $3, $4, $5, $6)
     on conflict (id) do update set lives_until = excluded.lives_until",
);
const FORGET: Sql = sql("nodes.forget", "delete from nodes where lives_until < $1");
const LIVING: Sql = sql(
    "nodes.living",
    "select id, role, address, version, started_at from nodes where lives_until > $1 order by started_at, id",
);
const LEAVE: Sql = sql("nodes.leave", "delete from nodes where id = $1");

#[async_trait]
impl NodeStore for Cold {
    async fn announce(&self, node: &Node, until: Timestamp, forget_before: Timestamp) -> StoreResult<()> {
        let mut tx = self.db.begin(System::Nodes).await?;
        let row = binds![node.id, &node.role, &node.address, &node.version, node.started_at, until];
        tx.execute(ANNOUNCE, row).await?;
        tx.execute(FORGET, binds![forget_before]).await?;
        Ok(tx.commit().await?)
    }

    async fn living(&self, now: Timestamp) -> StoreResult<Vec<Node>> {
        let rows = self.db.fetch_all::<(Uuid, String, String, String, i64)>(System::Nodes, LIVING, binds![now]).await?;
        let node = |(id, role, address, version, started_at)| Node {
            id,
            role,
            address,
            version,
            started_at: Timestamp::from_micros(started_at),
        };
        Ok(rows.into_iter().map(node).collect())
    }

    async fn leave(&self, id: Uuid) -> StoreResult<()> {
        let mut tx = self.db.begin(System::Nodes).await?;
        tx.execute(LEAVE, binds![id]).await?;
        Ok(tx.commit().await?)
    }
}
