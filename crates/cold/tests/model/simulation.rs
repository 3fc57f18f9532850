//! Applies commands to the store and to a model in memory, and compares both.

use std::collections::BTreeMap;
use std::sync::Arc;

use voelgoed_app::checkout::ports::OrderStore;
use voelgoed_app::environment::Environment;
use voelgoed_app::payments::ports::{PaymentStore, RefundObservation};
use voelgoed_app::ticketing::ports::{Block, PlaceStore};
use voelgoed_cold::{Cold, ColdConfig};
use voelgoed_contracts::sales_fixture::{PAID_PER_PLACE, SalesFixture};
use voelgoed_contracts::sut::{Sut, TestEnvironment};
use voelgoed_contracts::test_directory::TestDirectory;
use voelgoed_domain::checkout::order::OrderState;
use voelgoed_domain::ids::{OrderId, PaymentId, RefundId, TicketId};
use voelgoed_domain::payments::decide::{Observation, PaymentDecision};
use voelgoed_domain::ticketing::place_number::PlaceNumber;

use crate::command::{ModelCommand, PLACES};

#[derive(Debug, Clone, Copy, PartialEq)]
enum PlaceModel {
    Free,
    Blocked,
    Claimed(OrderId),
    Sold(OrderId),
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum PaymentModel {
    None,
    Open,
    Ended,
    Captured,
    /// Captured after the order had ended: the cents, and whether they were refunded.
    Late(i64, bool),
}

#[derive(Debug)]
struct ModelOrder {
    id: OrderId,
    payment: Option<PaymentId>,
    places: Vec<u32>,
    state: OrderState,
    payment_state: PaymentModel,
    cancel_requested: bool,
    /// Place, ticket, and whether the ticket was refunded.
    tickets: Vec<(u32, TicketId, bool)>,
}

impl ModelOrder {
    fn owed(&self) -> i64 {
        PAID_PER_PLACE * self.places.len() as i64
    }
}

#[derive(Debug)]
struct ModelRefund {
    id: RefundId,
    amount: i64,
    /// The order and the place that the revocation frees.
    place: Option<(OrderId, u32)>,
    done: bool,
}

/// The store under test with the model of its state.
pub struct Simulation {
    shop: SalesFixture<Cold>,
    places: BTreeMap<u32, PlaceModel>,
    orders: Vec<ModelOrder>,
    refunds: Vec<ModelRefund>,
    clearing: i64,
}

impl Simulation {
    pub async fn open() -> Self {
        let directory = TestDirectory::new("model");
        let environment = Arc::new(TestEnvironment::default());
        let store = Cold::open(ColdConfig::embedded(directory.path()), environment.clone()).await.unwrap();
        let shop = SalesFixture::open(Sut { store: Arc::new(store), environment, keep: Box::new(directory) }).await;
        let places = (0..PLACES).map(|place| (place, PlaceModel::Free)).collect();
        Self { shop, places, orders: Vec::new(), refunds: Vec::new(), clearing: 0 }
    }

    fn set(&mut self, order: usize, to: impl Fn(OrderId) -> PlaceModel) {
        let id = self.orders[order].id;
        for place in self.orders[order].places.clone() {
            self.places.insert(place, to(id));
        }
    }

    pub async fn apply(&mut self, command: ModelCommand) {
        match command {
            ModelCommand::Order { places, free } => self.order(places, free).await,
            ModelCommand::Block { place } => self.block(place).await,
            ModelCommand::Unblock { place } => self.unblock(place).await,
            ModelCommand::FinishRevoking { refund } => self.finish_revoking(refund).await,
            ModelCommand::RefundDone { refund } => self.refund_done(refund).await,
            ModelCommand::Capture { order, .. }
            | ModelCommand::Decline { order }
            | ModelCommand::Void { order }
            | ModelCommand::Close { order }
            | ModelCommand::RequestCancellation { order }
            | ModelCommand::Reissue { order }
            | ModelCommand::RefundTicket { order, .. }
            | ModelCommand::RefundUnmatchedCapture { order } => {
                if !self.orders.is_empty() {
                    self.apply_to_order(order % self.orders.len(), command).await;
                }
            }
        }
    }

    async fn apply_to_order(&mut self, order: usize, command: ModelCommand) {
        let payment = self.orders[order].payment;
        match (command, payment) {
            (ModelCommand::Capture { exact, .. }, Some(payment)) => self.capture(order, payment, exact).await,
            (ModelCommand::Decline { .. }, Some(payment)) => {
                self.shop.apply_observation(payment, Observation::Declined { reason: "no".into() }).await;
                let payment_state = &mut self.orders[order].payment_state;
                *payment_state =
                    if *payment_state == PaymentModel::Open { PaymentModel::Ended } else { *payment_state };
            }
            (ModelCommand::Void { .. }, Some(payment)) => self.void(order, payment).await,
            (ModelCommand::Reissue { .. }, Some(payment)) => self.reissue(order, payment).await,
            (ModelCommand::RefundTicket { ticket, .. }, Some(payment)) => {
                self.refund_ticket(order, payment, ticket).await
            }
            (ModelCommand::RefundUnmatchedCapture { .. }, Some(payment)) => {
                self.refund_unmatched_capture(order, payment).await
            }
            (ModelCommand::Close { .. }, _) => self.close(order).await,
            (ModelCommand::RequestCancellation { .. }, _) => {
                let now = self.shop.environment().now();
                let it = &mut self.orders[order];
                let requested =
                    self.shop.store().request_cancellation(self.shop.organization, it.id, now).await.unwrap();
                assert_eq!(requested.is_ok(), it.state == OrderState::AwaitingPayment);
                it.cancel_requested |= requested.is_ok();
            }
            _ => {}
        }
    }

