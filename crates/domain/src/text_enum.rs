//! Declares enums whose variants have one stable text each, used in stores, JSON and messages alike.
//!
//! Never: a changed text without a migration of the stores.
//! To add a variant: one line in its list; the compiler then points to every `match`, and each store's check constraint needs the text.

/// A stored or sent text that names no variant. This is a fault, because the data is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown text `{text}` for a {kind}")]
pub struct UnknownText {
    /// The kind of enum, e.g. `order`.
    pub kind: &'static str,
    /// The text that names no variant.
    pub text: String,
}

/// Declares an enum with `ALL`, `as_str`, `parse`, `Display`, `FromStr`, and the same texts in JSON.
macro_rules! text_enum {
    (
        $(#[$doc:meta])*
        $kind:literal $Name:ident { $($(#[$v_doc:meta])* $v:ident = $text:literal,)+ }
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        pub enum $Name { $($(#[$v_doc])* #[serde(rename = $text)] $v,)+ }

        impl $Name {
            /// Every variant.
            pub const ALL: &'static [Self] = &[$(Self::$v,)+];

            /// The stable text in stores and for clients.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$v => $text,)+ }
            }

            /// The variant that `text` names.
            ///
            /// # Errors
            /// [`UnknownText`](crate::text_enum::UnknownText) where no variant has this text.
            pub fn parse(text: &str) -> Result<Self, $crate::text_enum::UnknownText> {
                match text {
                    $($text => Ok(Self::$v),)+
                    _ => Err($crate::text_enum::UnknownText { kind: $kind, text: text.to_owned() }),
                }
            }
        }

        impl std::fmt::Display for $Name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl std::str::FromStr for $Name {
            type Err = $crate::text_enum::UnknownText;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::parse(text)
            }
        }
    };
}
pub(crate) use text_enum;

#[cfg(test)]
mod tests {
    use super::UnknownText;

    text_enum! {
        /// Two colours.
        "colour" Colour {
            /// Like blood.
            Red = "red",
            /// Like the sea.
            DeepBlue = "deep_blue",
        }
    }

    #[test]
    fn text_of_each_variant_round_trips_through_parse_and_json() {
        for colour in Colour::ALL {
            assert_eq!(Colour::parse(colour.as_str()), Ok(*colour));
            assert_eq!(colour.to_string().parse(), Ok(*colour));
            assert_eq!(serde_json::to_string(colour).unwrap(), format!("\"{colour}\""));
        }
        assert_eq!(Colour::DeepBlue.as_str(), "deep_blue");
    }

    #[test]
    fn text_of_no_variant_is_refused() {
        for text in ["", "Red", "red ", "deepblue"] {
            assert_eq!(Colour::parse(text), Err(UnknownText { kind: "colour", text: text.to_owned() }));
            assert!(serde_json::from_str::<Colour>(&format!("\"{text}\"")).is_err());
        }
        assert_eq!(Colour::parse("x").unwrap_err().to_string(), "unknown text `x` for a colour");
    }
}
