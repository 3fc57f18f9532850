//! A refused command changes nothing: after each, both stores are byte for byte as they were (limiters excepted, which are no part of a command).
//!
//! To add a command: its refusals here, under the state that makes each of them.

use std::fmt::Debug;
use std::future::Future;

use voelgoed_app::accounts::change_member::{
    Granter, MemberUpdate, change_member, change_own_password, end_logins, reset_password,
};
use voelgoed_app::accounts::create_api_key::create_api_key;
use voelgoed_app::accounts::create_member::{NewMember, create_member};
use voelgoed_app::accounts::create_organization::create_organization;
use voelgoed_app::accounts::log_in::log_in;
use voelgoed_app::catalog::change_event::change_event;
use voelgoed_app::catalog::create_event::create_event;
use voelgoed_app::catalog::create_layout::create_layout;
use voelgoed_app::catalog::create_price_rule::create_price_rule;
use voelgoed_app::catalog::create_ticket_type::create_ticket_type;
use voelgoed_app::catalog::create_venue::create_venue;
use voelgoed_app::catalog::delete_event::delete_event;
use voelgoed_app::catalog::move_event::move_event;
use voelgoed_app::catalog::set_layout_flags::{SetLayoutFlags, set_layout_flags};
use voelgoed_app::checkout::cancel_order::cancel_order;
use voelgoed_app::checkout::place_order::PaymentChoice;
use voelgoed_app::environment::{Environment as _, fresh};
use voelgoed_app::error::{Error, Result};
use voelgoed_app::idempotency::{Created, IdempotencyKey, Idempotent};
use voelgoed_app::payments::open_refund::{OpenRefund, open_refund};
use voelgoed_app::payments::pay_again::pay_again;
use voelgoed_app::payments::refused_refund::{retry_refund, settle_refund};
use voelgoed_app::scanning::create_device::create_device;
use voelgoed_app::scanning::create_gate::create_gate;
use voelgoed_app::scanning::pair_device::pair_device;
use voelgoed_app::ticketing::block::block;
use voelgoed_app::ticketing::change_hold::{ChangeHold, change_hold};
use voelgoed_app::ticketing::hold::{HoldCommand, hold};
use voelgoed_app::ticketing::picks::Item;
use voelgoed_app::ticketing::release_hold::release_hold;
use voelgoed_domain::accounts::scope::Scope;
use voelgoed_domain::catalog::event::{EventAct, EventChange, EventDraft};
use voelgoed_domain::catalog::layout::SeatFlag;
use voelgoed_domain::catalog::price_rule::{PriceEffect, PriceRuleDraft};
use voelgoed_domain::ids::{HoldId, LayoutId, MemberId, OrderId, SessionId};
use voelgoed_domain::money::{Currency, Money};
use voelgoed_domain::payments::refund_plan::RefundRequest;
use voelgoed_domain::refusal::Code;
use voelgoed_domain::ticketing::place::PlaceNumber;

use crate::bench::Bench;

/// Runs a command that must be refused with `code`, and compares what the stores hold before and after.
async fn refused<T: Debug>(bench: &Bench, name: &str, code: Code, command: impl Future<Output = Result<T>>) {
    let before = bench.dump();
    match command.await {
        Err(Error::Refused(refusal)) => assert_eq!(refusal.code, code, "{name}: {refusal}"),
        other => panic!("{name}: {other:?}"),
    }
    let after = bench.dump();
    assert!(before == after, "{name} was refused and changed something:\n{before}\n{after}");
}

fn seat(bench: &Bench, place: u32) -> Item {
    Item::Place { place: PlaceNumber(place), ticket_type: bench.ticket_type, accessible: true }
}

async fn field(bench: &Bench, quantity: u32) -> Item {
    let area = bench.platform.listings.listing(bench.scope).await.unwrap().layout.areas[1].id;
    Item::Area { area, quantity, ticket_type: bench.ticket_type, accessible: 0, companions: 0 }
}

async fn ask(
    bench: &Bench,
    session: SessionId,
    items: Vec<Item>,
    code: Option<&str>,
    key: Option<u8>,
) -> Result<HoldId> {
    let repeatable = key.map(|digest| ("key".to_owned(), [digest; 32]));
    let code = code.map(Into::into);
    let command =
        HoldCommand { scope: bench.scope, session, address: None, items, best_available: false, code, repeatable };
    Ok(hold(&bench.platform, command).await?.id)
}