    async fn order(&mut self, places: u8, free: bool) {
        let places: Vec<u32> = (0..PLACES).filter(|place| places >> place & 1 == 1).collect();
        if places.is_empty() {
            return;
        }
        let order = if free { self.shop.new_free_order(&places) } else { self.shop.new_order(&places) };
        let answer = self.shop.store().place_order(self.shop.organization, order.clone()).await.unwrap();
        let taken: Vec<PlaceNumber> = places
            .iter()
            .filter(|place| self.places[*place] != PlaceModel::Free)
            .map(|place| PlaceNumber(*place))
            .collect();
        match answer {
            Ok(_) => assert_eq!(taken, []),
            Err(refusal) => return assert_eq!(refusal.evidence.places, taken),
        }
        let state = if free { OrderState::Paid } else { OrderState::AwaitingPayment };
        let payment_state = if free { PaymentModel::None } else { PaymentModel::Open };
        let payment = order.attempt.map(|attempt| attempt.id);
        let it = ModelOrder {
            id: order.id,
            payment,
            places,
            state,
            payment_state,
            cancel_requested: false,
            tickets: vec![],
        };
        self.orders.push(it);
        self.set(self.orders.len() - 1, if free { PlaceModel::Sold } else { PlaceModel::Claimed });
    }

    async fn capture(&mut self, order: usize, payment: PaymentId, exact: bool) {
        let it = &self.orders[order];
        let amount = it.owed() + i64::from(!exact);
        let decision = self.shop.capture(payment, amount).await;
        let awaiting = it.state == OrderState::AwaitingPayment;
        match it.payment_state {
            PaymentModel::Captured | PaymentModel::Late(..) => assert_eq!(decision, PaymentDecision::Nothing),
            _ if exact && awaiting => {
                assert_eq!(decision, PaymentDecision::Issue);
                self.clearing += amount;
                self.orders[order].payment_state = PaymentModel::Captured;
                self.sold(order).await;
            }
            _ => {
                assert!(matches!(decision, PaymentDecision::CapturedUnmatched { .. }), "{decision:?}");
                self.clearing += amount;
                self.orders[order].payment_state = PaymentModel::Late(amount, false);
            }
        }
    }

    async fn sold(&mut self, order: usize) {
        self.set(order, PlaceModel::Sold);
        let detail = self.shop.read_order(self.orders[order].id).await;
        let it = &mut self.orders[order];
        it.state = OrderState::Paid;
        it.tickets = detail.tickets.iter().map(|ticket| (ticket.place.0, ticket.id, false)).collect();
        assert_eq!(it.tickets.iter().map(|(place, ..)| *place).collect::<Vec<_>>(), it.places);
    }

    async fn void(&mut self, order: usize, payment: PaymentId) {
        self.shop.apply_observation(payment, Observation::Voided).await;
        if self.orders[order].payment_state != PaymentModel::Open {
            return;
        }
        self.orders[order].payment_state = PaymentModel::Ended;
        if self.orders[order].cancel_requested {
            self.orders[order].state = OrderState::Cancelled;
            self.set(order, |_| PlaceModel::Free);
        }
    }

    async fn close(&mut self, order: usize) {
        let it = &self.orders[order];
        let (now, to) = (self.shop.environment().now(), OrderState::Expired);
        let closed = self.shop.store().close_unpaid(self.shop.organization, it.id, to, now).await.unwrap();
        let may = it.state == OrderState::AwaitingPayment && it.payment_state != PaymentModel::Open;
        assert_eq!(closed.is_ok(), may, "{closed:?} {it:?}");
        if may {
            let state = if it.cancel_requested { OrderState::Cancelled } else { OrderState::Expired };
            self.orders[order].state = state;
            self.set(order, |_| PlaceModel::Free);
        }
    }

    async fn reissue(&mut self, order: usize, payment: PaymentId) {
        let now = self.shop.environment().now();
        let reissued = self.shop.store().reissue(self.shop.organization, payment, now).await.unwrap();
        let it = &self.orders[order];
        let free = it.places.iter().all(|place| self.places[place] == PlaceModel::Free);
        let may = it.state == OrderState::Expired && it.payment_state == PaymentModel::Late(it.owed(), false) && free;
        assert_eq!(reissued, may || it.payment_state == PaymentModel::Captured, "{it:?}");
        if may {
            self.orders[order].payment_state = PaymentModel::Captured;
            self.sold(order).await;
        }
    }

