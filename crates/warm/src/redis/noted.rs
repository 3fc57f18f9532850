//! Keeps which holds each session asked for on Redis: a small sorted set per session, in whatever slot it falls, which expires by itself.
//!
//! Never: part of an event's step. A note that is lost hides a hold from its session's page and changes nothing else.

use redis::Value;
use uuid::Uuid;
use voelgoed_app::error::{Dependency, Fault, StoreResult};
use voelgoed_app::ticketing::ports::{EventScope, NOTED_HOLDS_KEPT, NOTED_HOLDS_MAX};
use voelgoed_domain::ids::{EventId, HoldId, OrganizationId, SessionId};

use super::error::CallError;
use super::inventory::RedisWarm;
use super::scripts::Script;
use super::server::Call;
use super::{reply, request, scripts};

impl RedisWarm {
    /// Adds a note.
    pub(super) async fn note_of_session(&self, session: SessionId, scope: EventScope, hold: HoldId) -> StoreResult<()> {
        let ids = [scope.organization.uuid(), scope.event.uuid(), hold.uuid()];
        let args = [
            self.injected_now(),
            ids.iter().flat_map(|id| *id.as_bytes()).collect(),
            request::number(NOTED_HOLDS_MAX),
            request::number(NOTED_HOLDS_KEPT.as_millis()),
        ];
        self.ask_notes(session, &scripts::NOTE_HOLD, &args).await.map(drop)
    }

    /// The notes, newest first.
    pub(super) async fn notes(&self, session: SessionId) -> StoreResult<Vec<(EventScope, HoldId)>> {
        let args = [self.injected_now(), request::number(NOTED_HOLDS_KEPT.as_millis())];
        let notes = reply::texts(self.ask_notes(session, &scripts::NOTED_HOLDS, &args).await?)?;
        notes.iter().map(|note| read(note)).collect()
    }

    async fn ask_notes(&self, session: SessionId, script: &'static Script, args: &[Vec<u8>]) -> StoreResult<Value> {
        let key = format!("{}:session:{}", self.settings.prefix, session.uuid().simple());
        let call = Call { script, key: &key, args, within: self.settings.answer_within };
        match self.router.call(&call).await {
            Ok(value) => Ok(value),
            Err(CallError::Lost(detail)) => Err(Fault::away(Dependency::Warm, detail)),
            Err(error) => Err(error.into()),
        }
    }
}

fn read(note: &[u8]) -> StoreResult<(EventScope, HoldId)> {
    let [organization, event, hold] = note.as_chunks::<16>().0 else {
        return Err(Fault::internal("a note of a hold that is none"));
    };
    let scope = EventScope {
        organization: OrganizationId::from_uuid(Uuid::from_bytes(*organization)),
        event: EventId::from_uuid(Uuid::from_bytes(*event)),
    };
    Ok((scope, HoldId::from_uuid(Uuid::from_bytes(*hold))))
}
