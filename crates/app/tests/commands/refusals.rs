//! Compares both stores before and after refused commands: they stay byte for byte as they were, limiters excepted.
//!
//! To add a command: its refusals here, under the state that makes each of them.

use std::fmt::Debug;
use std::future::Future;

use voelgoed_app::accounts::change_member::MemberUpdate;
use voelgoed_app::accounts::create_member::NewMember;
use voelgoed_app::accounts::granter::Granter;
use voelgoed_app::catalog::set_layout_flags::SetLayoutFlags;
use voelgoed_app::environment::{Environment as _, new_id};
use voelgoed_app::error::{CommandError, CommandResult};
use voelgoed_app::idempotency::{Created, IdempotencyKey, Idempotent};
use voelgoed_app::payments::open_refund::OpenRefund;
use voelgoed_app::payments::ports::PaymentChoice;
use voelgoed_app::ticketing::change_hold::ChangeHold;
use voelgoed_app::ticketing::choose_places::HoldItem;
use voelgoed_app::ticketing::hold::HoldCommand;
use voelgoed_domain::accounts::scope::Scope;
use voelgoed_domain::catalog::event::{EventChange, EventDraft, EventTransition};
use voelgoed_domain::catalog::layout::SeatFlag;
use voelgoed_domain::catalog::price_rule::{PriceEffect, PriceRuleDraft};
use voelgoed_domain::ids::{HoldId, LayoutId, MemberId, OrderId, SessionId};
use voelgoed_domain::money::{Currency, Money};
use voelgoed_domain::payments::refund_plan::RefundSelection;
use voelgoed_domain::refusal::Code;
use voelgoed_domain::ticketing::place_number::PlaceNumber;

use voelgoed_testkit::platform::TestPlatform;

/// Runs a command that must be refused with `code`, and compares what the stores hold before and after.
async fn refused<T: Debug>(
    shop: &TestPlatform,
    name: &str,
    code: Code,
    command: impl Future<Output = CommandResult<T>>,
) {
    let before = shop.dump();
    match command.await {
        Err(CommandError::Refused(refusal)) => assert_eq!(refusal.code, code, "{name}: {refusal}"),
        other => panic!("{name}: {other:?}"),
    }
    let after = shop.dump();
    assert!(before == after, "{name} was refused and changed something:\n{before}\n{after}");
}

fn seat(shop: &TestPlatform, place: u32) -> HoldItem {
    HoldItem::Place { place: PlaceNumber(place), ticket_type: shop.ticket_type, accessible: true }
}

async fn field(shop: &TestPlatform, quantity: u32) -> HoldItem {
    let area = shop.slices.catalog.listings.listing(shop.scope).await.unwrap().layout.areas[1].id;
    HoldItem::Area { area, quantity, ticket_type: shop.ticket_type, accessible: 0, companions: 0 }
}

async fn ask(
    shop: &TestPlatform,
    session: SessionId,
    items: Vec<HoldItem>,
    code: Option<&str>,
    key: Option<u8>,
) -> CommandResult<HoldId> {
    let repeatable = key.map(|digest| ("key".to_owned(), [digest; 32]));
    let code = code.map(Into::into);
    let command =
        HoldCommand { scope: shop.scope, session, address: None, items, best_available: false, code, repeatable };
    Ok(shop.slices.ticketing.hold(command).await?.id)
}

fn change(shop: &TestPlatform, hold: HoldId, add: Vec<HoldItem>, remove: &[u32], code: Option<&str>) -> ChangeHold {
    let remove = remove.iter().copied().map(PlaceNumber).collect();
    ChangeHold { scope: shop.scope, hold, add, remove, code: code.map(Into::into), repeatable: None }
}

