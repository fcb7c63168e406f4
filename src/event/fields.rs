//! Members of JSON objects that no type describes.

use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::value::RawValue;

use super::error::FieldError;
use super::wire::{Object, Part};

/// Members of a JSON object by name, in their order, each value in its own text.
#[derive(Clone, Debug, Default)]
pub struct Fields(Vec<(String, Box<RawValue>)>);

impl Fields {
    /// No member.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The value of a member, as JSON.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&RawValue> {
        self.iter().find(|(known, _)| *known == name).map(|(_, value)| value)
    }

    /// Sets a member, which keeps its place when there is one of that name. Fails when `value` has
    /// no form in JSON.
    pub fn set(
        &mut self,
        name: impl Into<String>,
        value: &(impl Serialize + ?Sized),
    ) -> Result<(), serde_json::Error> {
        let (name, value) = (name.into(), serde_json::value::to_raw_value(value)?);
        match self.0.iter_mut().find(|(known, _)| *known == name) {
            Some((_, old)) => *old = value,
            None => self.0.push((name, value)),
        }
        Ok(())
    }

    /// The members in their order.
    #[must_use]
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &RawValue)> {
        self.0.iter().map(|(name, value)| (name.as_str(), &**value))
    }

    /// Is there no member?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Equal when names, order and the values' own texts are.
impl PartialEq for Fields {
    fn eq(&self, other: &Self) -> bool {
        let same = |(a, b): ((&str, &RawValue), (&str, &RawValue))| a.0 == b.0 && a.1.get() == b.1.get();
        self.0.len() == other.0.len() && self.iter().zip(other.iter()).all(same)
    }
}

impl Eq for Fields {}

impl Serialize for Fields {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        Self::read(&raw).map_err(de::Error::custom)
    }
}

impl<'a> FromIterator<(String, &'a RawValue)> for Fields {
    fn from_iter<I: IntoIterator<Item = (String, &'a RawValue)>>(members: I) -> Self {
        Self(members.into_iter().map(|(name, value)| (name, value.to_owned())).collect())
    }
}

impl Part for Fields {
    fn read(raw: &RawValue) -> Result<Self, FieldError> {
        Ok(Object::read(raw)?.rest())
    }
}
