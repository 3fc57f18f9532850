//! Runs the contract suites of the implemented ports, each test on a Postgres database of its own.

mod past_event_rows {
    crate::past_events::past_event_cases!(super::super::server::open());
}
mod unreadable_rows {
    crate::unreadable::unreadable_cases!(super::super::server::open());
}
mod accounts {
    voelgoed_contracts::account_store_suite!(super::super::server::open());
}
mod analytics {
    voelgoed_contracts::analytics_store_suite!(super::super::server::open());
}
mod catalog {
    voelgoed_contracts::catalog_store_suite!(super::super::server::open());
}
mod devices {
    voelgoed_contracts::device_store_suite!(super::super::server::open());
}
mod idempotency {
    voelgoed_contracts::idempotency_store_suite!(super::super::server::open());
}
mod jobs {
    voelgoed_contracts::job_store_suite!(super::super::server::open());
}
mod nodes {
    voelgoed_contracts::node_store_suite!(super::super::server::open());
}
mod outbox {
    voelgoed_contracts::outbox_store_suite!(super::super::server::open());
}
mod orders {
    voelgoed_contracts::order_store_suite!(super::super::server::open());
}
mod payments {
    voelgoed_contracts::payment_store_suite!(super::super::server::open());
}
mod places {
    voelgoed_contracts::place_store_suite!(super::super::server::open());
}
mod refunds {
    voelgoed_contracts::refund_store_suite!(super::super::server::open());
}
mod retention {
    voelgoed_contracts::retention_store_suite!(super::super::server::open());
}
mod scans {
    voelgoed_contracts::scan_store_suite!(super::super::server::open());
}
