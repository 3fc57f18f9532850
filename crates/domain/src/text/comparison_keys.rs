//! Derives the keys by which names and promo codes are compared, so that case, width and look-alike characters make no difference.

use unicode_normalization::UnicodeNormalization;
use unicode_security::skeleton;

use super::characters::{is_blank, is_invisible};

/// The key by which names are compared: case-folded, without compatibility forms and invisible characters.
#[must_use]
pub fn folded(text: &str) -> String {
    let compatible = text.trim().nfkc().filter(|c| !is_invisible(*c));
    compatible.flat_map(char::to_uppercase).flat_map(char::to_lowercase).nfc().collect()
}

/// The key by which promo codes are compared: [`folded`], without blanks, and with look-alike characters replaced by one of them.
#[must_use]
pub fn promo_code_key(text: &str) -> String {
    let folded: String = folded(text).chars().filter(|c| !is_blank(*c) && !c.is_control()).collect();
    visual_key(&folded)
}

/// True where a person could mistake one code for the other, in small or in capital letters.
#[must_use]
pub fn looks_alike(one: &str, other: &str) -> bool {
    let capital = |text: &str| visual_key(&folded(text).to_uppercase());
    promo_code_key(one) == promo_code_key(other) || capital(one) == capital(other)
}

/// Replaces look-alikes by one of them (Unicode TS 39 skeleton). A capital `I` looks like `l` and `1`; codes have no case, so `i` counts as these too.
fn visual_key(text: &str) -> String {
    let alike: String = skeleton(text).flat_map(char::to_lowercase).collect();
    skeleton(&alike).flat_map(char::to_lowercase).map(|c| if c == 'i' { 'l' } else { c }).collect()
}
