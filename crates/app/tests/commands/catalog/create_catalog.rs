//! Creates venues, layouts and price rules: within their limits, with versions in order, and without codes that buyers would confuse.

use std::sync::Arc;

use bytes::Bytes;
use voelgoed_app::catalog::create_venue::VENUE_ADDRESS_CHARS_MAX;
use voelgoed_app::environment::new_id;
use voelgoed_app::error::CommandResult;
use voelgoed_app::idempotency::{Created, Idempotent};
use voelgoed_domain::catalog::price_rule::{PriceEffect, PriceRule, PriceRuleDraft};
use voelgoed_domain::ids::VenueId;
use voelgoed_domain::refusal::Code;
use voelgoed_testkit::platform::TestPlatform;

use super::racing_catalog::RacingCatalog;
use crate::support::{code, created, field_area, key, refusal};

/// How often a layout is written again after the first time.
const ATTEMPTS_MAX: usize = 5;

async fn venue(shop: &TestPlatform, address: &str) -> CommandResult<Created<VenueId>> {
    let venue = shop.slices.catalog.create_venue(shop.scope.organization, " Town Hall ", address, None).await?;
    Ok(venue.map(|venue| venue.id))
}

#[tokio::test]
async fn address_of_a_venue_has_up_to_300_characters() {
    let shop = TestPlatform::open().await;
    created(venue(&shop, &"é".repeat(VENUE_ADDRESS_CHARS_MAX)).await);
    let refused = refusal(venue(&shop, &"é".repeat(VENUE_ADDRESS_CHARS_MAX + 1)).await);
    assert_eq!((refused.code, refused.evidence.field.as_deref()), (Code::InvalidRequest, Some("address")));
}

#[tokio::test]
async fn layouts_of_a_venue_are_numbered() {
    let shop = TestPlatform::open().await;
    let (one, two) = (created(venue(&shop, "").await), created(venue(&shop, "").await));
    let version = async |venue| {
        let areas = vec![field_area(1, 10)];
        created(shop.slices.catalog.create_layout(shop.scope.organization, venue, areas, None).await).version
    };
    assert_eq!((version(one).await, version(one).await, version(two).await), (1, 2, 1));
    let unknown = new_id(&*shop.environment);
    let areas = vec![field_area(1, 10)];
    let refused = shop.slices.catalog.create_layout(shop.scope.organization, unknown, areas, None).await;
    assert_eq!(code(refused), Code::NotFound);
}

#[tokio::test]
async fn layout_that_loses_its_version_to_another_is_written_again_up_to_5_times() {
    for (lost, written) in [(1, true), (ATTEMPTS_MAX, true), (ATTEMPTS_MAX + 1, false)] {
        let mut shop = TestPlatform::open().await;
        let venue = created(venue(&shop, "").await);
        let racing = RacingCatalog::new(shop.slices.catalog.store.clone(), lost);
        Arc::make_mut(&mut shop.slices.catalog).store = racing.clone();
        let areas = vec![field_area(1, 10)];
        let layout = shop.slices.catalog.create_layout(shop.scope.organization, venue, areas, None).await;
        match written {
            true => assert_eq!(created(layout).version, 1),
            false => assert_eq!(code(layout), Code::TryAgain),
        }
        assert_eq!(racing.writes(), (lost + 1).min(ATTEMPTS_MAX + 1));
    }
}

fn draft(code: &str) -> PriceRuleDraft {
    PriceRuleDraft {
        code: Some(code.into()),
        ticket_types: vec![],
        effect: PriceEffect::AmountOff(100),
        starts_at: None,
        ends_at: None,
        uses_max: None,
        uses_per_buyer_max: None,
    }
}

async fn rule(shop: &TestPlatform, code: &str) -> CommandResult<Created<PriceRule>> {
    shop.slices.catalog.create_price_rule(shop.scope, draft(code), None).await
}

#[tokio::test]
async fn promo_code_that_looks_like_another_is_refused() {
    let shop = TestPlatform::open().await;
    created(rule(&shop, "ILLUSION10").await);
    for alike in ["illusion10", "1LLUSI0N10", "ILLUSI0N1O", "lllusion10"] {
        let refused = refusal(rule(&shop, alike).await);
        let field = refused.evidence.field.as_deref();
        assert_eq!((refused.code, field), (Code::AlreadyExists, Some("code")), "{alike}: {refused}");
    }
    created(rule(&shop, "ILLUSION11").await);
    let codes = shop.slices.catalog.listings.listing(shop.scope).await.unwrap().price_rules.len();
    assert_eq!(codes, 2, "the listing has them at once");
}

#[tokio::test]
async fn automatic_rules_are_not_compared_with_codes() {
    let shop = TestPlatform::open().await;
    let automatic = || PriceRuleDraft { code: None, ..draft("") };
    created(shop.slices.catalog.create_price_rule(shop.scope, automatic(), None).await);
    created(rule(&shop, "FRIEND").await);
    created(shop.slices.catalog.create_price_rule(shop.scope, automatic(), None).await);
}

#[tokio::test]
async fn repeated_creation_of_a_code_is_replayed() {
    let shop = TestPlatform::open().await;
    let create = async |digest| {
        let idempotent =
            Idempotent { key: key("rule", digest), render: &|_: &PriceRule| Bytes::from_static(b"a rule") };
        shop.slices.catalog.create_price_rule(shop.scope, draft("FRIEND"), Some(idempotent)).await
    };
    created(create(1).await);
    let again = create(1).await.unwrap();
    assert!(matches!(&again, Created::Replayed(answer) if &answer[..] == b"a rule"), "{again:?}");
    assert_eq!(code(create(2).await), Code::IdempotencyMismatch);
}

#[tokio::test]
async fn rule_for_an_unknown_ticket_type_is_refused() {
    let shop = TestPlatform::open().await;
    let unknown = PriceRuleDraft { ticket_types: vec![shop.ticket_type, new_id(&*shop.environment)], ..draft("A") };
    assert_eq!(code(shop.slices.catalog.create_price_rule(shop.scope, unknown, None).await), Code::InvalidRequest);
    let known = PriceRuleDraft { ticket_types: vec![shop.ticket_type], ..draft("A") };
    created(shop.slices.catalog.create_price_rule(shop.scope, known, None).await);
}
