//! Cases of the gate filter: it remembers admitted and revoked tickets (P6).

use voelgoed_app::environment::new_id;
use voelgoed_domain::ids::TicketId;
use voelgoed_domain::ticketing::inventory::GateFilter;

use super::*;

/// Admitted stays admitted and revoked stays revoked, after a rebuild too; revoked has priority.
pub async fn gate_filter_survives_a_rebuild<S: InventoryStore>(sut: Sut<S>) {
    let (store, scope, other) = (&sut.store, loaded(&sut).await, loaded(&sut).await);
    let [admitted, revoked, both, from_cold]: [TicketId; 4] = std::array::from_fn(|_| new_id(&*sut.environment));
    assert_eq!(store.gate_filter(scope, admitted).await.unwrap(), GateFilter::Unseen);
    store.mark_admitted(scope, admitted).await.unwrap();
    store.mark_admitted(scope, both).await.unwrap();
    store.mark_revoked(scope, &[revoked, both]).await.unwrap();
    store.mark_admitted(scope, both).await.unwrap();
    for epoch in [2, 3] {
        for (ticket, filter) in
            [(admitted, GateFilter::Admitted), (revoked, GateFilter::Revoked), (both, GateFilter::Revoked)]
        {
            assert_eq!(store.gate_filter(scope, ticket).await.unwrap(), filter);
            assert_eq!(store.gate_filter(other, ticket).await.unwrap(), GateFilter::Unseen);
        }
        let install = Install { admitted: vec![from_cold], ..plan(epoch) };
        install_event(store, scope, install).await.unwrap();
    }
    assert_eq!(store.gate_filter(scope, from_cold).await.unwrap(), GateFilter::Admitted);
}
