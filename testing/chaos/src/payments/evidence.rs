//! What order, attempt, place, ledger and the provider's books say of one purchase, and which end that is.
//!
//! Never lenient: an end counts only where all five agree on it.

use anyhow::{bail, ensure};
use serde_json::Value;
use voelgoed_testkit::organizer::Entry;

use super::table::End;

/// Everything that is known of a purchase from outside.
#[derive(Debug)]
pub struct Evidence {
    /// The order, where there is one.
    pub order: Option<Value>,
    /// 0 free, 1 held, 2 sold, 3 blocked; none where a rival may have it.
    pub place: Option<u8>,
    /// Its journal entries.
    pub entries: Vec<Entry>,
    /// What the provider holds of it, in cents.
    pub at_provider: i64,
}

fn states(order: &Value, list: &str) -> Vec<String> {
    let items = order[list].as_array().into_iter().flatten();
    items.map(|item| item["state"].as_str().unwrap_or("?").to_owned()).collect()
}

impl Evidence {
    /// The end that all of it agrees on.
    ///
    /// # Errors
    /// What does not agree; also while the purchase goes on.
    pub fn end(&self) -> anyhow::Result<End> {
        let clearing: i64 = self.entries.iter().map(|entry| entry.clearing).sum();
        let Some(order) = &self.order else {
            ensure!(self.place.is_none_or(|place| place == 0), "no order, but the place is {:?}", self.place);
            return Ok(End::NoOrder);
        };
        let total = order["total"]["amount"].as_i64().unwrap_or(-1);
        let (payments, tickets, refunds) =
            (states(order, "payments"), states(order, "tickets"), states(order, "refunds"));
        let state = order["state"].as_str().unwrap_or("?");
        let words = |list: &[String]| list.join(" ");
        let mut kinds: Vec<&str> = self.entries.iter().map(|entry| entry.kind.as_str()).collect();
        kinds.sort_unstable();
        let (end, place, money) =
            match (state, &*words(&payments), &*words(&tickets), &*words(&refunds), kinds.as_slice()) {
                ("paid", "captured", "valid", "", ["sale"]) => (End::Ticket, 2, total),
                ("paid", "captured", "valid", "", ["late_capture", "late_capture_sale"]) => (End::TicketLate, 2, total),
                ("expired", "failed" | "voided", "", "", []) => (End::NoCharge, 0, 0),
                ("expired", "captured_late", "", "done", ["late_capture", "late_capture_refund"]) => {
                    (End::GivenBack, 0, 0)
                }
                ("refunded", "captured", "revoked", "done", ["refund", "sale"]) => (End::Refunded, 0, 0),
                _ => bail!(
                    "order {state}, attempts {payments:?}, tickets {tickets:?}, refunds {refunds:?}, journal {kinds:?}"
                ),
            };
        ensure!(self.place.is_none_or(|found| found == place), "{end:?}, but the place is {:?}", self.place);
        ensure!(
            clearing == money,
            "{end:?}, but the ledger has {clearing} of {money} at the provider: {:?}",
            self.entries
        );
        ensure!(self.at_provider == money, "{end:?}, but the provider holds {} instead of {money}", self.at_provider);
        Ok(end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn evidence(
        state: &str,
        payment: &str,
        ticket: Option<&str>,
        place: u8,
        clearings: &[i64],
        at_provider: i64,
    ) -> Evidence {
        let tickets: Vec<Value> = ticket.into_iter().map(|state| json!({"state": state})).collect();
        let order = json!({"state": state, "total": {"amount": 100}, "payments": [{"state": payment}], "tickets": tickets, "refunds": []});
        let entry = |clearing: &i64| Entry { order: "ord_1".to_owned(), kind: "sale".to_owned(), clearing: *clearing };
        Evidence { order: Some(order), place: Some(place), entries: clearings.iter().map(entry).collect(), at_provider }
    }

    #[test]
    fn an_end_counts_only_where_all_agree() {
        for (found, expected) in [
            (evidence("paid", "captured", Some("valid"), 2, &[100], 100), Some(End::Ticket)),
            (evidence("paid", "captured", Some("valid"), 1, &[100], 100), None),
            (evidence("paid", "captured", None, 2, &[100], 100), None),
            (evidence("paid", "captured", Some("valid"), 2, &[100, 0], 100), None),
            (evidence("paid", "captured", Some("valid"), 2, &[100], 0), None),
            (evidence("expired", "voided", None, 0, &[], 0), Some(End::NoCharge)),
            (evidence("expired", "voided", None, 0, &[], 100), None),
            (evidence("expired", "pending", None, 0, &[], 0), None),
            (evidence("awaiting_payment", "pending", None, 1, &[], 0), None),
        ] {
            assert_eq!(found.end().ok(), expected, "{found:?}");
        }
    }
}
