//! Parses values of the command line; each error says what is allowed and shows an example, and clap adds the flag and the value.

use std::net::SocketAddr;

use url::Url;
use voelgoed_domain::accounts::names;
use voelgoed_domain::accounts::scope::Scope;
use voelgoed_domain::money::Currency;
use voelgoed_domain::time_zone;

/// A price in minor units.
pub fn minor_units(text: &str) -> Result<i64, String> {
    let amount: Option<i64> = text.trim().parse().ok();
    amount.filter(|amount| *amount >= 0).ok_or_else(|| {
        let example = major_units(text).map_or_else(String::new, |amount| format!(": {amount} for {text}"));
        format!("a price is a whole number of minor units, such as 4500 for 45.00{example}")
    })
}

/// The minor units of `45.00` or `45,00` in a currency of two decimals.
fn major_units(text: &str) -> Option<i64> {
    let (whole, cents) = text.trim().split_once(['.', ','])?;
    let whole: i64 = whole.parse().ok()?;
    let cents: i64 = (cents.len() == 2).then(|| cents.parse().ok())??;
    whole.checked_mul(100)?.checked_add(cents)
}

/// `CATEGORY=MINOR_UNITS`. A seating plan may have categories with `=` in their names, so the last `=` separates; an unknown category is refused later.
pub fn category_price(text: &str) -> Result<(String, i64), String> {
    let Some((category, amount)) = text.rsplit_once('=') else {
        return Err("expected CATEGORY=MINOR_UNITS, such as Balcony=3000".to_owned());
    };
    if category.trim().is_empty() {
        return Err(
            "the category before the `=` is empty; expected CATEGORY=MINOR_UNITS, such as Balcony=3000".to_owned()
        );
    }
    Ok((category.trim().to_owned(), minor_units(amount)?))
}

/// `NAME=CAPACITY` of a standing area. The name is new, so a second `=` is more likely a mistake than a part of it.
pub fn standing_area(text: &str) -> Result<(String, u32), String> {
    const EXPECTED: &str = "expected NAME=CAPACITY with a capacity of at least 1, such as Floor=300";
    if text.matches('=').count() > 1 {
        return Err(format!("{EXPECTED}; a name with `=` is for an area of the file"));
    }
    let parsed = text.split_once('=').and_then(|(name, capacity)| {
        let capacity = capacity.trim().parse().ok().filter(|capacity| *capacity > 0)?;
        Some((name.trim().to_owned(), capacity)).filter(|(name, _)| !name.is_empty())
    });
    parsed.ok_or_else(|| EXPECTED.to_owned())
}

/// A currency's ISO 4217 code in any letter case.
pub fn currency(text: &str) -> Result<Currency, String> {
    let code = text.trim().to_ascii_uppercase();
    Currency::from_code(&code).ok_or_else(|| "a currency is an ISO 4217 code, such as EUR, USD or ZAR".to_owned())
}

/// A scope of a key.
pub fn scope(text: &str) -> Result<Scope, String> {
    Scope::parse(text.trim()).map_err(|_| {
        let known: Vec<_> = Scope::ALL.iter().map(|scope| scope.as_str()).collect();
        format!("a scope is one of {}", known.join(", "))
    })
}

/// The name of a new organization.
pub fn organization_name(text: &str) -> Result<String, String> {
    names::display_name("name", text).map_err(|refusal| refusal.detail)
}

/// The name of a new organization in URLs.
pub fn slug(text: &str) -> Result<String, String> {
    let refused = |detail: String| format!("{detail} Example: my-hall");
    names::slug("slug", text.trim()).map_err(|refusal| refused(refusal.detail))
}

/// An IANA time zone.
pub fn time_zone(text: &str) -> Result<String, String> {
    time_zone::canonical_zone_name(text).map_err(|refusal| refusal.detail)
}

