//! Lists the slices of the platform: one line per slice gives its field, the slices that it uses, and the ports that the stores must implement for it.
//!
//! A macro makes the struct, its construction, the list for the start of a node, and the lookup by type from these lines. So a missing port, or a handler of a
//! slice without a line, is a compile error, which a registry filled at run time could report only at the start.
//!
//! To add a slice: its line, after the slices that it uses; docs/how-to/add-a-slice.md has the other steps.

use std::sync::Arc;

use crate::accounts::Accounts;
use crate::accounts::ports::AccountStore;
use crate::adapters::Adapters;
use crate::analytics::Analytics;
use crate::analytics::ports::{AnalyticsStore, CountStream};
use crate::catalog::Catalog;
use crate::catalog::ports::CatalogStore;
use crate::checkout::Checkout;
use crate::checkout::ports::OrderStore;
use crate::context::Context;
use crate::idempotency::IdempotencyStore;
use crate::ledger::Ledger;
use crate::ledger::ports::LedgerStore;
use crate::payments::Payments;
use crate::payments::order_ports::PayableOrders;
use crate::payments::ports::PaymentStore;
use crate::retention::SHARED_CLASSES;
use crate::retention::class::RetentionClass;
use crate::scanning::Scanning;
use crate::scanning::ports::{GateTickets, OfflineScanJournal, ScanStore};
use crate::slice::Slice;
use crate::ticketing::Ticketing;
use crate::ticketing::ports::{InventoryStore, PlaceStore};

macro_rules! slices {
    ($($(#[$doc:meta])* $name:ident: $slice:path, uses [$($earlier:ident),*], cold [$($cold:path),*], warm [$($warm:path),*];)*) => {
        /// Every slice of the platform, for handlers, jobs and the command line. Cheap to clone.
        #[derive(Clone)]
        pub struct Slices {
            /// What all slices share.
            pub context: Context,
            $($(#[$doc])* pub $name: Arc<$slice>,)*
        }

        impl Slices {
            /// Builds the slices on the adapters of a process, in the order of the lines.
            pub fn new<C, W>(adapters: &Adapters<C, W>) -> Self
            where
                $($(C: $cold,)* $(W: $warm,)*)*
            {
                $(let $name = Arc::new(<$slice>::new(adapters, $(&$earlier),*));)*
                Self { context: adapters.node.context.clone(), $($name),* }
            }

            /// The names of all slices, in the order of the lines.
            pub const NAMES: &'static [&'static str] = &[$(<$slice>::NAME),*];

            /// The classes of rows that are deleted at some age: those of every slice, after the shared ones.
            #[must_use]
            pub fn retention_classes(&self) -> Vec<RetentionClass> {
                let own = self.all().into_iter().flat_map(|slice| slice.retention());
                SHARED_CLASSES.into_iter().chain(own).collect()
            }

            /// Every slice, in the order of the lines.
            #[must_use]
            pub fn all(&self) -> Vec<Arc<dyn Slice>> {
                vec![$(self.$name.clone()),*]
            }
        }

        $(impl AsRef<Arc<$slice>> for Slices {
            fn as_ref(&self) -> &Arc<$slice> {
                &self.$name
            }
        })*
    };
}

slices! {
    /// Organizations, members, keys and logins.
    accounts: Accounts, uses [], cold [AccountStore], warm [];
    /// Venues, layouts, events, ticket types and price rules.
    catalog: Catalog, uses [], cold [CatalogStore], warm [];
    /// Counts of the steps of a sale.
    analytics: Analytics, uses [], cold [AnalyticsStore], warm [CountStream];
    /// Places and holds.
    ticketing: Ticketing, uses [analytics], cold [PlaceStore, OrderStore], warm [InventoryStore];
    /// Gates, devices and scans.
    scanning: Scanning, uses [], cold [ScanStore, GateTickets], warm [OfflineScanJournal];
    /// Payment attempts and refunds.
    payments: Payments, uses [ticketing, scanning], cold [PaymentStore, PayableOrders, IdempotencyStore], warm [];
    /// Orders.
    checkout: Checkout, uses [ticketing, payments], cold [OrderStore, IdempotencyStore], warm [];
    /// Balances and journal entries.
    ledger: Ledger, uses [], cold [LedgerStore], warm [];
}
