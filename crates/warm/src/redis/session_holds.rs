//! Stores the holds of each session in a Redis sorted set per session, which expires by itself, for the session's own page.
//!
//! Never: part of an event's step. A lost entry hides a hold from its session's page and has no other effect.

use redis::Value;
use uuid::Uuid;
use voelgoed_app::error::{Dependency, Fault, StoreResult};
use voelgoed_app::ticketing::ports::{EventScope, NOTED_HOLDS_MAX, NOTED_HOLDS_TTL};
use voelgoed_domain::ids::{EventId, HoldId, OrganizationId, SessionId};

use super::RedisWarm;
use super::error::CallError;
use super::function_library::RedisFunction;
use super::server::Call;
use super::{function_library, reply, request};

impl RedisWarm {
    /// Adds a hold to its session.
    pub(super) async fn add_session_hold(
        &self,
        session: SessionId,
        scope: EventScope,
        hold: HoldId,
    ) -> StoreResult<()> {
        let ids = [scope.organization.uuid(), scope.event.uuid(), hold.uuid()];
        let args = [
            self.injected_now(),
            ids.iter().flat_map(|id| *id.as_bytes()).collect(),
            request::number(NOTED_HOLDS_MAX),
            request::number(NOTED_HOLDS_TTL.as_millis()),
        ];
        self.call_session(session, &function_library::NOTE_SESSION_HOLD, &args).await.map(drop)
    }

    /// The holds of a session, newest first.
    pub(super) async fn read_session_holds(&self, session: SessionId) -> StoreResult<Vec<(EventScope, HoldId)>> {
        let args = [self.injected_now(), request::number(NOTED_HOLDS_TTL.as_millis())];
        let entries = reply::texts(self.call_session(session, &function_library::SESSION_HOLDS, &args).await?)?;
        entries.iter().map(|entry| read_entry(entry)).collect()
    }

    async fn call_session(
        &self,
        session: SessionId,
        function: &'static RedisFunction,
        args: &[Vec<u8>],
    ) -> StoreResult<Value> {
        let key = format!("{}:session:{}", self.settings.prefix, session.uuid().simple());
        let call = Call { function, key: &key, args, timeout: self.settings.reply_timeout };
        match self.router.call(&call).await {
            Ok(value) => Ok(value),
            Err(CallError::Lost(detail)) => Err(Fault::unavailable(Dependency::Warm, detail)),
            Err(error) => Err(error.into()),
        }
    }
}

fn read_entry(entry: &[u8]) -> StoreResult<(EventScope, HoldId)> {
    let [organization, event, hold] = entry.as_chunks::<16>().0 else {
        return Err(Fault::internal("an unreadable entry of a session's holds"));
    };
    let scope = EventScope {
        organization: OrganizationId::from_uuid(Uuid::from_bytes(*organization)),
        event: EventId::from_uuid(Uuid::from_bytes(*event)),
    };
    Ok((scope, HoldId::from_uuid(Uuid::from_bytes(*hold))))
}
