//! Counts the SQL statements of concurrent work by their metric. One test, because the metrics belong to the whole process.

use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use voelgoed_app::checkout::ports::OrderStore;
use voelgoed_app::environment::Environment;
use voelgoed_app::payments::ports::{PaymentStore, SendLease};
use voelgoed_cold::{Cold, ColdConfig};
use voelgoed_contracts::sales_fixture::SalesFixture;
use voelgoed_contracts::sut::{Sut, TestEnvironment};
use voelgoed_contracts::test_directory::TestDirectory;
use voelgoed_telemetry::{Exporter, install};

/// Payments whose send leases are requested concurrently.
const SENDS: u32 = 12;

/// How often a statement ran in this process.
fn runs(exporter: &Exporter, statement: &str) -> u64 {
    let label = format!("statement=\"{statement}\"");
    let text = exporter.render();
    let line = text.lines().find(|line| line.starts_with("voelgoed_sql_seconds_count") && line.contains(&label));
    line.and_then(|line| line.rsplit(' ').next()?.parse().ok()).unwrap_or(0)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_leases_share_statements_and_overdue_orders_are_paged() {
    let exporter = install("test");
    let directory = TestDirectory::new("statements");
    let environment = Arc::new(TestEnvironment::default());
    let store = Arc::new(Cold::open(ColdConfig::embedded(directory.path()), environment.clone()).await.unwrap());
    let shop = SalesFixture::open(Sut { store, environment, keep: Box::new(directory) }).await;
    let mut payments = Vec::new();
    for place in 0..SENDS {
        payments.push(shop.placed_order(&[place]).await.1);
    }
    let now = shop.environment().now();
    let statements = ["payments.lease_send", "payments.read_attempt", "payments.read_attempts"];
    let before = statements.map(|statement| runs(exporter, statement));
    let leases = payments.iter().map(|payment| async {
        let lease = SendLease { token: shop.environment().uuid(), until: now.plus(Duration::from_secs(10)) };
        shop.store().lease_send(shop.organization, *payment, lease, now).await.unwrap().is_some()
    });
    assert!(join_all(leases).await.into_iter().all(|leased| leased));
    let [leased, read_one, read_many] = statements.map(|statement| runs(exporter, statement));
    assert!(leased - before[0] <= 4, "{} statements for {SENDS} leases", leased - before[0]);
    assert_eq!(read_one - before[1], 0, "no attempt is read alone");
    assert!(read_many - before[2] <= 4, "{} reads for {SENDS} leases", read_many - before[2]);

    // Paging over overdue orders returns each order once, although the orders stay overdue.
    let (mut after, mut seen) = (None, Vec::new());
    let pay_by = shop.environment().advance(Duration::from_secs(3600));
    loop {
        let page = shop.store().overdue(pay_by, after, 5).await.unwrap();
        let Some(last) = page.last() else { break };
        after = Some(*last);
        seen.extend(page.into_iter().map(|overdue| overdue.order));
    }
    let mut once = seen.clone();
    once.sort_unstable();
    once.dedup();
    assert_eq!((seen.len(), once.len()), (SENDS as usize, SENDS as usize));
    assert_eq!(runs(exporter, "checkout.overdue"), 4, "pages of five, and an empty one");
}
