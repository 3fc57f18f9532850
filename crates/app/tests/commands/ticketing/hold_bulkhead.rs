//! Holds wait for their organization's bulkhead and are then checked against the present event.

use futures::FutureExt as _;
use tokio::sync::oneshot;
use voelgoed_app::environment::new_id;
use voelgoed_app::error::CommandError;
use voelgoed_app::tenant_bulkheads::WorkClass;
use voelgoed_domain::catalog::event::EventTransition;
use voelgoed_domain::refusal::Code;

use voelgoed_testkit::platform::TestPlatform;

/// Holds in progress that leave no room for another.
const RUNNING: usize = 2;

#[tokio::test]
async fn hold_that_waited_for_its_bulkhead_is_refused_where_the_sale_was_paused_meanwhile() {
    let shop = TestPlatform::builder().bulkheads(RUNNING, 1).open().await;
    let (end, ended) = oneshot::channel::<()>();
    let ended = ended.shared();
    let others = (0..RUNNING).map(|_| {
        let ended = ended.clone();
        shop.slices.context.bulkheads.run(WorkClass::Holds, shop.scope.organization, async {
            ended.await.unwrap();
            Ok(())
        })
    });
    let mut others = Box::pin(futures::future::join_all(others));
    assert!((&mut others).now_or_never().is_none());
    let mut waiting = Box::pin(shop.try_hold_seat(0, new_id(&*shop.environment), None));
    assert!((&mut waiting).now_or_never().is_none(), "there is no room for it");
    shop.slices.catalog.transition_event(shop.scope, EventTransition::Pause).await.unwrap();
    end.send(()).unwrap();
    let (_, held) = futures::join!(others, waiting);
    assert!(matches!(held, Err(CommandError::Refused(refusal)) if refusal.code == Code::SaleClosed));
}
