//! Parses numbers with the decimal and grouping separators of many countries, as spreadsheets write them.

/// The number, and whether it has a decimal comma.
pub(super) fn parse_number(text: &str) -> Option<(f32, bool)> {
    let plain: String = text
        .chars()
        .filter(|c| !c.is_whitespace() && !matches!(c, '\u{2019}' | '\''))
        .map(|c| if c == '\u{2212}' { '-' } else { c })
        .collect();
    if let Ok(value) = plain.parse::<f32>() {
        return Some((value, false));
    }
    // The last separator is the decimal one; the others group digits by three.
    let at = plain.rfind([',', '.'])?;
    let (whole, fraction) = (&plain[..at], &plain[at + 1..]);
    let comma = plain.as_bytes().get(at) == Some(&b',');
    let grouping = if comma { '.' } else { ',' };
    let mut groups = whole.trim_start_matches(['-', '+']).split(grouping);
    let first = groups.next().unwrap_or_default();
    let grouped: Vec<&str> = groups.collect();
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let fits = digits(first) && digits(fraction) && grouped.iter().all(|group| group.len() == 3 && digits(group));
    let fits = fits && (grouped.is_empty() || (1..=3).contains(&first.len()));
    let joined = format!("{}.{fraction}", whole.replace(grouping, ""));
    let value = fits.then(|| joined.parse().ok())?;
    Some((value?, comma))
}

#[cfg(test)]
mod tests {
    use super::parse_number;

    #[test]
    fn decimal_and_grouping_separators_of_many_countries_are_parsed() {
        for (text, expected) in [
            ("0", Some((0.0, false))),
            ("-1.5", Some((-1.5, false))),
            ("1e2", Some((100.0, false))),
            ("0,5", Some((0.5, true))),
            ("-12,25", Some((-12.25, true))),
            (",5", Some((0.5, true))),
            ("1.234,5", Some((1234.5, true))),
            ("1,234.5", Some((1234.5, false))),
            ("1 234,5", Some((1234.5, true))),
            ("1'234.5", Some((1234.5, false))),
            ("\u{2212}3", Some((-3.0, false))),
            ("-1.234,5", Some((-1234.5, true))),
            ("+5,5", Some((5.5, true))),
            ("12.345.678,5", Some((12_345_678.5, true))),
            ("123,456.5", Some((123_456.5, false))),
            ("1234,5", Some((1234.5, true))),
            ("1234,567.5", None),
            (",234.5", None),
            ("1,23.5", None),
            ("1,2x4.5", None),
            ("1x,5", None),
            ("1,5x", None),
            ("1,2,3", None),
            ("1.2.3,4", None),
            ("one", None),
            ("", None),
            (",", None),
            ("1;2", None),
        ] {
            assert_eq!(parse_number(text), expected, "{text:?}");
        }
    }
}