fn change(bench: &Bench, hold: HoldId, add: Vec<Item>, remove: &[u32], code: Option<&str>) -> ChangeHold {
    let remove = remove.iter().copied().map(PlaceNumber).collect();
    ChangeHold { scope: bench.scope, hold, add, remove, code: code.map(Into::into), repeatable: None }
}

#[tokio::test]
async fn refused_holds_change_nothing() {
    let bench = Bench::open().await;
    let session: SessionId = fresh(&*bench.environment);
    let other = || fresh(&*bench.environment);
    let held = ask(&bench, session, vec![seat(&bench, 0)], None, Some(1)).await.unwrap();
    let six = field(&bench, 6).await;
    ask(&bench, other(), vec![six.clone()], None, None).await.unwrap();
    let five = vec![field(&bench, 5).await];
    refused(&bench, "a taken seat", Code::PlaceTaken, ask(&bench, other(), vec![seat(&bench, 0)], None, None)).await;
    refused(&bench, "no such seat", Code::InvalidRequest, ask(&bench, other(), vec![seat(&bench, 99)], None, None))
        .await;
    refused(&bench, "nothing", Code::InvalidRequest, ask(&bench, other(), vec![], None, None)).await;
    refused(&bench, "sold out", Code::SoldOut, ask(&bench, other(), five, None, None)).await;
    let many = vec![seat(&bench, 1), seat(&bench, 2), seat(&bench, 3), six.clone()];
    refused(&bench, "too many", Code::LimitReached, ask(&bench, other(), many, None, None)).await;
    let code = ask(&bench, other(), vec![seat(&bench, 1)], Some("nobody"), None);
    refused(&bench, "no such code", Code::InvalidRequest, code).await;
    let mismatch = ask(&bench, session, vec![seat(&bench, 1)], None, Some(2));
    refused(&bench, "another request", Code::IdempotencyMismatch, mismatch).await;
    for (name, code, wanted) in [
        ("a taken place", Code::SoldOut, change(&bench, held, vec![field(&bench, 5).await], &[], None)),
        ("all of it", Code::InvalidRequest, change(&bench, held, vec![], &[0], None)),
        ("not in it", Code::InvalidRequest, change(&bench, held, vec![], &[3], None)),
        ("a useless code", Code::InvalidRequest, change(&bench, held, vec![], &[], Some("nobody"))),
        ("too many", Code::LimitReached, change(&bench, held, vec![six], &[], None)),
        ("no such hold", Code::HoldExpired, change(&bench, fresh(&*bench.environment), vec![], &[0], None)),
    ] {
        refused(&bench, name, code, change_hold(&bench.platform, wanted)).await;
    }
    bench.order(held).await.unwrap();
    bench.relayed(held).await;
    refused(&bench, "ordered", Code::AlreadyOrdered, release_hold(&bench.platform, bench.scope, held)).await;
    let wanted = change(&bench, held, vec![seat(&bench, 1)], &[], None);
    refused(&bench, "ordered", Code::AlreadyOrdered, change_hold(&bench.platform, wanted)).await;
    move_event(&bench.platform, bench.scope, EventAct::Pause).await.unwrap();
    let late = ask(&bench, other(), vec![seat(&bench, 1)], None, None);
    refused(&bench, "a paused sale", Code::SaleClosed, late).await;
}

