//! Deserializes the JSON leniently: a value of a wrong type is reported where it is used, so that all faults of a file are found at once.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// A field that is not in the shape.
pub(super) type Field = (String, Loose);

/// A JSON value of any type; objects are not kept.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Loose {
    Null,
    Bool(bool),
    Number(f64),
    Text(String),
    List(Vec<Loose>),
    Object,
}

impl Loose {
    /// A text, or a whole number as text.
    pub fn text(self) -> Option<String> {
        match self {
            Self::Text(text) => Some(text),
            Self::Number(number) if number.fract() == 0.0 && number.abs() < 1e15 => Some(format!("{number:.0}")),
            _ => None,
        }
    }

    /// A number; `None` for a text.
    pub const fn number(&self) -> Option<f32> {
        match self {
            Self::Number(number) => Some(*number as f32),
            _ => None,
        }
    }

    /// A whole number of at least 1.
    pub fn whole(&self) -> Option<u32> {
        let number = match self {
            Self::Number(number) => *number,
            Self::Text(text) => text.trim().parse().ok()?,
            _ => return None,
        };
        (number.fract() == 0.0 && (1.0..=1e9).contains(&number)).then_some(number as u32)
    }
}

impl<'de> Deserialize<'de> for Loose {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Loose;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("any value")
            }
            fn visit_unit<E>(self) -> Result<Loose, E> {
                Ok(Loose::Null)
            }
            fn visit_bool<E>(self, value: bool) -> Result<Loose, E> {
                Ok(Loose::Bool(value))
            }
            fn visit_u64<E>(self, number: u64) -> Result<Loose, E> {
                Ok(Loose::Number(number as f64))
            }
            fn visit_i64<E>(self, number: i64) -> Result<Loose, E> {
                Ok(Loose::Number(number as f64))
            }
            fn visit_f64<E>(self, number: f64) -> Result<Loose, E> {
                Ok(Loose::Number(number))
            }
            fn visit_str<E>(self, text: &str) -> Result<Loose, E> {
                Ok(Loose::Text(text.to_owned()))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Loose, A::Error> {
                let mut items = Vec::new();
                while let Some(item) = list.next_element()? {
                    items.push(item);
                }
                Ok(Loose::List(items))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Loose, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Loose::Object)
            }
        }
        deserializer.deserialize_any(Any)
    }
}

/// Declares an object with optional fields, a pattern of ignored fields, and `extra` with all other fields.
macro_rules! shape {
    ($Name:ident { $($field:ident: $kind:ty,)* } ignored $ignored:pat) => {
        #[derive(Debug, Default)]
        pub(super) struct $Name {
            $(pub $field: Option<$kind>,)*
            pub extra: Vec<Field>,
        }

        impl<'de> Deserialize<'de> for $Name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Fields;
                impl<'de> Visitor<'de> for Fields {
                    type Value = $Name;
                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str("an object")
                    }
                    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<$Name, A::Error> {
                        let mut found = $Name::default();
                        while let Some(key) = map.next_key::<String>()? {
                            match key.as_str() {
                                $(stringify!($field) => found.$field = map.next_value()?,)*
                                $ignored => { map.next_value::<IgnoredAny>()?; }
                                _ => { let value = map.next_value()?; found.extra.push((key, value)); }
                            }
                        }
                        Ok(found)
                    }
                }
                deserializer.deserialize_map(Fields)
            }
        }
    };
}

shape!(Plan { zones: Vec<Zone>, categories: Vec<Category>, } ignored "name" | "size" | "uuid" | "version");
shape!(Category { name: Loose, } ignored "color" | "uuid");
shape!(Zone {
    name: Loose, position: Place, rows: Vec<Row>, areas: Vec<Drawing>, row_label: Loose, seat_label: Loose, capacity: Loose,
} ignored "zone_id" | "uuid" | "color");
shape!(Row {
    row_number: Loose, row_label: Loose, seat_label: Loose, position: Place, seats: Vec<Seat>,
} ignored "row_number_position" | "uuid");
shape!(Seat { seat_guid: Loose, seat_number: Loose, position: Place, category: Loose, } ignored "uuid" | "radius" | "color" | "rotation");
shape!(Place { x: Loose, y: Loose, } ignored "z");
shape!(Drawing {
    shape: Loose, text: Caption, name: Loose, label: Loose, capacity: Loose, category: Loose, position: Place, rotation: Loose, rectangle: Sides, polygon: Corners,
} ignored "uuid" | "color" | "border_color");
shape!(Sides { width: Loose, height: Loose, } ignored "uuid");
shape!(Corners { points: Vec<Place>, } ignored "uuid");

/// The text on a drawing: a string, or an object with a `text`.
#[derive(Debug, Default)]
pub(super) struct Caption(pub String);

impl<'de> Deserialize<'de> for Caption {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Words;
        impl<'de> Visitor<'de> for Words {
            type Value = Caption;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text, or an object with a `text`")
            }
            fn visit_str<E>(self, text: &str) -> Result<Caption, E> {
                Ok(Caption(text.to_owned()))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Caption, A::Error> {
                let mut caption = String::new();
                while let Some(key) = map.next_key::<String>()? {
                    if key == "text" {
                        caption = map.next_value::<Loose>()?.text().unwrap_or_default();
                    } else {
                        map.next_value::<IgnoredAny>()?;
                    }
                }
                Ok(Caption(caption))
            }
        }
        deserializer.deserialize_any(Words)
    }
}