#[tokio::test]
async fn refused_holds_change_nothing() {
    let shop = TestPlatform::open().await;
    let session: SessionId = new_id(&*shop.environment);
    let other = || new_id(&*shop.environment);
    let held = ask(&shop, session, vec![seat(&shop, 0)], None, Some(1)).await.unwrap();
    let six = field(&shop, 6).await;
    ask(&shop, other(), vec![six.clone()], None, None).await.unwrap();
    let five = vec![field(&shop, 5).await];
    refused(&shop, "a taken seat", Code::PlaceTaken, ask(&shop, other(), vec![seat(&shop, 0)], None, None)).await;
    refused(&shop, "no such seat", Code::InvalidRequest, ask(&shop, other(), vec![seat(&shop, 99)], None, None)).await;
    refused(&shop, "nothing", Code::InvalidRequest, ask(&shop, other(), vec![], None, None)).await;
    refused(&shop, "sold out", Code::SoldOut, ask(&shop, other(), five, None, None)).await;
    let many = vec![seat(&shop, 1), seat(&shop, 2), seat(&shop, 3), six.clone()];
    refused(&shop, "too many", Code::LimitReached, ask(&shop, other(), many, None, None)).await;
    let code = ask(&shop, other(), vec![seat(&shop, 1)], Some("nobody"), None);
    refused(&shop, "no such code", Code::InvalidRequest, code).await;
    let mismatch = ask(&shop, session, vec![seat(&shop, 1)], None, Some(2));
    refused(&shop, "another request", Code::IdempotencyMismatch, mismatch).await;
    for (name, code, wanted) in [
        ("a taken place", Code::SoldOut, change(&shop, held, vec![field(&shop, 5).await], &[], None)),
        ("all of it", Code::InvalidRequest, change(&shop, held, vec![], &[0], None)),
        ("not in it", Code::InvalidRequest, change(&shop, held, vec![], &[3], None)),
        ("a useless code", Code::InvalidRequest, change(&shop, held, vec![], &[], Some("nobody"))),
        ("too many", Code::LimitReached, change(&shop, held, vec![six], &[], None)),
        ("no such hold", Code::HoldExpired, change(&shop, new_id(&*shop.environment), vec![], &[0], None)),
    ] {
        refused(&shop, name, code, shop.slices.ticketing.change_hold(wanted)).await;
    }
    shop.order(held).await.unwrap();
    shop.relay().await;
    refused(&shop, "ordered", Code::AlreadyOrdered, shop.slices.ticketing.release_hold(shop.scope, held)).await;
    let wanted = change(&shop, held, vec![seat(&shop, 1)], &[], None);
    refused(&shop, "ordered", Code::AlreadyOrdered, shop.slices.ticketing.change_hold(wanted)).await;
    shop.slices.catalog.transition_event(shop.scope, EventTransition::Pause).await.unwrap();
    let late = ask(&shop, other(), vec![seat(&shop, 1)], None, None);
    refused(&shop, "a paused sale", Code::SaleClosed, late).await;
}

#[tokio::test]
async fn refused_orders_change_nothing() {
    let shop = TestPlatform::open().await;
    let hold = shop.hold_seat(0).await;
    let ann = "ann@example.org";
    let end = shop.slices.ticketing.inventory.read_hold(shop.scope, hold).await.unwrap().expires_at;
    refused(&shop, "no payment", Code::InvalidRequest, shop.order_as(hold, "one", ann, None)).await;
    refused(&shop, "no such method", Code::InvalidRequest, shop.order_as(hold, "one", ann, Some("shells"))).await;
    refused(&shop, "no address", Code::InvalidRequest, shop.order_as(hold, "one", "ann", Some("ok"))).await;
    let unknown: HoldId = new_id(&*shop.environment);
    refused(&shop, "no such hold", Code::HoldExpired, shop.order_as(unknown, "one", ann, Some("ok"))).await;
    refused(&shop, "no such hold", Code::HoldExpired, shop.order_as(unknown, "one", ann, None)).await;
    // Refused by cold, after the hold was pinned: nine places are one buyer's.
    let rest = ask(&shop, new_id(&*shop.environment), vec![field(&shop, 6).await], None, None).await.unwrap();
    shop.order_as(rest, "one", ann, Some("ok")).await.unwrap();
    let three = ask(&shop, new_id(&*shop.environment), vec![field(&shop, 3).await], None, None).await.unwrap();
    let four = vec![seat(&shop, 1), seat(&shop, 2), seat(&shop, 3), field(&shop, 1).await];
    let four = ask(&shop, new_id(&*shop.environment), four, None, None).await.unwrap();
    refused(&shop, "over the limit", Code::LimitReached, shop.order_as(four, "one", ann, Some("ok"))).await;
    shop.order_as(three, "one", ann, Some("ok")).await.unwrap();
    refused(&shop, "ordered", Code::AlreadyOrdered, shop.order_as(three, "two", ann, Some("ok"))).await;
    let after = shop.slices.ticketing.inventory.read_hold(shop.scope, hold).await.unwrap().expires_at;
    assert_eq!(after, end, "a refused order does not extend its hold");
}