#[tokio::test]
async fn refused_orders_change_nothing() {
    let bench = Bench::open().await;
    let hold = bench.held(0).await;
    let ann = "ann@example.org";
    let end = bench.platform.inventory.read_hold(bench.scope, hold).await.unwrap().expires_at;
    refused(&bench, "no payment", Code::InvalidRequest, bench.order_of(hold, "one", ann, None)).await;
    refused(&bench, "no such method", Code::InvalidRequest, bench.order_of(hold, "one", ann, Some("shells"))).await;
    refused(&bench, "no address", Code::InvalidRequest, bench.order_of(hold, "one", "ann", Some("ok"))).await;
    let unknown: HoldId = fresh(&*bench.environment);
    refused(&bench, "no such hold", Code::HoldExpired, bench.order_of(unknown, "one", ann, Some("ok"))).await;
    refused(&bench, "no such hold", Code::HoldExpired, bench.order_of(unknown, "one", ann, None)).await;
    // Refused by cold, after the hold was pinned: nine places are one buyer's.
    let rest = ask(&bench, fresh(&*bench.environment), vec![field(&bench, 6).await], None, None).await.unwrap();
    bench.order_of(rest, "one", ann, Some("ok")).await.unwrap();
    let three = ask(&bench, fresh(&*bench.environment), vec![field(&bench, 3).await], None, None).await.unwrap();
    let four = vec![seat(&bench, 1), seat(&bench, 2), seat(&bench, 3), field(&bench, 1).await];
    let four = ask(&bench, fresh(&*bench.environment), four, None, None).await.unwrap();
    refused(&bench, "over the limit", Code::LimitReached, bench.order_of(four, "one", ann, Some("ok"))).await;
    bench.order_of(three, "one", ann, Some("ok")).await.unwrap();
    refused(&bench, "ordered", Code::AlreadyOrdered, bench.order_of(three, "two", ann, Some("ok"))).await;
    let after = bench.platform.inventory.read_hold(bench.scope, hold).await.unwrap().expires_at;
    assert_eq!(after, end, "a refused order does not extend its hold");
}

async fn pay(bench: &Bench, order: OrderId, provider: &str, method: &str) -> Result<()> {
    let key = IdempotencyKey { scope: order.to_string(), key: "again".into(), request: [1; 32] };
    let choice = PaymentChoice { provider: provider.into(), method: method.into() };
    let idempotent = Idempotent { key, render: &|_| bytes::Bytes::from_static(b"an answer") };
    pay_again(&bench.platform, bench.scope, order, choice, idempotent).await.map(drop)
}

async fn refund(bench: &Bench, order: OrderId, wish: RefundRequest, reason: &str) -> Result<()> {
    let key = IdempotencyKey { scope: "key".into(), key: "refund".into(), request: [1; 32] };
    let command = OpenRefund {
        order,
        wish,
        revoke: None,
        reason: reason.into(),
        forced: false,
        actor: "key".into(),
        idempotent: Idempotent { key, render: &|_| bytes::Bytes::from_static(b"an answer") },
    };
    open_refund(&bench.platform, bench.scope.organization, command).await.map(drop)
}

#[tokio::test]
async fn refused_payments_and_refunds_change_nothing() {
    let bench = Bench::open().await;
    let order = bench.ordered(0).await.order.id;
    let unknown: OrderId = fresh(&*bench.environment);
    refused(&bench, "an attempt is open", Code::PaymentUnresolved, pay(&bench, order, "puppet", "ok")).await;
    refused(&bench, "no such method", Code::InvalidRequest, pay(&bench, order, "puppet", "shells")).await;
    refused(&bench, "no such provider", Code::InvalidRequest, pay(&bench, order, "nobody", "ok")).await;
    refused(&bench, "no such order", Code::NotFound, pay(&bench, unknown, "puppet", "ok")).await;
    let amount = || RefundRequest::Amount(Money::new(100, Currency::ZAR));
    refused(&bench, "not paid", Code::WrongState, refund(&bench, order, amount(), "rain")).await;
    refused(&bench, "no reason", Code::InvalidRequest, refund(&bench, order, amount(), " ")).await;
    refused(&bench, "no such order", Code::NotFound, refund(&bench, unknown, amount(), "rain")).await;
    let organization = bench.scope.organization;
    refused(&bench, "no such order", Code::NotFound, cancel_order(&bench.platform, organization, unknown)).await;
}

