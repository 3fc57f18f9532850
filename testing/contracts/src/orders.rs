//! What `OrderStore` promises: an order and its claimed places are one commit, and no place is sold twice (P1, P2, P3, P7).

use std::collections::BTreeMap;

use voelgoed_app::checkout::ports::NewOrder;
use voelgoed_app::environment::{Environment, fresh};
use voelgoed_app::idempotency::{Created, IdempotencyKey, IdempotencyRecord, KEPT_FOR};
use voelgoed_app::outbox::event::OutboxEvent;
use voelgoed_app::page::PageRequest;
use voelgoed_domain::checkout::order::OrderState;
use voelgoed_domain::ids::OrderId;
use voelgoed_domain::payments::attempt::AttemptState;
use voelgoed_domain::refusal::Code;
use voelgoed_domain::scanning::ticket::TicketState;
use voelgoed_domain::ticketing::place::{PlaceNumber, PlaceState};

use crate::selling::{PAID, Shop, Tier, assert_code};
use crate::subject::Subject;

/// Every case, as a test; `$open` opens a subject.
#[macro_export]
macro_rules! order_store_suite {
    ($open:expr) => {
        $crate::cases! { orders, $open;
            an_order_is_written_whole
            an_order_is_told_of_with_its_hold
            a_free_order_is_paid_at_once
            exactly_the_taken_places_are_named
            a_hold_becomes_one_order
            a_repeat_gets_the_first_answer
            the_same_order_many_times_at_once_is_one
            an_order_without_places_is_a_fault
            a_thousand_places_are_sold_once_each
            baskets_that_overlap_leave_nothing_behind
            strangers_see_nothing
            a_session_finds_its_orders_of_every_organization
            lists_go_page_by_page
        }
        $crate::cases! { unpaid, $open;
            overdue_orders_are_found_oldest_first
            an_unpaid_order_is_closed_and_its_places_are_free
            an_unresolved_attempt_keeps_the_order_open
            an_order_that_is_cut_short_ends_as_cancelled
        }
        $crate::cases! { counts, $open;
            parallel_orders_do_not_pass_a_limit
            an_order_over_a_limit_changes_nothing
            places_that_wait_for_a_payment_are_limited_by_address
            an_order_that_ends_unpaid_counts_no_more
            a_refunded_ticket_counts_no_more
        }
    };
}

/// Everything that was given is read back.
pub async fn an_order_is_written_whole<S: Tier>(subject: Subject<S>) {
    let shop = Shop::open(subject).await;
    let order = shop.an_order(&[5, 3]);
    shop.place(&order).await;
    let detail = shop.detail(order.id).await;
    let attempt = order.attempt.clone().unwrap();
    let stored = &detail.order;
    assert_eq!(
        (stored.id, stored.organization, stored.event, stored.hold),
        (order.id, shop.organization, order.event, order.hold)
    );
    assert_eq!((stored.state, stored.version, stored.paid_at), (OrderState::AwaitingPayment, 1, None));
    assert_eq!(
        (&stored.buyer, stored.fees, stored.tax, stored.total),
        (&order.buyer, order.fees, order.tax, order.total)
    );
    assert_eq!((stored.pay_by, stored.created_at), (order.pay_by, order.at));
    assert_eq!(detail.lines, order.lines, "in the order of the basket");
    assert_eq!((detail.refunds, detail.tickets), (vec![], vec![]));
    let [written] = detail.attempts.as_slice() else { panic!("{:?}", detail.attempts) };
    assert_eq!((written.id, written.number, written.state), (attempt.id, 1, AttemptState::Created));
    assert_eq!((written.organization, written.event, written.order), (shop.organization, order.event, order.id));
    assert_eq!(
        (&written.provider, &written.method, written.amount),
        (&attempt.provider, &attempt.method, attempt.amount)
    );
    assert_eq!(
        (written.send_before, written.pay_by, written.created_at),
        (attempt.send_before, order.pay_by, order.at)
    );
    assert_eq!(shop.places(&[3, 4, 5]).await, "3:claimed.1 5:claimed.1");
    assert_eq!(shop.store().order_of_hold(shop.organization, order.hold).await.unwrap(), Some(order.id));
    assert_eq!(shop.store().order_of_hold(shop.organization, fresh(shop.environment())).await.unwrap(), None);
}

