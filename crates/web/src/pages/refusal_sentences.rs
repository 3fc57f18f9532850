//! Words refusals for buyers: one sentence per code, per limit and per field of the shop's forms.
//!
//! Never: the detail for programs, except of promo codes and wheelchair spaces, which is written for people. To add a code: a line in [`code_sentence`].

use std::collections::BTreeMap;
use std::sync::LazyLock;

use voelgoed_domain::refusal::{Code, LimitHit, Refusal, RefusalEvidence};
use voelgoed_domain::ticketing::limits;

use super::formatting::Moment;

/// For codes without a sentence.
const OTHER_REFUSAL: &str = "That was not possible. Nothing was changed. Load the page again and repeat it.";
/// Placeholder for the size of a limit, which scripts replace.
const LIMIT_PLACEHOLDER: &str = "{most}";

/// Every limit that a buyer can reach, by its stable name.
const LIMITS: &[&str] = &[
    limits::PLACES_PER_HOLD,
    limits::PLACES_PER_SESSION,
    limits::PLACES_PER_ADDRESS,
    limits::TICKETS_PER_HOLD_MIN,
    limits::TICKETS_PER_HOLD_MAX,
    limits::TICKETS_PER_BUYER_MAX,
    limits::CODE_USES,
    limits::CODE_USES_PER_BUYER,
    limits::OPEN_HOLDS,
    limits::PAYMENT_ATTEMPTS,
];

/// The sentence for a refusal; moments are in the event's time zone.
pub fn sentence(refusal: &Refusal, timezone: &str) -> String {
    let RefusalEvidence { field, limit, opens_at, .. } = &*refusal.evidence;
    match (refusal.code, field.as_deref(), opens_at) {
        (Code::SaleClosed, _, Some(at)) => {
            let at = Moment::new(*at, timezone);
            format!("The sale opens on {}, {} {}.", at.date(), at.clock(), at.zone())
        }
        (Code::InvalidRequest, Some(field), _) => field_sentence(field, &refusal.detail),
        // The detail lists the places.
        (Code::AccessiblePlace, ..) => refusal.detail.clone(),
        (code, ..) => code_sentence(code, limit.as_ref()),
    }
}

/// The sentence for a code; error pages show it too.
pub fn code_sentence(code: Code, limit: Option<&LimitHit>) -> String {
    let text = match code {
        Code::LimitReached => {
            return limit_sentence(limit.map_or("", |limit| limit.name), limit.map(|limit| limit.most));
        }
        Code::PlaceTaken => "Somebody was faster. Choose other places; nothing was charged.",
        Code::SoldOut => "There are not enough places left there. Choose fewer, or look in another area.",
        Code::SaleClosed => "Tickets are not sold at the moment.",
        Code::PassRequired => "This event has a waiting room, and it is not your turn yet.",
        Code::AccessiblePlace => {
            "Some of these places are kept for wheelchair users. Say that you need them, or choose other places."
        }
        Code::AlreadyOrdered => "These places are part of an order already.",
        Code::HoldChanged => "Your places were changed in another window. Look at them again.",
        Code::HoldExpired => "The time to buy these places ran out. They are free again; nothing was charged.",
        Code::HoldLost => "Your places were let go by a fault on our side. Nothing was charged. Please choose again.",
        Code::PaymentUnresolved => {
            "An earlier payment is not settled yet. Wait for it, so that you never pay twice; this page shows when it is."
        }
        Code::NotPayable => "There is nothing to pay here.",
        Code::IdempotencyMismatch => {
            "This form was sent before with other words in it. Check what is shown, and send it again."
        }
        Code::RateLimited => "That was a little fast. Wait a moment, and try again.",
        Code::TryAgain | Code::Overloaded => "This is not possible for the moment. Try again in a few seconds.",
        Code::NotFound => "The link may be incomplete, or what it led to is gone.",
        Code::CsrfMismatch => "This form was not sent by a page of this shop. Open the page again here, and repeat.",
        Code::TooLarge => "That is more than one form may send. Choose fewer places at once.",
        Code::InvalidRequest => "Something in the form did not fit. Check it, and send it again.",
        _ => OTHER_REFUSAL,
    };
    text.to_owned()
}

fn limit_sentence(name: &str, most: Option<u64>) -> String {
    let Some(most) = most else { return "That is more than one buyer may have.".to_owned() };
    match name {
        limits::PLACES_PER_HOLD => format!("At most {most} places at once."),
        limits::PLACES_PER_SESSION => {
            format!("One buyer may have at most {most} places here. What you hold and what you ordered counts.")
        }
        limits::OPEN_HOLDS => {
            "You have reserved places many times over. Buy them or give them back first: see “My tickets”.".to_owned()
        }
        limits::TICKETS_PER_HOLD_MIN => format!("This ticket type is sold from {most} tickets on."),
        limits::TICKETS_PER_HOLD_MAX => format!("At most {most} tickets of this type at once."),
        limits::PAYMENT_ATTEMPTS => {
            "This order was tried too often. Its places are let go when its time is over.".to_owned()
        }
        limits::TICKETS_PER_BUYER_MAX => {
            format!("One buyer may have at most {most} tickets of this type, over all orders.")
        }
        limits::CODE_USES => {
            "This promo code was used as often as it may be. Take it off, or use another one.".to_owned()
        }
        limits::CODE_USES_PER_BUYER => {
            "You have used this promo code as often as one buyer may. Take it off, or use another one.".to_owned()
        }
        limits::PLACES_PER_ADDRESS => {
            "Too many places are held over your internet connection. Try again in a few minutes.".to_owned()
        }
        _ => format!("That is more than one buyer may have: at most {most}."),
    }
}

