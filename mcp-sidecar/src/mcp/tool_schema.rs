//! Which properties of a tool's `inputSchema` carry `x-mcp-header`, and whether they may (2026-07-28
//! basic/transports/streamable-http §Schema Extension). Read in one pass, keeping nothing but what is annotated.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// Mirrored properties of one tool. A request has about as many headers at most.
const MAX_PROPERTIES: usize = 32;
/// Property names down to an annotated one.
const MAX_DEPTH: usize = 16;
/// Characters of an annotation.
const MAX_NAME: usize = 128;

/// An argument that is repeated in `Mcp-Param-{name}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mirrored {
    pub name: String,
    /// Property names from the root of the arguments.
    pub path: Vec<String>,
}

impl Mirrored {
    pub fn bytes(&self) -> usize {
        let path: usize = self.path.iter().map(|name| size_of::<String>() + name.len()).sum();
        size_of::<Self>() + self.name.len() + path
    }
}

/// Why a tool's annotations are invalid, and with them its definition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Invalid {
    #[error("x-mcp-header is no header name")]
    NotAToken,
    #[error("x-mcp-header is given twice")]
    NotUnique,
    #[error("x-mcp-header stands on a property that is no string, integer or boolean")]
    NotPrimitive,
    #[error("x-mcp-header stands where a chain of properties does not lead")]
    Unreachable,
    #[error("too many properties have x-mcp-header")]
    TooMany,
    #[error("inputSchema cannot be read")]
    Unreadable,
}

/// # Errors
/// [`Invalid`]
pub fn mirrored(input_schema: &RawValue) -> Result<Vec<Mirrored>, Invalid> {
    let mut scan = Scan::default();
    let root = Node { scan: &mut scan, holds: Holds::Schema, reachable: true };
    // Nested deeper than serde_json reads: nothing that could be said about it.
    root.deserialize(&mut serde_json::Deserializer::from_str(input_schema.get())).map_err(|_| Invalid::Unreadable)?;
    match scan.invalid {
        Some(invalid) => Err(invalid),
        None => Ok(scan.found),
    }
}

#[derive(Default)]
struct Scan {
    path: Vec<String>,
    found: Vec<Mirrored>,
    invalid: Option<Invalid>,
}

impl Scan {
    fn annotated(&mut self, annotation: &Annotation, reachable: bool) {
        if let Err(invalid) = self.declare(annotation, reachable) {
            self.invalid.get_or_insert(invalid);
        }
    }

    fn declare(&mut self, annotation: &Annotation, reachable: bool) -> Result<(), Invalid> {
        let name = annotation.name.as_deref().filter(|name| is_token(name)).ok_or(Invalid::NotAToken)?;
        if !reachable || self.path.is_empty() || self.path.len() > MAX_DEPTH {
            return Err(Invalid::Unreachable);
        }
        if !annotation.primitive {
            return Err(Invalid::NotPrimitive);
        }
        if annotation.repeated || self.found.iter().any(|other| other.name.eq_ignore_ascii_case(name)) {
            return Err(Invalid::NotUnique);
        }
        if self.found.len() == MAX_PROPERTIES {
            return Err(Invalid::TooMany);
        }
        self.found.push(Mirrored { name: name.to_owned(), path: self.path.clone() });
        Ok(())
    }
}

/// RFC 9110 §5.1: `1*tchar`.
fn is_token(name: &str) -> bool {
    let tchar = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    (1..=MAX_NAME).contains(&name.len()) && name.bytes().all(tchar)
}

/// What is known of one schema when all its members are read.
#[derive(Default)]
struct Annotation {
    given: bool,
    repeated: bool,
    name: Option<String>,
    primitive: bool,
}

#[derive(Clone, Copy)]
enum Holds {
    Schema,
    /// Schemas by a name that means nothing here.
    Named,
    /// Schemas of the properties of that name.
    Properties,
}

/// A value in a schema that is a schema, or holds some.
struct Node<'s> {
    scan: &'s mut Scan,
    holds: Holds,
    reachable: bool,
}

impl<'de> DeserializeSeed<'de> for Node<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, value: D) -> Result<(), D::Error> {
        value.deserialize_any(self)
    }
}

impl Node<'_> {
    fn below(&mut self, holds: Holds, reachable: bool) -> Node<'_> {
        Node { scan: &mut *self.scan, holds, reachable: self.reachable && reachable }
    }

    fn names<'de, A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        let chained = matches!(self.holds, Holds::Properties);
        while let Some(name) = map.next_key::<String>()? {
            self.scan.path.push(name);
            map.next_value_seed(self.below(Holds::Schema, chained))?;
            self.scan.path.pop();
        }
        Ok(())
    }

    fn schema<'de, A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        let mut annotation = Annotation::default();
        while let Some(keyword) = map.next_key::<String>()? {
            match keyword.as_str() {
                "x-mcp-header" => {
                    annotation.repeated = std::mem::replace(&mut annotation.given, true);
                    annotation.name = serde_json::from_str(map.next_value::<&RawValue>()?.get()).ok();
                }
                "type" => {
                    let named = map.next_value::<&RawValue>()?.get();
                    annotation.primitive = matches!(named, "\"string\"" | "\"integer\"" | "\"boolean\"");
                }
                "properties" => map.next_value_seed(self.below(Holds::Properties, true))?,
                "patternProperties" | "dependentSchemas" | "$defs" | "definitions" => {
                    map.next_value_seed(self.below(Holds::Named, false))?;
                }
                "items"
                | "prefixItems"
                | "contains"
                | "additionalProperties"
                | "unevaluatedProperties"
                | "unevaluatedItems"
                | "propertyNames"
                | "oneOf"
                | "anyOf"
                | "allOf"
                | "not"
                | "if"
                | "then"
                | "else" => map.next_value_seed(self.below(Holds::Schema, false))?,
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        if annotation.given {
            self.scan.annotated(&annotation, self.reachable);
        }
        Ok(())
    }
}

impl<'de> Visitor<'de> for Node<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a schema")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<(), A::Error> {
        match self.holds {
            Holds::Schema => self.schema(map),
            Holds::Named | Holds::Properties => self.names(map),
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<(), A::Error> {
        while list.next_element_seed(self.below(Holds::Schema, false))?.is_some() {}
        Ok(())
    }

    // `true` and `false` are schemas; other values are none, and say nothing.

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}

#[cfg(test)]
#[path = "tool_schema_tests.rs"]
mod tests;
