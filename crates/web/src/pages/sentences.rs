//! What a refusal means, in a buyer's words: one sentence per code, and per field of the shop's forms.
//!
//! Never: the detail that programs get, except about a promo code and about wheelchair spaces, which are written for people. To add a code: a line in [`of_code`].

use std::collections::BTreeMap;
use std::sync::LazyLock;

use voelgoed_domain::refusal::{Code, Evidence, LimitHit, Refusal};
use voelgoed_domain::ticketing::limits;

use super::text::Moment;

/// Said of every refusal without a sentence of its own.
const OTHER: &str = "That was not possible. Nothing was changed. Load the page again and repeat it.";
/// Stands for the size of a limit in sentences that scripts fill in.
const MOST: &str = "{most}";

/// Every limit that a buyer can reach, by its stable name.
const LIMITS: &[&str] = &[
    limits::PLACES_PER_HOLD,
    limits::PLACES_PER_SESSION,
    limits::PLACES_PER_ADDRESS,
    limits::MIN_PER_HOLD,
    limits::MAX_PER_HOLD,
    limits::MAX_PER_BUYER,
    limits::CODE_USES,
    limits::CODE_USES_PER_BUYER,
    limits::OPEN_HOLDS,
    limits::PAYMENT_ATTEMPTS,
];

/// The sentence for a refusal; moments are told in the event's time zone.
pub fn sentence(refusal: &Refusal, timezone: &str) -> String {
    let Evidence { field, limit, opens_at, .. } = &*refusal.evidence;
    match (refusal.code, field.as_deref(), opens_at) {
        (Code::SaleClosed, _, Some(at)) => {
            let at = Moment::new(*at, timezone);
            format!("The sale opens on {}, {} {}.", at.date(), at.clock(), at.zone())
        }
        (Code::InvalidRequest, Some(field), _) => of_field(field, &refusal.detail),
        // The detail names the places.
        (Code::AccessiblePlace, ..) => refusal.detail.clone(),
        (code, ..) => of_code(code, limit.as_ref()),
    }
}

/// The sentence for a code, as error pages show it too.
pub fn of_code(code: Code, limit: Option<&LimitHit>) -> String {
    let text = match code {
        Code::LimitReached => return of_limit(limit.map_or("", |limit| limit.name), limit.map(|limit| limit.most)),
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
        _ => OTHER,
    };
    text.to_owned()
}

fn of_limit(name: &str, most: Option<u64>) -> String {
    let Some(most) = most else { return "That is more than one buyer may have.".to_owned() };
    match name {
        limits::PLACES_PER_HOLD => format!("At most {most} places at once."),
        limits::PLACES_PER_SESSION => {
            format!("One buyer may have at most {most} places here. What you hold and what you ordered counts.")
        }
        limits::OPEN_HOLDS => {
            "You have reserved places many times over. Buy them or give them back first: see “My tickets”.".to_owned()
        }
        limits::MIN_PER_HOLD => format!("This ticket type is sold from {most} tickets on."),
        limits::MAX_PER_HOLD => format!("At most {most} tickets of this type at once."),
        limits::PAYMENT_ATTEMPTS => {
            "This order was tried too often. Its places are let go when its time is over.".to_owned()
        }
        limits::MAX_PER_BUYER => format!("One buyer may have at most {most} tickets of this type, over all orders."),
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

/// What was typed into which field; `detail` is the domain's word, in which only a promo code's reasons are for buyers.
fn of_field(field: &str, detail: &str) -> String {
    let text = match form_field(field) {
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
        _ => return of_code(Code::InvalidRequest, None),
    };
    text.to_owned()
}

/// The form's name of a request's field: `buyer.name` is `name`, `items[2].place` is `place`.
pub fn form_field(field: &str) -> &str {
    match field.rsplit('.').next().unwrap_or(field) {
        "payment" | "provider" | "method" => "method",
        last if last.starts_with("items[") || last.starts_with("remove[") => "place",
        last => last,
    }
}

/// The sentences for scripts, by code; `{most}` stands for the size of the limit.
pub fn for_scripts() -> &'static BTreeMap<&'static str, String> {
    static SENTENCES: LazyLock<BTreeMap<&str, String>> = LazyLock::new(every_sentence);
    &SENTENCES
}

fn every_sentence() -> BTreeMap<&'static str, String> {
    let plain = Code::ALL.iter().map(|code| (code.as_str(), of_code(*code, None)));
    // No limit has this size, so that only its place in the sentence is found.
    let limits = LIMITS.iter().map(|name| (*name, of_limit(name, Some(u64::MAX)).replace(&u64::MAX.to_string(), MOST)));
    plain.chain(limits).chain([("", OTHER.to_owned())]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MACHINE: &[&str] =
        &["idempotency", "node", "`", "deserialize", "json", "header", "items[", "request", "T10:"];

    #[test]
    fn no_sentence_is_for_programs() {
        let for_programs = Code::ALL.iter().filter(|code| **code != Code::AccessiblePlace);
        for code in for_programs {
            let refusal = Refusal::new(*code, "Failed to deserialize query string: `node` of Idempotency-Key.");
            let said = sentence(&refusal, "Africa/Johannesburg");
            assert!(MACHINE.iter().all(|word| !said.to_lowercase().contains(word)), "{code:?}: {said}");
            assert!(said.ends_with('.') && said.len() > 20, "{code:?}: {said}");
        }
    }

    #[test]
    fn every_limit_of_a_buyer_has_its_sentence() {
        let other = of_limit("anything_max", Some(7));
        let for_scripts = for_scripts();
        for name in LIMITS {
            let said = of_limit(name, Some(7));
            assert_ne!(said, other, "{name}");
            assert_eq!(for_scripts[name].replace(MOST, "7"), said, "{name}");
        }
    }

    #[test]
    fn wheelchair_spaces_are_named() {
        let refusal = Refusal::new(Code::AccessiblePlace, "Kept for wheelchair users: Stalls A 1.");
        assert_eq!(sentence(&refusal, "UTC"), "Kept for wheelchair users: Stalls A 1.");
    }

    #[test]
    fn a_sentence_names_what_is_wrong_with_which_field() {
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
    fn limits_and_moments_are_told_as_people_read_them() {
        let opens = Refusal::new(Code::SaleClosed, "The sale opens at 2026-11-14T08:00:00Z.")
            .with(|evidence| evidence.opens_at = "2026-11-14T08:00:00Z".parse().ok());
        assert_eq!(sentence(&opens, "Africa/Johannesburg"), "The sale opens on Saturday 14 November 2026, 10:00 SAST.");
        assert_eq!(sentence(&Refusal::limit("places_per_hold", 6, "x"), "UTC"), "At most 6 places at once.");
        assert!(sentence(&Refusal::limit("anything_max", 3, "x"), "UTC").ends_with("at most 3."));
        assert_eq!(for_scripts()["places_per_hold"], "At most {most} places at once.");
    }
}