/// The sentence for an invalid field; of the domain's details only those of promo codes are written for buyers.
fn field_sentence(field: &str, detail: &str) -> String {
    let text = match form_field_name(field) {
        "code" => return detail.replace('`', "“"),
        "name" => "Write your name on one line, in at most 120 characters.",
        "email" => "Write an e-mail address such as ann@example.org.",
        "method" => "Choose how you want to pay.",
        "quantity" | "qty" => "Write how many you want, as a whole number from 1.",
        "accessible" | "companions" => "There are more special seats in it than people. Check the numbers.",
        "ticket_type" => "This ticket type is not sold for these places. Choose another one.",
        "area" => "Choose one of the areas of this event.",
        "place" => "This place is not for sale. Choose another one.",
        "items" => "Choose at least one place first.",
        _ => return code_sentence(Code::InvalidRequest, None),
    };
    text.to_owned()
}

/// The form's name of a request's field: `buyer.name` is `name`, `items[2].place` is `place`.
pub fn form_field_name(field: &str) -> &str {
    match field.rsplit('.').next().unwrap_or(field) {
        "payment" | "provider" | "method" => "method",
        last if last.starts_with("items[") || last.starts_with("remove[") => "place",
        last => last,
    }
}

/// The sentences for scripts by code or limit; `{most}` is replaced by the size of the limit.
pub fn sentences_for_scripts() -> &'static BTreeMap<&'static str, String> {
    static SENTENCES: LazyLock<BTreeMap<&str, String>> = LazyLock::new(all_sentences);
    &SENTENCES
}

fn all_sentences() -> BTreeMap<&'static str, String> {
    let plain = Code::ALL.iter().map(|code| (code.as_str(), code_sentence(*code, None)));
    // No limit is that large, so the replacement finds only the number itself.
    let limits = LIMITS
        .iter()
        .map(|name| (*name, limit_sentence(name, Some(u64::MAX)).replace(&u64::MAX.to_string(), LIMIT_PLACEHOLDER)));
    plain.chain(limits).chain([("", OTHER_REFUSAL.to_owned())]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MACHINE: &[&str] =
        &["idempotency", "node", "`", "deserialize", "json", "header", "items[", "request", "T10:"];

    #[test]
    fn sentence_of_each_code_has_no_words_of_programs() {
        let for_programs = Code::ALL.iter().filter(|code| **code != Code::AccessiblePlace);
        for code in for_programs {
            let refusal = Refusal::new(*code, "Failed to deserialize query string: `node` of Idempotency-Key.");
            let said = sentence(&refusal, "Africa/Johannesburg");
            assert!(MACHINE.iter().all(|word| !said.to_lowercase().contains(word)), "{code:?}: {said}");
            assert!(said.ends_with('.') && said.len() > 20, "{code:?}: {said}");
        }
    }

    #[test]
    fn each_limit_of_a_buyer_has_its_own_sentence() {
        let other = limit_sentence("anything_max", Some(7));
        let sentences_for_scripts = sentences_for_scripts();
        for name in LIMITS {
            let said = limit_sentence(name, Some(7));
            assert_ne!(said, other, "{name}");
            assert_eq!(sentences_for_scripts[name].replace(LIMIT_PLACEHOLDER, "7"), said, "{name}");
        }
    }

    #[test]
    fn refusal_of_wheelchair_spaces_lists_the_places() {
        let refusal = Refusal::new(Code::AccessiblePlace, "Kept for wheelchair users: Stalls A 1.");
        assert_eq!(sentence(&refusal, "UTC"), "Kept for wheelchair users: Stalls A 1.");
    }

    #[test]
    fn sentence_of_an_invalid_field_says_what_to_write_there() {
        for (field, words) in [
            ("buyer.name", "name"),
            ("buyer.email", "e-mail"),
            ("payment.method", "pay"),
            ("items[3].quantity", "how many"),
            ("items[0].ticket_type", "ticket type"),
            ("items[1].place", "not for sale"),
            ("accessible", "special seats"),
            ("anything.else", "Check it"),
        ] {
            let said = sentence(&Refusal::invalid(field, "Must be <machine>."), "UTC");
            assert!(said.contains(words) && !said.contains("machine"), "{field}: {said}");
        }
        let code = Refusal::invalid("code", "This code is not for the chosen tickets.");
        assert_eq!(sentence(&code, "UTC"), "This code is not for the chosen tickets.");
    }

    #[test]
    fn sentence_has_the_size_of_a_limit_and_the_local_time_of_a_moment() {
        let opens = Refusal::new(Code::SaleClosed, "The sale opens at 2026-11-14T08:00:00Z.")
            .with(|evidence| evidence.opens_at = "2026-11-14T08:00:00Z".parse().ok());
        assert_eq!(sentence(&opens, "Africa/Johannesburg"), "The sale opens on Saturday 14 November 2026, 10:00 SAST.");
        assert_eq!(sentence(&Refusal::limit("places_per_hold", 6, "x"), "UTC"), "At most 6 places at once.");
        assert!(sentence(&Refusal::limit("anything_max", 3, "x"), "UTC").ends_with("at most 3."));
        assert_eq!(sentences_for_scripts()["places_per_hold"], "At most {most} places at once.");
    }
}
