//! Orders, payments, refunds and blocks in random order, against a model that keeps places in an array.
//!
//! After each act: the answer is the model's, each place stands as the model says, and the journal sums to zero (P1, P2, P4, P5).

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;
use voelgoed_app::checkout::ports::OrderStore;
use voelgoed_app::environment::Environment;
use voelgoed_app::payments::ports::{PaymentStore, RefundObservation};
use voelgoed_app::ticketing::ports::{Block, PlaceStore};
use voelgoed_cold::{Cold, ColdConfig};
use voelgoed_contracts::directory::Directory;
use voelgoed_contracts::selling::{PAID, Shop};
use voelgoed_contracts::subject::{Subject, TestEnvironment};
use voelgoed_domain::checkout::order::OrderState;
use voelgoed_domain::ids::{OrderId, PaymentId, RefundId, TicketId};
use voelgoed_domain::payments::decide::{Decision, Observation};
use voelgoed_domain::ticketing::place::PlaceNumber;

const PLACES: u32 = 8;

#[derive(Debug, Clone)]
enum Act {
    Order { places: u8, free: bool },
    Capture { order: usize, exact: bool },
    Decline { order: usize },
    Void { order: usize },
    Close { order: usize },
    CutShort { order: usize },
    Reissue { order: usize },
    GiveBack { order: usize, ticket: usize },
    GiveLateBack { order: usize },
    FinishRevoking { refund: usize },
    RefundDone { refund: usize },
    Block { place: u32 },
    Unblock { place: u32 },
}

