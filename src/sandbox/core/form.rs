//! Form bodies and queries with bracket nesting, decoded into a tree.

use std::collections::BTreeMap;

use serde::Serialize;

use super::error::ApiError;

/// Deeper than any parameter of Stripe's.
const MAX_DEPTH: usize = 12;

/// A decoded form. Arrays are branches whose keys are numbers. Ordered, so that two forms of the same content are
/// equal whatever the order they came in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub(super) enum Tree {
    Leaf(String),
    Branch(BTreeMap<String, Tree>),
}

impl Tree {
    pub(super) fn empty() -> Self {
        Self::Branch(BTreeMap::new())
    }

    /// Decodes `text` into this tree; a later value wins over an earlier one of the same name.
    ///
    /// # Errors
    /// 400 where a name is malformed, or is both a value and an object.
    pub(super) fn decode(&mut self, text: &[u8]) -> Result<(), ApiError> {
        for (name, value) in form_urlencoded::parse(text) {
            let path = segments(&name).ok_or_else(|| {
                ApiError::invalid(format!("Received unknown parameter: {name}"))
                    .code("parameter_unknown")
                    .param(name.as_ref())
            })?;
            self.insert(&path, &value).map_err(|()| {
                ApiError::invalid(format!("Invalid parameter: {name} was given both as a value and as an object."))
                    .param(path[0])
            })?;
        }
        Ok(())
    }

    fn insert(&mut self, path: &[&str], value: &str) -> Result<(), ()> {
        let Some((first, rest)) = path.split_first() else {
            if matches!(self, Self::Branch(fields) if !fields.is_empty()) {
                return Err(());
            }
            *self = Self::Leaf(value.to_owned());
            return Ok(());
        };
        let Self::Branch(fields) = self else { return Err(()) };
        // `a[]=x` appends.
        let key = if first.is_empty() { fields.len().to_string() } else { (*first).to_owned() };
        fields.entry(key).or_insert_with(Self::empty).insert(rest, value)
    }
}

/// `a[b][c]` as `["a", "b", "c"]`; none where brackets do not match.
fn segments(name: &str) -> Option<Vec<&str>> {
    let Some((head, rest)) = name.split_once('[') else {
        return (!name.is_empty() && !name.contains(']')).then(|| vec![name]);
    };
    let inner = rest.strip_suffix(']')?;
    let path: Vec<&str> = std::iter::once(head).chain(inner.split("][")).collect();
    let plain = path.iter().all(|part| !part.contains(['[', ']']));
    (plain && !head.is_empty() && path.len() <= MAX_DEPTH).then_some(path)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{ProptestConfig, prop_assert_eq, proptest};
    use serde_json::json;

    use super::Tree;

    fn decode(text: &str) -> Tree {
        let mut tree = Tree::empty();
        tree.decode(text.as_bytes()).unwrap();
        tree
    }

    #[test]
    fn brackets_nest() {
        let tree = decode("line_items[0][price_data][currency]=usd&line_items[0][quantity]=1&expand[]=a&expand[]=b");
        let want = json!({"expand": {"0": "a", "1": "b"},
            "line_items": {"0": {"price_data": {"currency": "usd"}, "quantity": "1"}}});
        assert_eq!(serde_json::to_value(tree).unwrap(), want);
    }

    #[test]
    fn order_and_encoding_of_brackets_do_not_matter() {
        assert_eq!(decode("a%5Bb%5D=1&c=2+3"), decode("c=2%203&a[b]=1"));
    }

    #[test]
    fn malformed_names_are_refused() {
        for text in ["a[b=1", "a]=1", "metadata[a[b]]=1", "=1", "[a]=1", "a=1&a[b]=2", "a[b]=2&a=1"] {
            assert!(Tree::empty().decode(text.as_bytes()).is_err(), "{text}");
        }
        assert!(Tree::empty().decode(format!("a{}=1", "[b]".repeat(40)).as_bytes()).is_err());
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
        #[test]
        fn any_bytes_decode_or_are_refused(bytes in proptest::collection::vec(0u8.., 0..200)) {
            let _ = Tree::empty().decode(&bytes);
        }

        #[test]
        fn values_survive(key in "[a-z_]{1,10}", value in "\\PC{0,40}") {
            let text = form_urlencoded::Serializer::new(String::new()).append_pair(&format!("metadata[{key}]"), &value).finish();
            prop_assert_eq!(serde_json::to_value(decode(&text)).unwrap(), json!({"metadata": {key: value}}));
        }
    }
}
