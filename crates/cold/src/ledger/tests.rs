//! Tests balances, pages and the search for unbalanced entries on real journal entries.

use std::sync::Arc;

use uuid::Uuid;
use voelgoed_app::ledger::ports::LedgerStore;
use voelgoed_app::page::PageRequest;
use voelgoed_domain::checkout::amount_parts::AmountParts;
use voelgoed_domain::ids::{EntryId, EventId, OrderId, OrganizationId};
use voelgoed_domain::ledger::entry::JournalEntry;
use voelgoed_domain::money::{Currency, Money};

use super::{EntryHeader, append};
use crate::db::{binds, sql};
use crate::testing::{CountingEnvironment, NOW, TempDir};
use crate::{Cold, ColdConfig};

fn organization(number: u128) -> OrganizationId {
    OrganizationId::from_uuid(Uuid::from_u128(number))
}

fn header(number: u128) -> EntryHeader {
    let id = Uuid::from_u128(number);
    EntryHeader { id: EntryId::from_uuid(id), event: EventId::from_uuid(id), order: OrderId::from_uuid(id), at: NOW }
}

fn sale(currency: Currency, net: i64) -> JournalEntry {
    JournalEntry::sale("sandbox", currency, AmountParts { net, fee: 250, tax: 150 }).unwrap()
}

async fn cold(directory: &TempDir) -> Cold {
    Cold::open(ColdConfig::embedded(directory.path()), Arc::new(CountingEnvironment::default())).await.unwrap()
}

async fn write(cold: &Cold, number: u128, entries: &[(EntryHeader, JournalEntry)]) {
    let mut tx = cold.db.begin(organization(number)).await.unwrap();
    append(&mut tx, organization(number), entries).await.unwrap();
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn balances_are_sums_of_the_organizations_postings_by_currency() {
    let directory = TempDir::new();
    let cold = cold(&directory).await;
    let late = JournalEntry::unmatched_capture("sandbox", Money::new(500, Currency::ZAR)).unwrap();
    let entries = [
        (header(1), sale(Currency::ZAR, 10_000)),
        (header(2), sale(Currency::ZAR, 20_000)),
        (header(3), sale(Currency::EUR, 7_000)),
        (header(4), late),
        (header(5), sale(Currency::ZAR, 20_000).reverse()),
    ];
    write(&cold, 1, &entries).await;
    write(&cold, 2, &[(header(1), sale(Currency::ZAR, 99))]).await;
    let balances = cold.balances(organization(1)).await.unwrap();
    let shown: Vec<_> = balances.iter().map(|b| (b.account.as_str(), b.currency.code(), b.amount)).collect();
    let expected = [
        ("fee_income", "EUR", -250),
        ("fee_income", "ZAR", -250),
        ("late_captures", "ZAR", -500),
        ("organizer_payable", "EUR", -7_000),
        ("organizer_payable", "ZAR", -10_000),
        ("provider_clearing:sandbox", "EUR", 7_400),
        ("provider_clearing:sandbox", "ZAR", 10_900),
        ("tax_payable", "EUR", -150),
        ("tax_payable", "ZAR", -150),
    ];
    assert_eq!(shown, expected);
    assert!(cold.balances(organization(3)).await.unwrap().is_empty());
    assert!(cold.unbalanced().await.unwrap().is_empty());
}

#[tokio::test]
async fn entries_are_listed_in_pages_with_postings_for_their_organization_only() {
    let directory = TempDir::new();
    let cold = cold(&directory).await;
    let entries: Vec<_> = (1..=5).map(|number| (header(number), sale(Currency::ZAR, 1_000))).collect();
    write(&cold, 1, &entries).await;
    let mut page = PageRequest { after: None, limit: 2 };
    let mut seen = Vec::new();
    loop {
        let part = cold.entries(organization(1), page).await.unwrap();
        seen.extend(part.items);
        page.after = part.next;
        if page.after.is_none() {
            break;
        }
    }
    assert_eq!(
        seen.iter().map(|entry| entry.id).collect::<Vec<_>>(),
        entries.iter().map(|(header, _)| header.id).collect::<Vec<_>>()
    );
    for (stored, (header, entry)) in seen.iter().zip(&entries) {
        assert_eq!((stored.event, stored.order, stored.at), (header.event, header.order, header.at));
        assert_eq!((stored.kind.as_str(), stored.currency), ("sale", Currency::ZAR));
        let postings: Vec<_> = entry.postings().iter().map(|p| (p.account.to_string(), p.amount)).collect();
        assert_eq!(stored.postings.iter().map(|p| (p.account.clone(), p.amount)).collect::<Vec<_>>(), postings);
    }
    assert!(cold.entries(organization(2), PageRequest::default()).await.unwrap().items.is_empty());
}

#[tokio::test]
async fn entries_with_wrong_sum_currency_or_number_of_postings_are_found() {
    let directory = TempDir::new();
    let cold = cold(&directory).await;
    let entries: Vec<_> = (1..=4).map(|number| (header(number), sale(Currency::ZAR, 1_000))).collect();
    write(&cold, 1, &entries).await;
    assert!(cold.unbalanced().await.unwrap().is_empty());
    let mut tx = cold.db.begin(organization(1)).await.unwrap();
    for (number, text) in [
        (
            1,
            "update journal_postings set amount = amount + 1 where organization_id = $1 and entry_id = $2 and line = 0",
        ),
        (2, "update journal_postings set currency = 'EUR' where organization_id = $1 and entry_id = $2 and line = 0"),
        (3, "delete from journal_postings where organization_id = $1 and entry_id = $2"),
    ] {
        let damaged = tx.execute(sql("test.harm", text), binds![organization(1), header(number).id]).await.unwrap();
        assert!(damaged > 0);
    }
    tx.commit().await.unwrap();
    assert_eq!(cold.unbalanced().await.unwrap(), [header(1).id, header(2).id, header(3).id]);
}
