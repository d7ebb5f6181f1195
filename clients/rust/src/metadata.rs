//! What goes beside the messages of a call, both ways (W5.3, W7.2, W7.7).

use std::fmt;

/// A value of [`Metadata`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum MetadataValue {
    /// Of every key that does not end with `-bin`.
    Text(String),
    /// Of keys that end with `-bin`.
    Binary(Vec<u8>),
}

impl MetadataValue {
    pub(crate) fn bytes(&self) -> &[u8] {
        match self {
            MetadataValue::Text(text) => text.as_bytes(),
            MetadataValue::Binary(bytes) => bytes,
        }
    }
}

impl From<&str> for MetadataValue {
    fn from(text: &str) -> Self {
        MetadataValue::Text(text.to_owned())
    }
}

impl From<String> for MetadataValue {
    fn from(text: String) -> Self {
        MetadataValue::Text(text)
    }
}

impl From<Vec<u8>> for MetadataValue {
    fn from(bytes: Vec<u8>) -> Self {
        MetadataValue::Binary(bytes)
    }
}

impl From<&[u8]> for MetadataValue {
    fn from(bytes: &[u8]) -> Self {
        MetadataValue::Binary(bytes.to_vec())
    }
}

/// Keys with values, in their order. A key may come more than once.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Metadata(Vec<(String, MetadataValue)>);

impl Metadata {
    /// Nothing.
    pub fn new() -> Metadata {
        Metadata::default()
    }

    /// Adds an entry. What may not be sent is refused by the call.
    pub fn insert(&mut self, key: impl Into<String>, value: impl Into<MetadataValue>) {
        self.0.push((key.into(), value.into()));
    }

    /// The text of a key, the last one where there are several.
    pub fn get(&self, key: &str) -> Option<&str> {
        match self.value(key) {
            Some(MetadataValue::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// The bytes of a key that ends with `-bin`.
    pub fn get_bin(&self, key: &str) -> Option<&[u8]> {
        match self.value(key) {
            Some(MetadataValue::Binary(bytes)) => Some(bytes),
            _ => None,
        }
    }

    /// The entries.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &MetadataValue)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value))
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn value(&self, key: &str) -> Option<&MetadataValue> {
        self.0.iter().rev().find(|(name, _)| name == key).map(|(_, value)| value)
    }
}

impl<K: Into<String>, V: Into<MetadataValue>> FromIterator<(K, V)> for Metadata {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        let mut metadata = Metadata::new();
        for (key, value) in entries {
            metadata.insert(key, value);
        }
        metadata
    }
}

impl fmt::Debug for Metadata {
    // Values may be secrets: keys and sizes only.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map()
            .entries(self.0.iter().map(|(key, value)| (key, format!("{} bytes", value.bytes().len()))))
            .finish()
    }
}

/// What a server says of a call beside its messages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResponseInfo {
    /// Before the first response.
    pub metadata: Metadata,
    /// With the end of the call.
    pub trailers: Metadata,
}
