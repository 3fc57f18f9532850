//! Derives the outcome of a purchase from its order, payment attempts, place, ledger entries and the provider's charges.
//!
//! Never: an outcome on which these five do not agree.

use anyhow::{bail, ensure};
use serde_json::Value;
use voelgoed_testkit::organizer::ClearingEntry;

use super::outcome_table::PurchaseOutcome;

/// All that clients can read of a purchase.
#[derive(Debug)]
pub struct PurchaseState {
    /// The order, if one was placed.
    pub order: Option<Value>,
    /// 0 free, 1 held, 2 sold, 3 blocked; none where a rival may have taken it.
    pub place: Option<u8>,
    /// The order's ledger entries.
    pub entries: Vec<ClearingEntry>,
    /// Cents that the provider holds for the order.
    pub at_provider: i64,
}

fn states(order: &Value, list: &str) -> Vec<String> {
    let items = order[list].as_array().into_iter().flatten();
    items.map(|item| item["state"].as_str().unwrap_or("?").to_owned()).collect()
}

impl PurchaseState {
    /// The outcome on which all parts agree.
    ///
    /// # Errors
    /// The parts disagree, or the purchase is not finished.
    pub fn outcome(&self) -> anyhow::Result<PurchaseOutcome> {
        let clearing: i64 = self.entries.iter().map(|entry| entry.clearing).sum();
        let Some(order) = &self.order else {
            ensure!(self.place.is_none_or(|place| place == 0), "no order, but the place is {:?}", self.place);
            return Ok(PurchaseOutcome::NoOrder);
        };
        let total = order["total"]["amount"].as_i64().unwrap_or(-1);
        let (payments, tickets, refunds) =
            (states(order, "payments"), states(order, "tickets"), states(order, "refunds"));
        let state = order["state"].as_str().unwrap_or("?");
        let words = |list: &[String]| list.join(" ");
        let mut kinds: Vec<&str> = self.entries.iter().map(|entry| entry.kind.as_str()).collect();
        kinds.sort_unstable();
        let (outcome, place, money) =
            match (state, &*words(&payments), &*words(&tickets), &*words(&refunds), kinds.as_slice()) {
                ("paid", "captured", "valid", "", ["sale"]) => (PurchaseOutcome::Ticket, 2, total),
                ("paid", "captured", "valid", "", ["late_capture", "late_capture_sale"]) => {
                    (PurchaseOutcome::TicketLate, 2, total)
                }
                ("expired", "failed" | "voided", "", "", []) => (PurchaseOutcome::NoCharge, 0, 0),
                ("expired", "captured_late", "", "done", ["late_capture", "late_capture_refund"]) => {
                    (PurchaseOutcome::LateRefund, 0, 0)
                }
                ("refunded", "captured", "revoked", "done", ["refund", "sale"]) => (PurchaseOutcome::Refunded, 0, 0),
                _ => bail!(
                    "order {state}, attempts {payments:?}, tickets {tickets:?}, refunds {refunds:?}, ledger {kinds:?}"
                ),
            };
        ensure!(self.place.is_none_or(|found| found == place), "{outcome:?}, but the place is {:?}", self.place);
        ensure!(
            clearing == money,
            "{outcome:?}, but the ledger has {clearing} of {money} at the provider: {:?}",
            self.entries
        );
        ensure!(
            self.at_provider == money,
            "{outcome:?}, but the provider holds {} instead of {money}",
            self.at_provider
        );
        Ok(outcome)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn purchase_state(
        state: &str,
        payment: &str,
        ticket: Option<&str>,
        place: u8,
        clearings: &[i64],
        at_provider: i64,
    ) -> PurchaseState {
        let tickets: Vec<Value> = ticket.into_iter().map(|state| json!({"state": state})).collect();
        let order = json!({"state": state, "total": {"amount": 100}, "payments": [{"state": payment}], "tickets": tickets, "refunds": []});
        let entry =
            |clearing: &i64| ClearingEntry { order: "ord_1".to_owned(), kind: "sale".to_owned(), clearing: *clearing };
        PurchaseState {
            order: Some(order),
            place: Some(place),
            entries: clearings.iter().map(entry).collect(),
            at_provider,
        }
    }

    #[test]
    fn outcome_exists_only_where_order_place_ledger_and_provider_agree() {
        for (found, expected) in [
            (purchase_state("paid", "captured", Some("valid"), 2, &[100], 100), Some(PurchaseOutcome::Ticket)),
            (purchase_state("paid", "captured", Some("valid"), 1, &[100], 100), None),
            (purchase_state("paid", "captured", None, 2, &[100], 100), None),
            (purchase_state("paid", "captured", Some("valid"), 2, &[100, 0], 100), None),
            (purchase_state("paid", "captured", Some("valid"), 2, &[100], 0), None),
            (purchase_state("expired", "voided", None, 0, &[], 0), Some(PurchaseOutcome::NoCharge)),
            (purchase_state("expired", "voided", None, 0, &[], 100), None),
            (purchase_state("expired", "pending", None, 0, &[], 0), None),
            (purchase_state("awaiting_payment", "pending", None, 1, &[], 0), None),
        ] {
            assert_eq!(found.outcome().ok(), expected, "{found:?}");
        }
    }
}
