//! Enums whose variants have one stable text, shared by stores, clients and people.
//!
//! Never: a variant without a text, two texts for one variant. Changing a text is a migration.
//! To add a variant: one line in its list; every `match` and every store's check then asks for it.

/// A store or a client holds a text that names nothing of this kind: a fault of the data, never a refusal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown text `{text}` for a {kind}")]
pub struct UnknownName {
    /// What was expected, e.g. `order`.
    pub kind: &'static str,
    /// What was there instead.
    pub text: String,
}

/// Declares such an enum: `ALL`, `as_str`, `parse`, `Display`, `FromStr`, and the same texts in JSON.
macro_rules! named {
    (
        $(#[$doc:meta])*
        $kind:literal $Name:ident { $($(#[$v_doc:meta])* $v:ident = $text:literal,)+ }
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        pub enum $Name { $($(#[$v_doc])* #[serde(rename = $text)] $v,)+ }

        impl $Name {
            /// Every one there is.
            pub const ALL: &'static [Self] = &[$(Self::$v,)+];

            /// The stable text, as stores and clients know it.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$v => $text,)+ }
            }

            /// The one that `text` names.
            ///
            /// # Errors
            /// [`UnknownName`](crate::named::UnknownName) where there is none.
            pub fn parse(text: &str) -> Result<Self, $crate::named::UnknownName> {
                match text {
                    $($text => Ok(Self::$v),)+
                    _ => Err($crate::named::UnknownName { kind: $kind, text: text.to_owned() }),
                }
            }
        }

        impl std::fmt::Display for $Name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl std::str::FromStr for $Name {
            type Err = $crate::named::UnknownName;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::parse(text)
            }
        }
    };
}
pub(crate) use named;

#[cfg(test)]
mod tests {
    use super::UnknownName;

    named! {
        /// Two colours.
        "colour" Colour {
            /// Like blood.
            Red = "red",
            /// Like the sea.
            DeepBlue = "deep_blue",
        }
    }

    #[test]
    fn texts_round_trip_everywhere() {
        for colour in Colour::ALL {
            assert_eq!(Colour::parse(colour.as_str()), Ok(*colour));
            assert_eq!(colour.to_string().parse(), Ok(*colour));
            assert_eq!(serde_json::to_string(colour).unwrap(), format!("\"{colour}\""));
        }
        assert_eq!(Colour::DeepBlue.as_str(), "deep_blue");
    }

    #[test]
    fn other_texts_name_nothing() {
        for text in ["", "Red", "red ", "deepblue"] {
            assert_eq!(Colour::parse(text), Err(UnknownName { kind: "colour", text: text.to_owned() }));
            assert!(serde_json::from_str::<Colour>(&format!("\"{text}\"")).is_err());
        }
        assert_eq!(Colour::parse("x").unwrap_err().to_string(), "unknown text `x` for a colour");
    }
}
