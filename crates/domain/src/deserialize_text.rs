//! Deserializes a value from a JSON string through its `FromStr`, without copying the string.

use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use serde::de::{Deserializer, Error, Visitor};

/// Reads a string and parses it; the error is the one of `FromStr`.
pub(crate) fn deserialize_text<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr<Err: fmt::Display>,
{
    deserializer.deserialize_str(ParseVisitor(PhantomData))
}

struct ParseVisitor<T>(PhantomData<T>);

impl<T: FromStr<Err: fmt::Display>> Visitor<'_> for ParseVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(E::custom)
    }
}

#[cfg(test)]
mod tests {
    use crate::ids::{HoldId, OrderId};
    use crate::time::Timestamp;

    #[test]
    fn borrowed_escaped_and_streamed_strings_are_parsed_and_other_json_is_refused() {
        let hold: HoldId = "hold_0192f0c1a2b37c4d8e5f60718293a4b5".parse().unwrap();
        for written in [r#""hold_0192f0c1a2b37c4d8e5f60718293a4b5""#, r#""\u0068old_0192f0c1a2b37c4d8e5f60718293a4b5""#]
        {
            assert_eq!(serde_json::from_str::<HoldId>(written).unwrap(), hold, "{written}");
            assert_eq!(serde_json::from_reader::<_, HoldId>(written.as_bytes()).unwrap(), hold, "{written}");
        }
        assert_eq!(serde_json::to_string(&hold).unwrap(), format!("\"{hold}\""));
        let number = serde_json::from_str::<Timestamp>("7").unwrap_err().to_string();
        assert!(number.contains("expected a string"), "{number}");
        let another = serde_json::from_str::<OrderId>(&format!("\"{hold}\"")).unwrap_err().to_string();
        assert!(another.contains("starts with `ord_`"), "{another}");
    }
}