/// The warm tier hears which hold the places came from.
pub async fn an_order_is_told_of_with_its_hold<S: Tier>(subject: Subject<S>) {
    let shop = Shop::open(subject).await;
    let order = shop.an_order(&[2, 1]);
    shop.place(&order).await;
    let facts = shop.facts().await;
    let [changed, OutboxEvent::PlacesChanged { event, claimed_by, effects }] = facts.as_slice() else {
        panic!("{facts:?}")
    };
    assert_eq!((*event, *claimed_by), (shop.event, Some((order.hold, order.id))));
    let told: Vec<_> =
        effects.iter().map(|effect| (effect.place.0, effect.state, effect.owner, effect.version.0)).collect();
    let owner = Some(order.id.uuid());
    assert_eq!(told, [(1, PlaceState::Claimed, owner, 1), (2, PlaceState::Claimed, owner, 1)]);
    let state = OrderState::AwaitingPayment;
    assert_eq!(*changed, OutboxEvent::OrderChanged { event: shop.event, order: order.id, state });
}

/// Nothing is owed, so nothing is waited for.
pub async fn a_free_order_is_paid_at_once<S: Tier>(subject: Subject<S>) {
    let shop = Shop::open(subject).await;
    let order = shop.a_free_order(&[1, 2]);
    shop.place(&order).await;
    let detail = shop.detail(order.id).await;
    assert_eq!((detail.order.state, detail.order.paid_at), (OrderState::Paid, Some(order.at)));
    assert_eq!(detail.attempts, []);
    let tickets: Vec<_> = detail.tickets.iter().map(|ticket| (ticket.place.0, &*ticket.label, ticket.state)).collect();
    assert_eq!(tickets, [(1, "Seat 1", TicketState::Valid), (2, "Seat 2", TicketState::Valid)]);
    assert_eq!(shop.places(&[1, 2]).await, "1:sold.1 2:sold.1");
    assert!(shop.balances().await.is_empty());
    let ticket = detail.tickets[0].clone();
    assert_eq!(shop.store().read_ticket(shop.organization, ticket.id).await.unwrap(), Some(ticket));
}

/// A refused order names what is taken and leaves no trace: not even of the places that it could have had.
pub async fn exactly_the_taken_places_are_named<S: Tier>(subject: Subject<S>) {
    let shop = Shop::open(subject).await;
    shop.ordered(&[1, 2]).await;
    shop.paid(&[5]).await;
    let late = shop.an_order(&[3, 2, 4, 5]);
    let refusal = shop.refused(&late).await;
    assert_eq!((refusal.code, refusal.evidence.places), (Code::PlaceTaken, vec![PlaceNumber(2), PlaceNumber(5)]));
    assert_eq!(shop.store().read_order(shop.organization, late.id).await.unwrap(), None);
    assert_eq!(shop.store().order_of_hold(shop.organization, late.hold).await.unwrap(), None);
    // The same request may be made anew: a refusal is not remembered.
    let again = NewOrder { lines: shop.an_order(&[3, 4]).lines, total: crate::selling::zar(2 * PAID), ..late };
    shop.place(&again).await;
}

/// One order per hold, whatever key comes with it.
pub async fn a_hold_becomes_one_order<S: Tier>(subject: Subject<S>) {
    let shop = Shop::open(subject).await;
    let first = shop.an_order(&[1]);
    shop.place(&first).await;
    let second = NewOrder { hold: first.hold, ..shop.an_order(&[2]) };
    let refusal = shop.refused(&second).await;
    assert_eq!((refusal.code, refusal.evidence.order), (Code::AlreadyOrdered, Some(first.id)));
    assert_eq!(shop.places(&[2]).await, "");
}

/// The record is as old as the order, and lasts as long as it is promised.
pub async fn a_repeat_gets_the_first_answer<S: Tier>(subject: Subject<S>) {
    let shop = Shop::open(subject).await;
    let first = shop.an_order(&[1]);
    shop.place(&first).await;
    let with = |request, at| {
        let key = IdempotencyKey { request, ..first.idempotency.key.clone() };
        let record = IdempotencyRecord { key, answer: "another answer".into(), at };
        NewOrder { id: fresh(shop.environment()), idempotency: record, at, ..first.clone() }
    };
    let answer = shop.store().place_order(shop.organization, with([7; 32], first.at)).await.unwrap().unwrap();
    assert!(matches!(&answer, Created::Replayed(body) if *body == first.idempotency.answer), "{answer:?}");
    assert_eq!(shop.refused(&with([8; 32], first.at)).await.code, Code::IdempotencyMismatch);
    let over = shop.environment().advance(KEPT_FOR);
    assert_eq!(shop.refused(&with([7; 32], over)).await.code, Code::AlreadyOrdered);
}

