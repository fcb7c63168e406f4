//! Between JSON and types: objects read field by field, each value from its own text, and written in
//! the schema's order with what is unknown behind.

use std::borrow::Cow;
use std::fmt;

use serde::de::{self, Deserializer, MapAccess, Visitor};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::value::RawValue;

use super::error::FieldError;
use super::fields::Fields;
use crate::unit::Money;

/// A value inside an event.
pub(super) trait Part: Sized + Serialize {
    /// Reads the value from its own text.
    fn read(raw: &RawValue) -> Result<Self, FieldError>;

    /// What a field that is not there stands for; `None`: it has to be there.
    fn absent() -> Option<Self> {
        None
    }

    fn is_absent(&self) -> bool {
        false
    }
}

/// `null` stands for `None`; the field itself has to be there.
impl<P: Part> Part for Option<P> {
    fn read(raw: &RawValue) -> Result<Self, FieldError> {
        if raw.get() == "null" {
            return Ok(None);
        }
        P::read(raw)
            .map(Some)
            .map_err(|error| FieldError { expected: format!("null or {}", error.expected), ..error })
    }
}

impl Part for Money {
    fn read(raw: &RawValue) -> Result<Self, FieldError> {
        raw.get().parse().map_err(|_| FieldError::new(AMOUNT, Some(raw)))
    }
}

/// What an amount of money has to be.
pub(super) const AMOUNT: &str = "an amount of at most two decimals, from 0 to 1000000000000";

/// The text that a JSON string stands for.
pub(super) fn string(raw: &RawValue) -> Option<Cow<'_, str>> {
    match raw.get().strip_prefix('"')?.strip_suffix('"') {
        Some(plain) if !plain.contains('\\') => Some(Cow::Borrowed(plain)),
        _ => serde_json::from_str(raw.get()).ok().map(Cow::Owned),
    }
}

/// The elements of a JSON array.
pub(super) fn elements(raw: &RawValue) -> Option<Vec<&RawValue>> {
    serde_json::from_str(raw.get()).ok()
}

/// An object that is being read: members are taken out by name, and the rest is kept.
pub(super) struct Object<'a> {
    members: Vec<(String, Option<&'a RawValue>)>,
}

impl<'a> Object<'a> {
    pub(super) fn read(raw: &'a RawValue) -> Result<Self, FieldError> {
        if !raw.get().starts_with('{') {
            return Err(FieldError::new("an object", Some(raw)));
        }
        let Members(members) = serde_json::from_str(raw.get())
            .map_err(|_| FieldError::new("an object whose names are Unicode", Some(raw)))?;
        let mut names: Vec<&str> = members.iter().map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        if let Some(pair) = names.windows(2).find(|pair| pair[0] == pair[1]) {
            let second = members.iter().rev().find(|(name, _)| name == pair[0]);
            return Err(FieldError::new("it once", second.map(|(_, value)| *value)).within(pair[0]));
        }
        Ok(Self { members: members.into_iter().map(|(name, value)| (name, Some(value))).collect() })
    }

    pub(super) fn peek(&self, name: &str) -> Option<&'a RawValue> {
        self.members.iter().find(|(known, _)| known == name).and_then(|(_, value)| *value)
    }

    fn remove(&mut self, name: &str) -> Option<&'a RawValue> {
        self.members.iter_mut().find(|(known, _)| known == name).and_then(|(_, value)| value.take())
    }

    /// Takes a member out.
    pub(super) fn take<P: Part>(&mut self, name: &str) -> Result<P, FieldError> {
        match self.remove(name) {
            Some(raw) => P::read(raw).map_err(|error| error.within(name)),
            None => P::absent().ok_or_else(|| FieldError::new("a value", None).within(name)),
        }
    }

    /// Takes a member out that can only be one thing.
    pub(super) fn take_fixed(&mut self, name: &str, fixed: &impl Fixed) -> Result<(), FieldError> {
        let found = self.remove(name);
        if fixed.is(found) {
            return Ok(());
        }
        Err(FieldError::new(fixed.expected(), found).within(name))
    }

    /// What was not taken out.
    pub(super) fn rest(self) -> Fields {
        self.members.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
    }
}

