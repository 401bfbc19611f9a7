//! One layer as a source of the `config` library.

use config::{ConfigError, Map, Source, Value, ValueKind};
use serde::Serialize;
use serde_json::Value as Json;

/// What one layer says, each value marked with the layer's number.
///
/// The mark is what `config` calls the origin of a value. It is a text, so that a path that is none would not come back from it.
#[derive(Clone, Debug)]
pub(crate) struct LayerSource(Map<String, Value>);

impl LayerSource {
    /// Of what this layer says. A field that is `None` says nothing.
    ///
    /// Not `config::Config::try_from`: for that an empty list is no value, and one that is `None` hides what lower layers say.
    pub(crate) fn new<L: Serialize>(number: usize, layer: &L) -> Result<Self, ConfigError> {
        let said =
            serde_json::to_value(layer).map_err(|error| ConfigError::Foreign(Box::new(error)))?;
        let Json::Object(said) = said else {
            return Err(ConfigError::Message("no keys".to_owned()));
        };
        let mark = number.to_string();
        let values = said
            .into_iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(key, value)| (key, marked(&mark, value)));
        Ok(Self(values.collect()))
    }
}

/// The number of the layer that a value is from.
pub(crate) fn number_of(value: &Value) -> Option<usize> {
    value.origin()?.parse().ok()
}

impl Source for LayerSource {
    fn clone_into_box(&self) -> Box<dyn Source + Send + Sync> {
        Box::new(self.clone())
    }

    fn collect(&self) -> Result<Map<String, Value>, ConfigError> {
        Ok(self.0.clone())
    }
}

fn marked(mark: &String, value: Json) -> Value {
    let kind = match value {
        Json::Null => ValueKind::Nil,
        Json::Bool(value) => ValueKind::Boolean(value),
        Json::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(number), _) => ValueKind::I64(number),
            (None, Some(number)) => ValueKind::U64(number),
            (None, None) => ValueKind::Float(number.as_f64().unwrap_or(f64::NAN)),
        },
        Json::String(text) => ValueKind::String(text),
        Json::Array(all) => {
            ValueKind::Array(all.into_iter().map(|value| marked(mark, value)).collect())
        }
        Json::Object(all) => ValueKind::Table(
            all.into_iter()
                .map(|(key, value)| (key, marked(mark, value)))
                .collect(),
        ),
    };
    Value::new(Some(mark), kind)
}