#[tokio::test]
async fn refused_acts_of_an_organizer_change_nothing() {
    let bench = Bench::open().await;
    let (platform, scope, organization) = (&*bench.platform, bench.scope, bench.scope.organization);
    bench.held(0).await;
    bench.ordered(1).await;
    let rule = |effect, uses_max| PriceRuleDraft {
        code: Some("friend".into()),
        ticket_types: vec![],
        effect,
        starts_at: None,
        ends_at: None,
        uses_max,
        uses_per_buyer_max: None,
    };
    create_price_rule(platform, scope, rule(PriceEffect::AmountOff(1), None), None).await.unwrap();
    let again = create_price_rule(platform, scope, rule(PriceEffect::AmountOff(1), None), None);
    refused(&bench, "a second rule with the code", Code::AlreadyExists, again).await;
    let bad = create_price_rule(platform, scope, rule(PriceEffect::AmountOff(-1), None), None);
    refused(&bench, "a negative amount", Code::InvalidRequest, bad).await;
    let bad = create_price_rule(platform, scope, rule(PriceEffect::AmountOff(1), Some(0)), None);
    refused(&bench, "no use", Code::InvalidRequest, bad).await;
    refused(&bench, "no name", Code::InvalidRequest, create_venue(platform, organization, " ", "", None)).await;
    let layout = create_layout(platform, organization, fresh(&*bench.environment), vec![], None);
    refused(&bench, "an empty plan", Code::InvalidRequest, layout).await;
    let now = bench.environment.now();
    let layout: LayoutId = fresh(&*bench.environment);
    let draft: EventDraft = serde_json::from_value(serde_json::json!({
        "name": "Evensong", "layout": layout, "starts_at": now,
        "timezone": "Africa/Johannesburg", "sale": {"opens_at": now, "closes_at": now}, "currency": "ZAR",
    }))
    .unwrap();
    refused(&bench, "an empty window", Code::InvalidRequest, create_event(platform, organization, draft, None)).await;
    let gate = create_gate(platform, scope, "North", vec![fresh(&*bench.environment)], None);
    refused(&bench, "no such area", Code::InvalidRequest, gate).await;
    refused(&bench, "no such pairing code", Code::PairingExpired, pair_device(platform, "AAAA-BBBB", None)).await;
    let sold = block(platform, scope, vec![PlaceNumber(1)], "band".into(), None);
    refused(&bench, "a sold place", Code::PlaceTaken, sold).await;
    refused(&bench, "not paused", Code::WrongState, move_event(platform, scope, EventAct::Open)).await;
    refused(&bench, "no slug", Code::InvalidRequest, create_organization(platform, "Shop", "a b", None)).await;
}

#[tokio::test]
async fn refused_changes_of_members_keys_and_devices_change_nothing() {
    let bench = Bench::open().await;
    let (platform, organization) = (&*bench.platform, bench.scope.organization);
    let admin = [Scope::Admin, Scope::Sales];
    let granter = Granter { organization, scopes: &admin, member: None };
    let member = |email: &str, password: &str, scopes: &[Scope]| NewMember {
        name: "Ann".into(),
        email: email.into(),
        password: password.into(),
        scopes: scopes.to_vec(),
    };
    let (good, other) = ("correct horse battery", "another horse battery");
    let ann = create_member(platform, granter, member("ann@example.org", good, &admin), None).await.unwrap();
    let Created::Fresh(ann) = ann else { panic!("{ann:?}") };
    let catalog = [Scope::Catalog];
    for (name, code, new) in [
        ("a scope that the granter lacks", Code::MissingScope, member("bob@example.org", good, &catalog)),
        ("a short password", Code::InvalidRequest, member("bob@example.org", "short", &admin)),
        ("no address", Code::InvalidRequest, member("bob", good, &admin)),
        ("a second membership", Code::AlreadyExists, member("ANN@example.org", good, &admin)),
    ] {
        refused(&bench, name, code, create_member(platform, granter, new, None)).await;
    }
    let update = |scopes: Option<&[Scope]>, disabled| MemberUpdate {
        name: Some("Anna".into()),
        scopes: scopes.map(<[Scope]>::to_vec),
        disabled,
    };
    let herself = Granter { member: Some(ann.id), ..granter };
    let unknown: MemberId = fresh(&*bench.environment);
    for (name, code, who, id, change) in [
        ("a new scope", Code::MissingScope, granter, ann.id, update(Some(&catalog), None)),
        ("nobody", Code::NotFound, granter, unknown, update(None, Some(true))),
        ("the last administrator disables herself", Code::LastAdministrator, herself, ann.id, update(None, Some(true))),
        ("she gives the scope up", Code::LastAdministrator, herself, ann.id, update(Some(&[Scope::Sales]), None)),
    ] {
        refused(&bench, name, code, change_member(platform, who, id, change)).await;
    }
    let sales = Granter { organization, scopes: &[Scope::Sales], member: None };
    let reset = reset_password(platform, sales, ann.id, other.into());
    refused(&bench, "a reset by somebody with less", Code::MissingScope, reset).await;
    let reset = reset_password(platform, granter, ann.id, "ann@example.org".into());
    refused(&bench, "her address as password", Code::InvalidRequest, reset).await;
    let own = change_own_password(platform, organization, ann.id, other.into(), other.into());
    refused(&bench, "a wrong old password", Code::WrongPassword, own).await;
    let own = change_own_password(platform, organization, ann.id, good.into(), "short".into());
    refused(&bench, "a weak new one", Code::InvalidRequest, own).await;
    let ended = end_logins(platform, organization, ann.id, Some(fresh(&*bench.environment)));
    refused(&bench, "no such login", Code::NotFound, ended).await;
    let login = log_in(platform, "ann@example.org", other.into(), None);
    refused(&bench, "a login with a wrong password", Code::Unauthenticated, login).await;
    let key = create_api_key(platform, granter, "till", vec![Scope::Catalog], None);
    refused(&bench, "a key with more", Code::MissingScope, key).await;
    refused(
        &bench,
        "a key without scopes",
        Code::InvalidRequest,
        create_api_key(platform, granter, "till", vec![], None),
    )
    .await;
    let scanning = [Scope::Scanning];
    let device = create_device(platform, bench.scope, &admin, "North 1", vec![fresh(&*bench.environment)], None);
    refused(&bench, "a device by whoever may not scan", Code::MissingScope, device).await;
    let device = create_device(platform, bench.scope, &scanning, "North 1", vec![fresh(&*bench.environment)], None);
    refused(&bench, "a device without a gate", Code::InvalidRequest, device).await;
}