async fn pay(shop: &TestPlatform, order: OrderId, provider: &str, method: &str) -> CommandResult<()> {
    let key = IdempotencyKey { caller: order.to_string(), key: "again".into(), request: [1; 32] };
    let choice = PaymentChoice { provider: provider.into(), method: method.into() };
    let idempotent = Idempotent { key, render: &|_| bytes::Bytes::from_static(b"an answer") };
    shop.slices.payments.pay_again(shop.scope, order, choice, idempotent).await.map(drop)
}

async fn refund(shop: &TestPlatform, order: OrderId, selection: RefundSelection, reason: &str) -> CommandResult<()> {
    let key = IdempotencyKey { caller: "key".into(), key: "refund".into(), request: [1; 32] };
    let command = OpenRefund {
        order,
        selection,
        revoke: None,
        reason: reason.into(),
        forced: false,
        actor: "key".into(),
        idempotent: Idempotent { key, render: &|_| bytes::Bytes::from_static(b"an answer") },
    };
    shop.slices.payments.open_refund(shop.scope.organization, command).await.map(drop)
}

#[tokio::test]
async fn refused_payments_and_refunds_change_nothing() {
    let shop = TestPlatform::open().await;
    let order = shop.order_seat(0).await.order.id;
    let unknown: OrderId = new_id(&*shop.environment);
    refused(&shop, "an attempt is open", Code::PaymentUnresolved, pay(&shop, order, "puppet", "ok")).await;
    refused(&shop, "no such method", Code::InvalidRequest, pay(&shop, order, "puppet", "shells")).await;
    refused(&shop, "no such provider", Code::InvalidRequest, pay(&shop, order, "nobody", "ok")).await;
    refused(&shop, "no such order", Code::NotFound, pay(&shop, unknown, "puppet", "ok")).await;
    let amount = || RefundSelection::Amount(Money::new(100, Currency::ZAR));
    refused(&shop, "not paid", Code::WrongState, refund(&shop, order, amount(), "rain")).await;
    refused(&shop, "no reason", Code::InvalidRequest, refund(&shop, order, amount(), " ")).await;
    refused(&shop, "no such order", Code::NotFound, refund(&shop, unknown, amount(), "rain")).await;
    let organization = shop.scope.organization;
    refused(&shop, "no such order", Code::NotFound, shop.slices.checkout.cancel_order(organization, unknown)).await;
}

#[tokio::test]
async fn refused_acts_of_an_organizer_change_nothing() {
    let shop = TestPlatform::open().await;
    let (slices, scope, organization) = (&shop.slices, shop.scope, shop.scope.organization);
    shop.hold_seat(0).await;
    shop.order_seat(1).await;
    let rule = |effect, uses_max| PriceRuleDraft {
        code: Some("friend".into()),
        ticket_types: vec![],
        effect,
        starts_at: None,
        ends_at: None,
        uses_max,
        uses_per_buyer_max: None,
    };
    slices.catalog.create_price_rule(scope, rule(PriceEffect::AmountOff(1), None), None).await.unwrap();
    let again = slices.catalog.create_price_rule(scope, rule(PriceEffect::AmountOff(1), None), None);
    refused(&shop, "a second rule with the code", Code::AlreadyExists, again).await;
    let bad = slices.catalog.create_price_rule(scope, rule(PriceEffect::AmountOff(-1), None), None);
    refused(&shop, "a negative amount", Code::InvalidRequest, bad).await;
    let bad = slices.catalog.create_price_rule(scope, rule(PriceEffect::AmountOff(1), Some(0)), None);
    refused(&shop, "no use", Code::InvalidRequest, bad).await;
    refused(&shop, "no name", Code::InvalidRequest, slices.catalog.create_venue(organization, " ", "", None)).await;
    let layout = slices.catalog.create_layout(organization, new_id(&*shop.environment), vec![], None);
    refused(&shop, "an empty plan", Code::InvalidRequest, layout).await;
    let now = shop.environment.now();
    let layout: LayoutId = new_id(&*shop.environment);
    let draft: EventDraft = serde_json::from_value(serde_json::json!({
        "name": "Evensong", "layout": layout, "starts_at": now,
        "timezone": "Africa/Johannesburg", "sale": {"opens_at": now, "closes_at": now}, "currency": "ZAR",
    }))
    .unwrap();
    refused(&shop, "an empty window", Code::InvalidRequest, slices.catalog.create_event(organization, draft, None))
        .await;
    let gate = slices.scanning.create_gate(scope, "North", vec![new_id(&*shop.environment)], None);
    refused(&shop, "no such area", Code::InvalidRequest, gate).await;
    refused(&shop, "no such pairing code", Code::PairingExpired, slices.scanning.pair_device("AAAA-BBBB", None)).await;
    let sold = slices.ticketing.block(scope, vec![PlaceNumber(1)], "band".into(), None);
    refused(&shop, "a sold place", Code::PlaceTaken, sold).await;
    refused(&shop, "not paused", Code::WrongState, slices.catalog.transition_event(scope, EventTransition::Open)).await;
    refused(&shop, "no slug", Code::InvalidRequest, slices.accounts.create_organization("Shop", "a b", None)).await;
}