    async fn refund_ticket(&mut self, order: usize, payment: PaymentId, ticket: usize) {
        let it = &self.orders[order];
        let Some((place, id, is_refunded)) = it.tickets.get(ticket).copied() else { return };
        let detail = self.shop.read_order(it.id).await;
        let tickets: Vec<_> = detail.tickets.into_iter().filter(|ticket| ticket.id == id).collect();
        let refund = self.shop.new_refund(it.id, payment, PAID_PER_PLACE, &tickets);
        let opened = self.shop.store().open_refund(self.shop.organization, refund.clone(), None).await.unwrap();
        assert_eq!(opened.is_ok(), !is_refunded, "{opened:?}");
        if !is_refunded {
            let place = Some((it.id, place));
            self.orders[order].tickets[ticket].2 = true;
            self.refunds.push(ModelRefund { id: refund.id, amount: PAID_PER_PLACE, place, done: false });
        }
    }

    async fn refund_unmatched_capture(&mut self, order: usize, payment: PaymentId) {
        let it = &self.orders[order];
        let PaymentModel::Late(amount, is_refunded) = it.payment_state else { return };
        let refund = self.shop.new_refund(it.id, payment, amount, &[]);
        let opened = self.shop.store().open_refund(self.shop.organization, refund.clone(), None).await.unwrap();
        assert_eq!(opened.is_ok(), !is_refunded, "{opened:?}");
        if !is_refunded {
            self.orders[order].payment_state = PaymentModel::Late(amount, true);
            self.refunds.push(ModelRefund { id: refund.id, amount, place: None, done: false });
        }
    }

    async fn finish_revoking(&mut self, refund: usize) {
        if self.refunds.is_empty() {
            return;
        }
        let at = refund % self.refunds.len();
        let now = self.shop.environment().now();
        self.shop.store().finish_revocation(self.shop.organization, self.refunds[at].id, now).await.unwrap();
        if let Some((_, place)) = self.refunds[at].place.take() {
            self.places.insert(place, PlaceModel::Free);
        }
    }

    async fn refund_done(&mut self, refund: usize) {
        if self.refunds.is_empty() {
            return;
        }
        let at = refund % self.refunds.len();
        let (now, seen) = (self.shop.environment().now(), RefundObservation::Done { provider_ref: "r".into() });
        self.shop.store().record_refund(self.shop.organization, self.refunds[at].id, seen, now).await.unwrap();
        let it = &mut self.refunds[at];
        self.clearing -= if it.done { 0 } else { it.amount };
        it.done = true;
    }

    async fn block(&mut self, place: u32) {
        let id = self.shop.environment().uuid();
        let block = Block { id, places: vec![PlaceNumber(place)], reason: "r".into() };
        let blocked = self.shop.store().block(self.shop.organization, self.shop.event, block, None).await.unwrap();
        assert_eq!(blocked.is_ok(), self.places[&place] == PlaceModel::Free);
        if blocked.is_ok() {
            self.places.insert(place, PlaceModel::Blocked);
        }
    }

    async fn unblock(&mut self, place: u32) {
        let places = [PlaceNumber(place)];
        let freed = self.shop.store().unblock(self.shop.organization, self.shop.event, &places).await.unwrap();
        assert_eq!(freed.len(), usize::from(self.places[&place] == PlaceModel::Blocked));
        if !freed.is_empty() {
            self.places.insert(place, PlaceModel::Free);
        }
    }

    /// Compares the places and the clearing account of the store with the model.
    pub async fn check(&self) {
        let inventory = self.shop.store().read_inventory(self.shop.organization, self.shop.event).await.unwrap();
        let mut stored: BTreeMap<u32, String> = (0..PLACES).map(|place| (place, "free".to_owned())).collect();
        for effect in inventory.places {
            let blocked = effect.state.as_str() == "blocked";
            let owner = effect.owner.filter(|_| !blocked).map(|owner| format!(" {owner}")).unwrap_or_default();
            stored.insert(effect.place.0, format!("{}{owner}", effect.state));
        }
        let text = |place: &PlaceModel| match place {
            PlaceModel::Free => "free".to_owned(),
            PlaceModel::Blocked => "blocked".to_owned(),
            PlaceModel::Claimed(order) => format!("claimed {}", order.uuid()),
            PlaceModel::Sold(order) => format!("sold {}", order.uuid()),
        };
        let expected: BTreeMap<u32, String> =
            self.places.iter().map(|(number, place)| (*number, text(place))).collect();
        assert_eq!(stored, expected);
        let balances = self.shop.balances().await;
        assert_eq!(balances.get("provider_clearing:sandbox").copied().unwrap_or(0), self.clearing);
    }
    /// Compares the states of the orders; a refund also ends a paid order in the store.
    pub async fn check_orders(&self) {
        for order in &self.orders {
            let state = self.shop.read_order(order.id).await.order.state;
            assert!(state == order.state || state.was_paid() && order.state.was_paid(), "{order:?} is {state}");
        }
    }
}
