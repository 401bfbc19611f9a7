//! Objects of JSON and mappings of YAML, and nothing else in their place.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};

/// A value that was written as an object. A derived `Deserialize` alone also takes a list of the fields' values.
///
/// ```
/// # use domain::object::Object;
/// # #[derive(serde::Deserialize)]
/// # struct Order { user: String }
/// assert!(serde_json::from_str::<Order>(r#"["jane"]"#).is_ok());
/// assert!(serde_json::from_str::<Object<Order>>(r#"["jane"]"#).is_err());
/// assert!(serde_json::from_str::<Object<Order>>(r#"{"user": "jane"}"#).is_ok());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Object<T>(pub T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Fields(PhantomData))
    }
}

struct Fields<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Fields<T> {
    type Value = Object<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of named fields")
    }

    fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<Self::Value, A::Error> {
        T::deserialize(MapAccessDeserializer::new(fields)).map(Object)
    }
}