/// However many times it arrives, and however close together.
pub async fn the_same_order_many_times_at_once_is_one<S: Tier>(subject: Subject<S>) {
    let shop = Shop::open(subject).await;
    let order = shop.an_order(&[1, 2]);
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..40 {
        let (store, organization) = (shop.store().clone(), shop.organization);
        let order = NewOrder { id: fresh(shop.environment()), ..order.clone() };
        tasks.spawn(async move { store.place_order(organization, order).await.unwrap().unwrap() });
    }
    let answers = tasks.join_all().await;
    let fresh = answers.iter().filter(|answer| matches!(answer, Created::Fresh(()))).count();
    assert_eq!((fresh, answers.len()), (1, 40));
    for answer in answers {
        assert!(
            matches!(&answer, Created::Fresh(()))
                || matches!(&answer, Created::Replayed(body) if *body == order.idempotency.answer)
        );
    }
    assert_eq!(shop.places(&[1, 2]).await, "1:claimed.1 2:claimed.1");
}

/// A bug of the caller is told as one.
pub async fn an_order_without_places_is_a_fault<S: Tier>(subject: Subject<S>) {
    let shop = Shop::open(subject).await;
    assert!(shop.store().place_order(shop.organization, shop.an_order(&[])).await.is_err());
    assert!(shop.store().place_order(shop.organization, shop.an_order(&[1, 1])).await.is_err());
    assert_eq!(shop.places(&[1]).await, "");
}

/// The fight: 32 buyers at once, each for whatever is left of 1,000 places.
pub async fn a_thousand_places_are_sold_once_each<S: Tier>(subject: Subject<S>) {
    const PLACES: u32 = 1_000;
    const BUYERS: u32 = 32;
    let shop = std::sync::Arc::new(Shop::open(subject).await);
    let mut buyers = tokio::task::JoinSet::new();
    for buyer in 0..BUYERS {
        let shop = shop.clone();
        buyers.spawn(async move {
            let mut mine = Vec::new();
            // Each walks through all places from elsewhere, so that everybody meets everybody.
            for step in 0..PLACES {
                let place = (buyer * PLACES / BUYERS / 2 + step) % PLACES;
                let order = shop.an_order(&[place]);
                match shop.store().place_order(shop.organization, order.clone()).await.unwrap() {
                    Ok(_) => mine.push((place, order.id)),
                    Err(refusal) => {
                        assert_eq!(
                            (refusal.code, refusal.evidence.places),
                            (Code::PlaceTaken, vec![PlaceNumber(place)])
                        );
                    }
                }
            }
            mine
        });
    }
    let sold: Vec<(u32, OrderId)> = buyers.join_all().await.into_iter().flatten().collect();
    assert_eq!(sold.len(), PLACES as usize);
    let owners: BTreeMap<u32, OrderId> = sold.into_iter().collect();
    assert_eq!(owners.len(), PLACES as usize, "each place to one buyer");
    let inventory = shop.store().read_inventory(shop.organization, shop.event).await.unwrap();
    for effect in inventory.places {
        assert_eq!(
            (effect.state, effect.owner),
            (PlaceState::Claimed, owners.get(&effect.place.0).map(|order| order.uuid()))
        );
    }
}

/// Baskets of several places that overlap in circles: whoever loses one place has none.
pub async fn baskets_that_overlap_leave_nothing_behind<S: Tier>(subject: Subject<S>) {
    let shop = std::sync::Arc::new(Shop::open(subject).await);
    let mut buyers = tokio::task::JoinSet::new();
    for first in 0..60_u32 {
        let shop = shop.clone();
        buyers.spawn(async move {
            let order = shop.an_order(&[(first * 7) % 60, (first * 7 + 1) % 60, (first * 7 + 2) % 60]);
            match shop.store().place_order(shop.organization, order.clone()).await.unwrap() {
                Ok(_) => Some(order),
                Err(refusal) => {
                    let wanted: Vec<_> = order.lines.iter().map(|line| line.place).collect();
                    assert_eq!(refusal.code, Code::PlaceTaken);
                    assert!(!refusal.evidence.places.is_empty());
                    assert!(refusal.evidence.places.iter().all(|place| wanted.contains(place)));
                    None
                }
            }
        });
    }
    let won: Vec<NewOrder> = buyers.join_all().await.into_iter().flatten().collect();
    let owners: BTreeMap<_, _> =
        won.iter().flat_map(|order| order.lines.iter().map(move |line| (line.place, order.id.uuid()))).collect();
    assert_eq!(owners.len(), won.len() * 3, "nobody shares a place");
    let inventory = shop.store().read_inventory(shop.organization, shop.event).await.unwrap();
    for effect in inventory.places {
        assert_eq!(effect.owner, owners.get(&effect.place).copied(), "{effect:?}");
    }
    // Everything that is not sold can be sold.
    let free: Vec<u32> = (0..60).filter(|place| !owners.contains_key(&PlaceNumber(*place))).collect();
    if !free.is_empty() {
        shop.ordered(&free).await;
    }
}