#[tokio::test]
async fn refused_changes_of_the_catalogue_and_of_refunds_change_nothing() {
    let bench = Bench::open().await;
    let (platform, scope, organization) = (&*bench.platform, bench.scope, bench.scope.organization);
    bench.held(0).await;
    let order = bench.ordered(1).await.order.id;
    let named = |name: &str| EventChange { name: Some(name.into()), ..EventChange::default() };
    let [late, later] = ["2998-01-01T00:00:00Z", "2999-01-01T00:00:00Z"].map(|at| Some(at.parse().ok()));
    for (name, wanted) in [
        ("no name", named("\u{200b}")),
        ("no such zone", EventChange { timezone: Some("Mars/Olympus".into()), ..named("Other") }),
        ("doors after the end", EventChange { doors_at: later, ends_at: late, ..named("Other") }),
    ] {
        refused(&bench, name, Code::InvalidRequest, change_event(platform, scope, wanted)).await;
    }
    refused(&bench, "an event that was published", Code::WrongState, delete_event(platform, scope)).await;
    for (name, draft) in [
        ("another currency", serde_json::json!({"name": "Full", "price": {"amount": 1, "currency": "JPY"}})),
        ("less than nothing", serde_json::json!({"name": "Full", "price": {"amount": -1, "currency": "ZAR"}})),
        (
            "no such category",
            serde_json::json!({"name": "Full", "price": {"amount": 1, "currency": "ZAR"}, "categories": ["moon"]}),
        ),
    ] {
        let draft = serde_json::from_value(draft).unwrap();
        refused(&bench, name, Code::InvalidRequest, create_ticket_type(platform, scope, draft, None)).await;
    }
    let layout = platform.listings.listing(scope).await.unwrap().event.layout;
    let flags = |layout, places: &[u32]| SetLayoutFlags {
        layout,
        places: places.iter().copied().map(PlaceNumber).collect(),
        labels: vec![],
        flags: vec![SeatFlag::Companion],
    };
    let no_seat = set_layout_flags(platform, organization, flags(layout, &[0, 99]));
    refused(&bench, "flags of no seat", Code::InvalidRequest, no_seat).await;
    let no_layout = set_layout_flags(platform, organization, flags(fresh(&*bench.environment), &[0]));
    refused(&bench, "flags of no layout", Code::NotFound, no_layout).await;
    refused(
        &bench,
        "a retry of no refund",
        Code::NotFound,
        retry_refund(platform, organization, order, fresh(&*bench.environment)),
    )
    .await;
    refused(
        &bench,
        "no refund to settle",
        Code::NotFound,
        settle_refund(platform, organization, order, fresh(&*bench.environment), "by hand"),
    )
    .await;
    cancel_order(platform, organization, order).await.unwrap();
    let pays = pay(&bench, order, "puppet", "ok");
    refused(&bench, "a cancelled order", Code::NotPayable, pays).await;
}