/// The members of an object in their order, the same name twice included.
pub(super) struct Members<'a>(pub(super) Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;

        impl<'de> Visitor<'de> for Collect {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(Collect)
    }
}

/// A value that follows from the event's type or its other fields: checked when it is read,
/// written, and not stored.
pub(super) trait Fixed: Serialize {
    fn is(&self, found: Option<&RawValue>) -> bool;

    fn expected(&self) -> String;

    /// Does it stand in the document at all?
    fn is_written(&self) -> bool {
        true
    }
}

impl Fixed for &str {
    fn is(&self, found: Option<&RawValue>) -> bool {
        found.and_then(string).is_some_and(|text| text == *self)
    }

    fn expected(&self) -> String {
        format!("{self:?}")
    }
}

/// `null`.
#[derive(Serialize)]
pub(super) struct Null;

impl Fixed for Null {
    fn is(&self, found: Option<&RawValue>) -> bool {
        found.is_some_and(|raw| raw.get() == "null")
    }

    fn expected(&self) -> String {
        "null".to_owned()
    }
}

/// `[]`.
pub(super) struct EmptyArray;

impl Serialize for EmptyArray {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        [(); 0].serialize(serializer)
    }
}

impl Fixed for EmptyArray {
    fn is(&self, found: Option<&RawValue>) -> bool {
        found.and_then(elements).is_some_and(|elements| elements.is_empty())
    }

    fn expected(&self) -> String {
        "an empty array".to_owned()
    }
}

/// A field that must not be there.
#[derive(Serialize)]
pub(super) struct Forbidden;

impl Fixed for Forbidden {
    fn is(&self, found: Option<&RawValue>) -> bool {
        found.is_none()
    }

    fn expected(&self) -> String {
        "no such field".to_owned()
    }

    fn is_written(&self) -> bool {
        false
    }
}

/// Says how a struct stands in JSON: its fields by name, in the schema's order. `: field` is a field
/// of the struct, `= value` a [`Fixed`] value, which may use the fields. The struct has one field
/// more, `extra`, for what the schema does not name.
macro_rules! object {
    ($name:ty { $( $json:literal $(: $field:ident)? $(= $fixed:expr)? ),* $(,)? }) => {
        impl $name {
            pub(super) fn from_object(
                mut object: $crate::event::wire::Object<'_>,
            ) -> Result<Self, $crate::event::FieldError> {
                let mut read = Self {
                    $( $( $field: object.take($json)?, )? )*
                    extra: $crate::event::Fields::new(),
                };
                {
                    #[allow(unused_variables, reason = "a fixed value may use the fields")]
                    let Self { $( $( $field, )? )* .. } = &read;
                    $( $( object.take_fixed($json, &$fixed)?; )? )*
                }
                read.extra = object.rest();
                Ok(read)
            }
        }

        impl $crate::event::wire::Part for $name {
            fn read(raw: &serde_json::value::RawValue) -> Result<Self, $crate::event::FieldError> {
                Self::from_object($crate::event::wire::Object::read(raw)?)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let raw = Box::<serde_json::value::RawValue>::deserialize(deserializer)?;
                $crate::event::wire::Part::read(&raw).map_err(serde::de::Error::custom)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                use serde::ser::SerializeMap;
                let Self { $( $( $field, )? )* extra } = self;
                let mut map = serializer.serialize_map(None)?;
                $(
                    $(
                        if !$crate::event::wire::Part::is_absent($field) {
                            map.serialize_entry($json, $field)?;
                        }
                    )?
                    $(
                        if $crate::event::wire::Fixed::is_written(&$fixed) {
                            map.serialize_entry($json, &$fixed)?;
                        }
                    )?
                )*
                // A field of ours has its place above, whoever put the name there.
                let ours: &[&str] = &[$( $json ),*];
                for (name, value) in extra.iter().filter(|(name, _)| !ours.contains(name)) {
                    map.serialize_entry(name, value)?;
                }
                map.end()
            }
        }
    };
}

pub(super) use object;

/// Reads a type from its own text wherever serde is asked for it.
pub(super) fn deserialize<'de, P: Part, D: Deserializer<'de>>(deserializer: D) -> Result<P, D::Error> {
    let raw = Box::<RawValue>::deserialize(deserializer)?;
    P::read(&raw).map_err(de::Error::custom)
}
