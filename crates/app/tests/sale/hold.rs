//! Holds that have to wait for their turn.

use futures::FutureExt as _;
use tokio::sync::oneshot;
use voelgoed_app::catalog::move_event::move_event;
use voelgoed_app::environment::fresh;
use voelgoed_app::error::Error;
use voelgoed_app::tenant_bulkheads::WorkClass;
use voelgoed_domain::catalog::event::EventAct;
use voelgoed_domain::refusal::Code;

use crate::bench::{Bench, RUNNING};

#[tokio::test]
async fn a_hold_that_waits_for_its_turn_meets_the_event_as_it_is_then() {
    let bench = Bench::open().await;
    let (end, ended) = oneshot::channel::<()>();
    let ended = ended.shared();
    let others = (0..RUNNING).map(|_| {
        let ended = ended.clone();
        bench.platform.shares.within(WorkClass::Holds, bench.scope.organization, async {
            ended.await.unwrap();
            Ok(())
        })
    });
    let mut others = Box::pin(futures::future::join_all(others));
    assert!((&mut others).now_or_never().is_none());
    let mut waiting = Box::pin(bench.asked(0, fresh(&*bench.environment), None));
    assert!((&mut waiting).now_or_never().is_none(), "there is no room for it");
    move_event(&bench.platform, bench.scope, EventAct::Pause).await.unwrap();
    end.send(()).unwrap();
    let (_, held) = futures::join!(others, waiting);
    assert!(matches!(held, Err(Error::Refused(refusal)) if refusal.code == Code::SaleClosed));
}
