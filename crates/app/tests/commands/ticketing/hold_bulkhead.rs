//! Holds wait for their organization's bulkhead and are then checked against the present event.

use futures::FutureExt as _;
use tokio::sync::oneshot;
use voelgoed_app::environment::new_id;
use voelgoed_app::error::{CommandError, CommandResult};
use voelgoed_app::tenant_bulkheads::WorkClass;
use voelgoed_domain::catalog::event::EventTransition;
use voelgoed_domain::refusal::Code;

use voelgoed_testkit::platform::TestPlatform;

use crate::support::{code, created, refusal};

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

#[tokio::test]
async fn work_beyond_the_bulkhead_of_its_class_is_refused_and_other_classes_go_on() {
    let shop = TestPlatform::builder().bulkheads(1, 0).open().await;
    let held = shop.hold_seat(0).await;
    let work = |class| {
        let pending = std::future::pending::<CommandResult<()>>();
        Box::pin(shop.slices.context.bulkheads.run(class, shop.scope.organization, pending))
    };
    let mut orders = work(WorkClass::Orders);
    assert!((&mut orders).now_or_never().is_none());
    let refused = refusal(shop.order(held).await);
    assert_eq!((refused.code, refused.evidence.retry_after), (Code::Overloaded, Some(1)));
    shop.hold_seat(1).await;
    drop(orders);
    created(shop.order(held).await);
    let mut holds = work(WorkClass::Holds);
    assert!((&mut holds).now_or_never().is_none());
    assert_eq!(code(shop.try_hold_seat(2, new_id(&*shop.environment), None).await), Code::Overloaded);
    let stranger = new_id(&*shop.environment);
    let other = shop.slices.context.bulkheads.run(WorkClass::Holds, stranger, async { Ok(7) }).await;
    assert_eq!(other.unwrap(), 7, "another organization has room");
}