#[tokio::test]
async fn refused_changes_of_members_keys_and_devices_change_nothing() {
    let shop = TestPlatform::open().await;
    let (slices, organization) = (&shop.slices, shop.scope.organization);
    let admin = [Scope::Admin, Scope::Sales];
    let granter = Granter { organization, scopes: &admin, member: None };
    let member = |email: &str, password: &str, scopes: &[Scope]| NewMember {
        name: "Ann".into(),
        email: email.into(),
        password: password.into(),
        scopes: scopes.to_vec(),
    };
    let (good, other) = ("correct horse battery", "another horse battery");
    let ann = slices.accounts.create_member(granter, member("ann@example.org", good, &admin), None).await.unwrap();
    let Created::Fresh(ann) = ann else { panic!("{ann:?}") };
    let catalog = [Scope::Catalog];
    for (name, code, new) in [
        ("a scope that the granter lacks", Code::MissingScope, member("bob@example.org", good, &catalog)),
        ("a short password", Code::InvalidRequest, member("bob@example.org", "short", &admin)),
        ("no address", Code::InvalidRequest, member("bob", good, &admin)),
        ("a second membership", Code::AlreadyExists, member("ANN@example.org", good, &admin)),
    ] {
        refused(&shop, name, code, slices.accounts.create_member(granter, new, None)).await;
    }
    let update = |scopes: Option<&[Scope]>, disabled| MemberUpdate {
        name: Some("Anna".into()),
        scopes: scopes.map(<[Scope]>::to_vec),
        disabled,
    };
    let herself = Granter { member: Some(ann.id), ..granter };
    let unknown: MemberId = new_id(&*shop.environment);
    for (name, code, who, id, change) in [
        ("a new scope", Code::MissingScope, granter, ann.id, update(Some(&catalog), None)),
        ("nobody", Code::NotFound, granter, unknown, update(None, Some(true))),
        ("the last administrator disables herself", Code::LastAdministrator, herself, ann.id, update(None, Some(true))),
        ("she gives the scope up", Code::LastAdministrator, herself, ann.id, update(Some(&[Scope::Sales]), None)),
    ] {
        refused(&shop, name, code, slices.accounts.change_member(who, id, change)).await;
    }
    let sales = Granter { organization, scopes: &[Scope::Sales], member: None };
    let reset = slices.accounts.reset_password(sales, ann.id, other.into());
    refused(&shop, "a reset by somebody with less", Code::MissingScope, reset).await;
    let reset = slices.accounts.reset_password(granter, ann.id, "ann@example.org".into());
    refused(&shop, "her address as password", Code::InvalidRequest, reset).await;
    let own = slices.accounts.change_own_password(organization, ann.id, other.into(), other.into());
    refused(&shop, "a wrong old password", Code::WrongPassword, own).await;
    let own = slices.accounts.change_own_password(organization, ann.id, good.into(), "short".into());
    refused(&shop, "a weak new one", Code::InvalidRequest, own).await;
    let ended = slices.accounts.end_logins(organization, ann.id, Some(new_id(&*shop.environment)));
    refused(&shop, "no such login", Code::NotFound, ended).await;
    let login = slices.accounts.log_in("ann@example.org", other.into(), None);
    refused(&shop, "a login with a wrong password", Code::Unauthenticated, login).await;
    let key = slices.accounts.create_api_key(granter, "till", vec![Scope::Catalog], None);
    refused(&shop, "a key with more", Code::MissingScope, key).await;
    refused(
        &shop,
        "a key without scopes",
        Code::InvalidRequest,
        slices.accounts.create_api_key(granter, "till", vec![], None),
    )
    .await;
    let scanning = [Scope::Scanning];
    let device = slices.scanning.create_device(shop.scope, &admin, "North 1", vec![new_id(&*shop.environment)], None);
    refused(&shop, "a device paired by a member without the scope", Code::MissingScope, device).await;
    let device =
        slices.scanning.create_device(shop.scope, &scanning, "North 1", vec![new_id(&*shop.environment)], None);
    refused(&shop, "a device without a gate", Code::InvalidRequest, device).await;
}