fn act() -> impl Strategy<Value = Act> {
    let order = || 0..12_usize;
    prop_oneof![
        6 => (1..=255_u8, prop::bool::weighted(0.15)).prop_map(|(places, free)| Act::Order { places: places & (places >> 1 | 17), free }),
        4 => (order(), prop::bool::weighted(0.8)).prop_map(|(order, exact)| Act::Capture { order, exact }),
        3 => order().prop_map(|order| Act::Decline { order }),
        2 => order().prop_map(|order| Act::Void { order }),
        3 => order().prop_map(|order| Act::Close { order }),
        1 => order().prop_map(|order| Act::CutShort { order }),
        2 => order().prop_map(|order| Act::Reissue { order }),
        3 => (order(), 0..3_usize).prop_map(|(order, ticket)| Act::GiveBack { order, ticket }),
        1 => order().prop_map(|order| Act::GiveLateBack { order }),
        2 => order().prop_map(|refund| Act::FinishRevoking { refund }),
        2 => order().prop_map(|refund| Act::RefundDone { refund }),
        1 => (0..PLACES).prop_map(|place| Act::Block { place }),
        1 => (0..PLACES).prop_map(|place| Act::Unblock { place }),
    ]
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Stand {
    Free,
    Blocked,
    Claimed(OrderId),
    Sold(OrderId),
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Money {
    None,
    Open,
    Ended,
    Captured,
    /// So many cents, and whether they went back.
    Late(i64, bool),
}

#[derive(Debug)]
struct ModelOrder {
    id: OrderId,
    payment: Option<PaymentId>,
    places: Vec<u32>,
    state: OrderState,
    money: Money,
    cut_short: bool,
    /// Place, ticket, and whether it was given back.
    tickets: Vec<(u32, TicketId, bool)>,
}

impl ModelOrder {
    fn owed(&self) -> i64 {
        PAID * self.places.len() as i64
    }
}

#[derive(Debug)]
struct ModelRefund {
    id: RefundId,
    amount: i64,
    /// The order and the place that goes back with it.
    place: Option<(OrderId, u32)>,
    done: bool,
}

struct World {
    shop: Shop<Cold>,
    places: BTreeMap<u32, Stand>,
    orders: Vec<ModelOrder>,
    refunds: Vec<ModelRefund>,
    clearing: i64,
}

impl World {
    async fn open() -> Self {
        let directory = Directory::new("model");
        let environment = Arc::new(TestEnvironment::default());
        let store = Cold::open(ColdConfig::embedded(directory.path()), environment.clone()).await.unwrap();
        let shop = Shop::open(Subject { store: Arc::new(store), environment, keep: Box::new(directory) }).await;
        let places = (0..PLACES).map(|place| (place, Stand::Free)).collect();
        Self { shop, places, orders: Vec::new(), refunds: Vec::new(), clearing: 0 }
    }

    fn set(&mut self, order: usize, to: impl Fn(OrderId) -> Stand) {
        let id = self.orders[order].id;
        for place in self.orders[order].places.clone() {
            self.places.insert(place, to(id));
        }
    }

    async fn act(&mut self, act: Act) {
        match act {
            Act::Order { places, free } => self.order(places, free).await,
            Act::Block { place } => self.block(place).await,
            Act::Unblock { place } => self.unblock(place).await,
            Act::FinishRevoking { refund } => self.finish_revoking(refund).await,
            Act::RefundDone { refund } => self.refund_done(refund).await,
            Act::Capture { order, .. }
            | Act::Decline { order }
            | Act::Void { order }
            | Act::Close { order }
            | Act::CutShort { order }
            | Act::Reissue { order }
            | Act::GiveBack { order, .. }
            | Act::GiveLateBack { order } => {
                if !self.orders.is_empty() {
                    self.act_on(order % self.orders.len(), act).await;
                }
            }
        }
    }

    async fn act_on(&mut self, order: usize, act: Act) {
        let payment = self.orders[order].payment;
        match (act, payment) {
            (Act::Capture { exact, .. }, Some(payment)) => self.capture(order, payment, exact).await,
            (Act::Decline { .. }, Some(payment)) => {
                self.shop.learn(payment, Observation::Declined { reason: "no".into() }).await;
                let money = &mut self.orders[order].money;
                *money = if *money == Money::Open { Money::Ended } else { *money };
            }
            (Act::Void { .. }, Some(payment)) => self.void(order, payment).await,
            (Act::Reissue { .. }, Some(payment)) => self.reissue(order, payment).await,
            (Act::GiveBack { ticket, .. }, Some(payment)) => self.give_back(order, payment, ticket).await,
            (Act::GiveLateBack { .. }, Some(payment)) => self.give_late_back(order, payment).await,
            (Act::Close { .. }, _) => self.close(order).await,
            (Act::CutShort { .. }, _) => {
                let now = self.shop.environment().now();
                let it = &mut self.orders[order];
                let cut = self.shop.store().cut_short(self.shop.organization, it.id, now).await.unwrap();
                assert_eq!(cut.is_ok(), it.state == OrderState::AwaitingPayment);
                it.cut_short |= cut.is_ok();
            }
            _ => {}
        }
    }

    async fn order(&mut self, places: u8, free: bool) {
        let places: Vec<u32> = (0..PLACES).filter(|place| places >> place & 1 == 1).collect();
        if places.is_empty() {
            return;
        }
        let order = if free { self.shop.a_free_order(&places) } else { self.shop.an_order(&places) };
        let answer = self.shop.store().place_order(self.shop.organization, order.clone()).await.unwrap();
        let taken: Vec<PlaceNumber> =
            places.iter().filter(|place| self.places[*place] != Stand::Free).map(|place| PlaceNumber(*place)).collect();
        match answer {
            Ok(_) => assert_eq!(taken, []),
            Err(refusal) => return assert_eq!(refusal.evidence.places, taken),
        }
        let state = if free { OrderState::Paid } else { OrderState::AwaitingPayment };
        let money = if free { Money::None } else { Money::Open };
        let payment = order.attempt.map(|attempt| attempt.id);
        let it = ModelOrder { id: order.id, payment, places, state, money, cut_short: false, tickets: vec![] };
        self.orders.push(it);
        self.set(self.orders.len() - 1, if free { Stand::Sold } else { Stand::Claimed });
    }

    async fn capture(&mut self, order: usize, payment: PaymentId, exact: bool) {
        let it = &self.orders[order];
        let amount = it.owed() + i64::from(!exact);
        let decision = self.shop.captured(payment, amount).await;
        let awaiting = it.state == OrderState::AwaitingPayment;
        match it.money {
            Money::Captured | Money::Late(..) => assert_eq!(decision, Decision::Nothing),
            _ if exact && awaiting => {
                assert_eq!(decision, Decision::Issue);
                self.clearing += amount;
                self.orders[order].money = Money::Captured;
                self.sold(order).await;
            }
            _ => {
                assert!(matches!(decision, Decision::CapturedLate { .. }), "{decision:?}");
                self.clearing += amount;
                self.orders[order].money = Money::Late(amount, false);
            }
        }
    }

    async fn sold(&mut self, order: usize) {
        self.set(order, Stand::Sold);
        let detail = self.shop.detail(self.orders[order].id).await;
        let it = &mut self.orders[order];
        it.state = OrderState::Paid;
        it.tickets = detail.tickets.iter().map(|ticket| (ticket.place.0, ticket.id, false)).collect();
        assert_eq!(it.tickets.iter().map(|(place, ..)| *place).collect::<Vec<_>>(), it.places);
    }

    async fn void(&mut self, order: usize, payment: PaymentId) {
        self.shop.learn(payment, Observation::Voided).await;
        if self.orders[order].money != Money::Open {
            return;
        }
        self.orders[order].money = Money::Ended;
        if self.orders[order].cut_short {
            self.orders[order].state = OrderState::Cancelled;
            self.set(order, |_| Stand::Free);
        }
    }

    async fn close(&mut self, order: usize) {
        let it = &self.orders[order];
        let (now, to) = (self.shop.environment().now(), OrderState::Expired);
        let closed = self.shop.store().close_unpaid(self.shop.organization, it.id, to, now).await.unwrap();
        let may = it.state == OrderState::AwaitingPayment && it.money != Money::Open;
        assert_eq!(closed.is_ok(), may, "{closed:?} {it:?}");
        if may {
            let state = if it.cut_short { OrderState::Cancelled } else { OrderState::Expired };
            self.orders[order].state = state;
            self.set(order, |_| Stand::Free);
        }
    }

    async fn reissue(&mut self, order: usize, payment: PaymentId) {
        let now = self.shop.environment().now();
        let reissued = self.shop.store().reissue(self.shop.organization, payment, now).await.unwrap();
        let it = &self.orders[order];
        let free = it.places.iter().all(|place| self.places[place] == Stand::Free);
        let may = it.state == OrderState::Expired && it.money == Money::Late(it.owed(), false) && free;
        assert_eq!(reissued, may || it.money == Money::Captured, "{it:?}");
        if may {
            self.orders[order].money = Money::Captured;
            self.sold(order).await;
        }
    }

    async fn give_back(&mut self, order: usize, payment: PaymentId, ticket: usize) {
        let it = &self.orders[order];
        let Some((place, id, given)) = it.tickets.get(ticket).copied() else { return };
        let detail = self.shop.detail(it.id).await;
        let tickets: Vec<_> = detail.tickets.into_iter().filter(|ticket| ticket.id == id).collect();
        let refund = self.shop.a_refund(it.id, payment, PAID, &tickets);
        let opened = self.shop.store().open_refund(self.shop.organization, refund.clone(), None).await.unwrap();
        assert_eq!(opened.is_ok(), !given, "{opened:?}");
        if !given {
            let place = Some((it.id, place));
            self.orders[order].tickets[ticket].2 = true;
            self.refunds.push(ModelRefund { id: refund.id, amount: PAID, place, done: false });
        }
    }

    async fn give_late_back(&mut self, order: usize, payment: PaymentId) {
        let it = &self.orders[order];
        let Money::Late(amount, given) = it.money else { return };
        let refund = self.shop.a_refund(it.id, payment, amount, &[]);
        let opened = self.shop.store().open_refund(self.shop.organization, refund.clone(), None).await.unwrap();
        assert_eq!(opened.is_ok(), !given, "{opened:?}");
        if !given {
            self.orders[order].money = Money::Late(amount, true);
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
            self.places.insert(place, Stand::Free);
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
        assert_eq!(blocked.is_ok(), self.places[&place] == Stand::Free);
        if blocked.is_ok() {
            self.places.insert(place, Stand::Blocked);
        }
    }

    async fn unblock(&mut self, place: u32) {
        let places = [PlaceNumber(place)];
        let freed = self.shop.store().unblock(self.shop.organization, self.shop.event, &places).await.unwrap();
        assert_eq!(freed.len(), usize::from(self.places[&place] == Stand::Blocked));
        if !freed.is_empty() {
            self.places.insert(place, Stand::Free);
        }
    }

    /// What the store says is what the model says.
    async fn check(&self) {
        let inventory = self.shop.store().read_inventory(self.shop.organization, self.shop.event).await.unwrap();
        let mut stored: BTreeMap<u32, String> = (0..PLACES).map(|place| (place, "free".to_owned())).collect();
        for effect in inventory.places {
            let blocked = effect.state.as_str() == "blocked";
            let owner = effect.owner.filter(|_| !blocked).map(|owner| format!(" {owner}")).unwrap_or_default();
            stored.insert(effect.place.0, format!("{}{owner}", effect.state));
        }
        let text = |stand: &Stand| match stand {
            Stand::Free => "free".to_owned(),
            Stand::Blocked => "blocked".to_owned(),
            Stand::Claimed(order) => format!("claimed {}", order.uuid()),
            Stand::Sold(order) => format!("sold {}", order.uuid()),
        };
        let expected: BTreeMap<u32, String> = self.places.iter().map(|(place, stand)| (*place, text(stand))).collect();
        assert_eq!(stored, expected);
        let balances = self.shop.balances().await;
        assert_eq!(balances.get("provider_clearing:sandbox").copied().unwrap_or(0), self.clearing);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, max_shrink_iters: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_the_store_is_the_model(acts in prop::collection::vec(act(), 1..60)) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(async {
            let mut world = World::open().await;
            for act in acts {
                world.act(act).await;
                world.check().await;
            }
            for order in &world.orders {
                let state = world.shop.detail(order.id).await.order.state;
                assert!(state == order.state || state.was_paid() && order.state.was_paid(), "{order:?} is {state}");
            }
        });
    }
}