/// Every method, with another organization: as if there were nothing.
pub async fn strangers_see_nothing<S: Tier>(subject: Subject<S>) {
    let shop = Shop::open(subject).await;
    let order = shop.a_free_order(&[1]);
    shop.place(&order).await;
    let (unpaid, _) = shop.ordered(&[2]).await;
    let ticket = shop.detail(order.id).await.tickets[0].id;
    let (store, stranger, now) = (shop.store(), shop.stranger, shop.environment().now());
    assert_eq!(store.read_order(stranger, order.id).await.unwrap(), None);
    assert_eq!(store.order_of_hold(stranger, order.hold).await.unwrap(), None);
    assert_eq!(store.orders(stranger, None, PageRequest::default()).await.unwrap().items, []);
    assert_eq!(store.orders(stranger, Some(shop.event), PageRequest::default()).await.unwrap().items, []);
    assert_eq!(store.read_ticket(stranger, ticket).await.unwrap(), None);
    assert_code(store.close_unpaid(stranger, unpaid, OrderState::Expired, now).await.unwrap(), Code::NotFound);
    assert_code(store.cut_short(stranger, unpaid, now).await.unwrap(), Code::NotFound);
    assert_eq!(shop.detail(unpaid).await.order.version, 1, "nothing of it changed");
    // The same hold, key and places of another organization are others.
    let theirs = NewOrder { id: fresh(shop.environment()), ..order };
    assert!(matches!(store.place_order(stranger, theirs).await.unwrap(), Ok(Created::Fresh(()))));
}

/// All and no more, in the order of their making.
pub async fn lists_go_page_by_page<S: Tier>(subject: Subject<S>) {
    let shop = Shop::open(subject).await;
    let mut ids = Vec::new();
    for place in 0..7 {
        let mut order = shop.an_order(&[place]);
        if place == 3 {
            order.event = fresh(shop.environment());
        }
        shop.place(&order).await;
        ids.push(order.id);
    }
    let (mut after, mut read, mut pages) = (None, Vec::new(), 0);
    loop {
        let page = shop.store().orders(shop.organization, None, PageRequest { after, most: 3 }).await.unwrap();
        read.extend(page.items.iter().map(|order| order.id));
        (after, pages) = (page.next, pages + 1);
        if after.is_none() {
            break;
        }
    }
    assert_eq!((&read, pages), (&ids, 3));
    let of_event = shop.store().orders(shop.organization, Some(shop.event), PageRequest::default()).await.unwrap();
    ids.remove(3);
    assert_eq!(of_event.items.iter().map(|order| order.id).collect::<Vec<_>>(), ids);
    assert_eq!(of_event.next, None);
}

/// Newest first, at most as many as asked for; another session's are not among them.
pub async fn a_session_finds_its_orders_of_every_organization<S: Tier>(subject: Subject<S>) {
    let shop = Shop::open(subject).await;
    let store = shop.store();
    let first = shop.an_order(&[1]);
    let second = NewOrder { session: first.session, ..shop.an_order(&[2]) };
    for order in [&first, &second, &shop.an_order(&[3])] {
        shop.place(order).await;
    }
    // The same event and places of another organization are others.
    let elsewhere = NewOrder { session: first.session, ..shop.an_order(&[1]) };
    assert!(matches!(
        store.place_order(fresh(shop.environment()), elsewhere.clone()).await.unwrap(),
        Ok(Created::Fresh(()))
    ));
    let found = async |most| -> Vec<OrderId> {
        store.orders_of_session(first.session, most).await.unwrap().into_iter().map(|order| order.id).collect()
    };
    assert_eq!(found(10).await, [elsewhere.id, second.id, first.id]);
    assert_eq!(found(1).await, [elsewhere.id]);
    assert_eq!(store.orders_of_session(fresh(shop.environment()), 10).await.unwrap(), []);
}