#[tokio::test]
async fn refused_changes_of_the_catalogue_and_of_refunds_change_nothing() {
    let shop = TestPlatform::open().await;
    let (slices, scope, organization) = (&shop.slices, shop.scope, shop.scope.organization);
    shop.hold_seat(0).await;
    let order = shop.order_seat(1).await.order.id;
    let named = |name: &str| EventChange { name: Some(name.into()), ..EventChange::default() };
    let [late, later] = ["2998-01-01T00:00:00Z", "2999-01-01T00:00:00Z"].map(|at| Some(at.parse().ok()));
    for (name, wanted) in [
        ("no name", named("\u{200b}")),
        ("no such zone", EventChange { timezone: Some("Mars/Olympus".into()), ..named("Other") }),
        ("doors after the end", EventChange { doors_at: later, ends_at: late, ..named("Other") }),
    ] {
        refused(&shop, name, Code::InvalidRequest, slices.catalog.change_event(scope, wanted)).await;
    }
    refused(&shop, "an event that was published", Code::WrongState, slices.catalog.delete_event(scope)).await;
    for (name, draft) in [
        ("another currency", serde_json::json!({"name": "Full", "price": {"amount": 1, "currency": "JPY"}})),
        ("less than nothing", serde_json::json!({"name": "Full", "price": {"amount": -1, "currency": "ZAR"}})),
        (
            "no such category",
            serde_json::json!({"name": "Full", "price": {"amount": 1, "currency": "ZAR"}, "categories": ["moon"]}),
        ),
    ] {
        let draft = serde_json::from_value(draft).unwrap();
        refused(&shop, name, Code::InvalidRequest, slices.catalog.create_ticket_type(scope, draft, None)).await;
    }
    let layout = slices.catalog.listings.listing(scope).await.unwrap().event.layout;
    let flags = |layout, places: &[u32]| SetLayoutFlags {
        layout,
        places: places.iter().copied().map(PlaceNumber).collect(),
        labels: vec![],
        flags: vec![SeatFlag::Companion],
    };
    let no_seat = slices.catalog.set_layout_flags(organization, flags(layout, &[0, 99]));
    refused(&shop, "flags of no seat", Code::InvalidRequest, no_seat).await;
    let no_layout = slices.catalog.set_layout_flags(organization, flags(new_id(&*shop.environment), &[0]));
    refused(&shop, "flags of no layout", Code::NotFound, no_layout).await;
    refused(
        &shop,
        "a retry of no refund",
        Code::NotFound,
        slices.payments.retry_refund(organization, order, new_id(&*shop.environment)),
    )
    .await;
    refused(
        &shop,
        "no refund to settle",
        Code::NotFound,
        slices.payments.settle_refund(organization, order, new_id(&*shop.environment), "by hand"),
    )
    .await;
    slices.checkout.cancel_order(organization, order).await.unwrap();
    let pays = pay(&shop, order, "puppet", "ok");
    refused(&shop, "a cancelled order", Code::NotPayable, pays).await;
}