/// Where to listen.
pub fn listen_address(text: &str) -> Result<SocketAddr, String> {
    let expected = "expected ADDRESS:PORT with an IP address, such as 127.0.0.1:8080; port 0 takes any free one";
    text.trim().parse().map_err(|_| expected.to_owned())
}

/// Where a provider calls back.
pub fn http_url(text: &str) -> Result<String, String> {
    let url = Url::parse(text.trim()).ok();
    let is_http = url.is_some_and(|url| ["http", "https"].contains(&url.scheme()) && url.has_host());
    let expected = "expected an http or https URL, such as http://127.0.0.1:8080/api/v1/providers/sandbox/callback";
    is_http.then(|| text.trim().to_owned()).ok_or_else(|| expected.to_owned())
}

/// A factor for delays.
pub fn time_scale(text: &str) -> Result<f64, String> {
    let factor: Option<f64> = text.trim().parse().ok();
    let usable = factor.filter(|factor| factor.is_finite() && *factor >= 0.0);
    usable.ok_or_else(|| "expected a factor of at least 0, such as 0.1 for delays of a tenth".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn price_in_major_units_is_refused_with_the_right_number() {
        assert_eq!(minor_units("4500"), Ok(4_500));
        assert_eq!(minor_units("0"), Ok(0));
        for (text, example) in
            [("45.00", ": 4500 for 45.00"), ("45,50", ": 4550 for 45,50"), ("45.5", ""), ("-1", ""), ("R45", "")]
        {
            let error = minor_units(text).unwrap_err();
            assert!(error.contains("minor units") && error.ends_with(example), "{text}: {error}");
        }
    }

    #[test]
    fn category_price_needs_a_category_and_a_price() {
        assert_eq!(category_price("Stalls = A=3000"), Ok(("Stalls = A".to_owned(), 3_000)));
        for text in ["Balcony", "=3000", "Balcony=30.00", "Balcony="] {
            assert!(category_price(text).is_err(), "{text}");
        }
    }

    #[test]
    fn standing_area_needs_a_name_and_a_capacity() {
        assert_eq!(standing_area(" Floor = 300"), Ok(("Floor".to_owned(), 300)));
        for text in ["Floor", "=300", "Floor=0", "Floor=-1", "Floor=many", "Floor=3=4", "Floor=3=", "==", ""] {
            assert!(standing_area(text).unwrap_err().contains("Floor=300"), "{text}");
        }
    }

    #[test]
    fn currency_is_read_in_any_letter_case_and_scope_names_the_allowed_ones() {
        assert_eq!(currency("eur").unwrap(), Currency::from_code("EUR").unwrap());
        assert!(currency("euro").unwrap_err().contains("EUR, USD or ZAR"));
        assert_eq!(scope("sales"), Ok(Scope::Sales));
        assert!(scope("sale").unwrap_err().contains("admin, catalog, sales"));
    }

    #[test]
    fn values_that_no_store_is_needed_for_are_checked_with_an_example() {
        assert_eq!(slug("my-hall"), Ok("my-hall".to_owned()));
        assert!(slug("My Hall").unwrap_err().ends_with("my-hall"));
        assert!(organization_name(" ").is_err());
        assert_eq!(time_zone("africa/johannesburg"), Ok("Africa/Johannesburg".to_owned()));
        assert!(time_zone("Mars/Olympus").unwrap_err().contains("Africa/Johannesburg"));
        assert!(listen_address("[::1]:0").is_ok());
        assert!(listen_address("localhost:8080").unwrap_err().contains("127.0.0.1:8080"));
        for (text, is_allowed) in [("http://a:1/b", true), ("a:1/b", false), ("http://", false), ("ftp://a", false)] {
            assert_eq!(http_url(text).is_ok(), is_allowed, "{text}");
        }
        for (text, is_allowed) in [("0", true), ("0.5", true), ("-1", false), ("inf", false), ("NaN", false)] {
            assert_eq!(time_scale(text).is_ok(), is_allowed, "{text}");
        }
    }
}
