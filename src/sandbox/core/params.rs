//! Parameters: the table of what Stripe knows for each endpoint, and the check of a decoded form against it.
//!
//! `params.json` is cut from Stripe's request schemas (API version `2026-10-28.endive`, and what `2023-08-16` had
//! besides). A name ends in `!` where the parameter is required and in `?` where an empty value unsets it. Types are
//! `string`, `string:500` (so many characters at most), `integer`, `boolean`, `number`, `map` (metadata), `range` (an
//! integer, or gt/gte/lt/lte), `any`, `enum:a|b`, `[type]` and `{name: type}`.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde_json::{Map, Value, json};

use super::error::ApiError;
use super::form::Tree;

static TABLE: LazyLock<Map<String, Value>> =
    LazyLock::new(|| serde_json::from_str(include_str!("params.json")).unwrap_or_default());

/// The parameters of an endpoint, for example `POST /v1/checkout/sessions`.
fn table(endpoint: &str) -> Option<&'static Map<String, Value>> {
    TABLE.get(endpoint)?.as_object()
}

/// Checks `tree` and gives typed parameters. An empty value that unsets is kept as an empty text.
///
/// # Errors
/// 400 in Stripe's words for an unknown, missing or mistyped parameter.
pub(super) fn check(endpoint: &str, tree: &Tree) -> Result<Value, ApiError> {
    let empty = Map::new();
    object(table(endpoint).unwrap_or(&empty), tree, "")
}

fn object(table: &Map<String, Value>, tree: &Tree, path: &str) -> Result<Value, ApiError> {
    let Tree::Branch(given) = tree else { return Err(ApiError::invalid("Invalid object").param(path)) };
    let known: BTreeMap<&str, (&str, &Value)> =
        table.iter().map(|(marked, kind)| (marked.trim_end_matches(['!', '?']), (marked.as_str(), kind))).collect();
    unknown(&known, given, path)?;
    let mut typed = Map::new();
    for (name, (marked, kind)) in known {
        let here = join(path, name);
        match given.get(name) {
            Some(Tree::Leaf(text)) if text.is_empty() => {
                if !marked.ends_with('?') && *kind != json!("map") {
                    return Err(unset(&here));
                }
                typed.insert(name.to_owned(), json!(""));
            }
            Some(value) => {
                typed.insert(name.to_owned(), typed_value(kind, value, &here)?);
            }
            None if marked.contains('!') => return Err(ApiError::missing(&here)),
            None => {}
        }
    }
    Ok(Value::Object(typed))
}

fn unknown(known: &BTreeMap<&str, (&str, &Value)>, given: &BTreeMap<String, Tree>, path: &str) -> Result<(), ApiError> {
    let names: Vec<String> =
        given.keys().filter(|name| !known.contains_key(name.as_str())).map(|name| join(path, name)).collect();
    let Some(first) = names.first() else { return Ok(()) };
    let plural = if names.len() > 1 { "s" } else { "" };
    let message = format!("Received unknown parameter{plural}: {}", names.join(", "));
    Err(ApiError::invalid(message).code("parameter_unknown").param(first.as_str()))
}

fn typed_value(kind: &Value, tree: &Tree, path: &str) -> Result<Value, ApiError> {
    match kind {
        Value::Object(table) => object(table, tree, path),
        Value::Array(of) => array(of.first().unwrap_or(&Value::Null), tree, path),
        Value::String(word) => match word.as_str() {
            "map" => map(tree, path),
            "any" => Ok(serde_json::to_value(tree).unwrap_or_default()),
            "range" => range(tree, path),
            scalar => leaf(scalar, tree, path),
        },
        _ => Ok(Value::Null),
    }
}

fn array(of: &Value, tree: &Tree, path: &str) -> Result<Value, ApiError> {
    let invalid = || ApiError::invalid("Invalid array").param(path);
    let Tree::Branch(given) = tree else { return Err(invalid()) };
    let mut items = given
        .iter()
        .map(|(index, item)| index.parse::<usize>().map(|n| (n, item)))
        .collect::<Result<Vec<_>, _>>()
        .map_err(|_| invalid())?;
    items.sort_by_key(|(index, _)| *index);
    items.into_iter().map(|(index, item)| typed_value(of, item, &join(path, &index.to_string()))).collect()
}

fn range(tree: &Tree, path: &str) -> Result<Value, ApiError> {
    if matches!(tree, Tree::Leaf(_)) {
        return leaf("integer", tree, path);
    }
    let bounds = ["gt", "gte", "lt", "lte"].map(|name| (name.to_owned(), json!("integer")));
    object(&bounds.into_iter().collect(), tree, path)
}

fn leaf(kind: &str, tree: &Tree, path: &str) -> Result<Value, ApiError> {
    let name = kind.split(':').next().unwrap_or_default();
    let Tree::Leaf(text) = tree else {
        let word = if name == "enum" { "string" } else { name };
        return Err(ApiError::invalid(format!("Invalid {word}: {}", serde_json::to_string(tree).unwrap_or_default()))
            .param(path));
    };
    let invalid = || ApiError::invalid(format!("Invalid {name}: {text}")).param(path);
    match name {
        "integer" => {
            let number: i64 = text.parse().map_err(|_| invalid().code("parameter_invalid_integer"))?;
            Ok(json!(number))
        }
        "number" => text.parse::<f64>().map(|n| json!(n)).map_err(|_| invalid()),
        "boolean" => text.parse::<bool>().map(Value::Bool).map_err(|_| invalid()),
        "enum" => one_of(kind, text, path),
        _ => short_enough(kind, text, path),
    }
}

/// Whether an endpoint's parameter, an enumeration, has this value.
pub(super) fn allows(endpoint: &str, name: &str, value: &str) -> bool {
    let kind = table(endpoint).and_then(|table| table.get(name)).and_then(Value::as_str).unwrap_or_default();
    kind.starts_with("enum:") && one_of(kind, value, name).is_ok()
}

/// `string:500`: an error shows both ends of what is too long.
fn short_enough(kind: &str, text: &str, path: &str) -> Result<Value, ApiError> {
    let most = kind.split_once(':').and_then(|(_, most)| most.parse::<usize>().ok());
    let length = text.chars().count();
    let Some(most) = most.filter(|most| length > *most) else { return Ok(json!(text)) };
    let shown = if length > 23 {
        let (head, tail): (String, String) =
            (text.chars().take(10).collect(), text.chars().skip(length - 10).collect());
        format!("{head}...{tail}")
    } else {
        text.to_owned()
    };
    Err(ApiError::invalid(format!("Invalid string: {shown}; must be at most {most} characters")).param(path))
}

fn one_of(kind: &str, text: &str, path: &str) -> Result<Value, ApiError> {
    let words: Vec<&str> = kind.trim_start_matches("enum:").split('|').collect();
    if words.contains(&text) {
        return Ok(json!(text));
    }
    let name = path.rsplit('[').next().unwrap_or(path).trim_end_matches(']');
    let choice = match words.as_slice() {
        [only] => (*only).to_owned(),
        [first, second] => format!("{first} or {second}"),
        [most @ .., last] => format!("one of {}, or {last}", most.join(", ")),
        [] => String::new(),
    };
    Err(ApiError::invalid(format!("Invalid {name}: must be {choice}")).param(path))
}

/// Metadata: 50 keys, keys of 40 characters, values of 500 (<https://docs.stripe.com/api/metadata>).
fn map(tree: &Tree, path: &str) -> Result<Value, ApiError> {
    let Tree::Branch(given) = tree else { return Err(ApiError::invalid("Invalid object").param(path)) };
    if given.len() > 50 {
        return Err(too_many_keys(path));
    }
    let mut typed = Map::new();
    for (key, value) in given {
        let here = join(path, key);
        let Tree::Leaf(text) = value else {
            return Err(ApiError::invalid(format!(
                "Metadata values must be strings, but the value of {key} is an object."
            ))
            .param(here));
        };
        let (key_length, value_length) = (key.chars().count(), text.chars().count());
        if key_length > 40 {
            return Err(ApiError::invalid(format!(
                "Metadata keys can have up to 40 characters, but you passed in a key that is {key_length} characters. \
                 Invalid key: {key}"
            ))
            .param(path));
        }
        if value_length > 500 {
            return Err(ApiError::invalid(format!(
                "Metadata values can have up to 500 characters, but you passed in a value that is {value_length} \
                 characters. Invalid value: {text}"
            ))
            .param(here));
        }
        typed.insert(key.clone(), json!(text));
    }
    Ok(Value::Object(typed))
}

/// The limit on a metadata object's keys.
pub(super) fn too_many_keys(path: &str) -> ApiError {
    ApiError::invalid("You can only have up to 50 metadata keys.").param(path)
}

/// Merges `given` metadata into `old`: a value is set, an empty one unsets its key, an empty whole unsets all
/// (<https://docs.stripe.com/api/metadata>).
///
/// # Errors
/// 400 where the result has more than 50 keys.
pub(super) fn merge_metadata(old: &Value, given: &Value) -> Result<Value, ApiError> {
    let Some(given) = given.as_object() else { return Ok(json!({})) };
    let mut merged = old.as_object().cloned().unwrap_or_default();
    for (key, value) in given {
        if value.as_str() == Some("") {
            merged.shift_remove(key);
        } else {
            merged.insert(key.clone(), value.clone());
        }
    }
    if merged.len() > 50 { Err(too_many_keys("metadata")) } else { Ok(Value::Object(merged)) }
}

/// The metadata of a new object: empty values are left out.
pub(super) fn filled(given: &Value) -> Value {
    let kept = given.as_object().into_iter().flatten().filter(|(_, value)| *value != "");
    Value::Object(kept.map(|(key, value)| (key.clone(), value.clone())).collect())
}

fn unset(path: &str) -> ApiError {
    let message = format!(
        "You passed an empty string for '{path}'. We assume empty values are an attempt to unset a parameter; however \
         '{path}' cannot be unset. You should remove '{path}' from your request or supply a non-empty value."
    );
    ApiError::invalid(message).code("parameter_invalid_empty").param(path)
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}[{name}]") }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{TABLE, Tree, check, merge_metadata};

    fn session(form: &str) -> Result<serde_json::Value, super::ApiError> {
        let mut tree = Tree::empty();
        tree.decode(form.as_bytes()).unwrap();
        check("POST /v1/checkout/sessions", &tree)
    }

    #[test]
    fn every_route_has_its_table() {
        assert!(!TABLE.is_empty());
        for route in super::super::route::ROUTES {
            assert!(TABLE.contains_key(&route.name()), "{}", route.name());
        }
    }

    #[test]
    fn refusals_are_worded_as_stripe_words_them() {
        for (form, message, param) in [
            ("foo=1", "Received unknown parameter: foo", "foo"),
            ("bar=1&foo=1", "Received unknown parameters: bar, foo", "bar"),
            ("line_items[0][foo]=1", "Received unknown parameter: line_items[0][foo]", "line_items[0][foo]"),
            ("expires_at=soon", "Invalid integer: soon", "expires_at"),
            ("line_items=x", "Invalid array", "line_items"),
            ("metadata=x", "Invalid object", "metadata"),
            ("mode=gift", "Invalid mode: must be one of payment, setup, or subscription", "mode"),
            (
                "line_items[0][price_data][unit_amount]=5",
                "Missing required param: line_items[0][price_data][currency].",
                "line_items[0][price_data][currency]",
            ),
        ] {
            let error = session(form).unwrap_err();
            assert_eq!((error.message.as_str(), error.param.as_deref()), (message, Some(param)));
        }
        assert_eq!(session("customer_email=").unwrap_err().code, Some("parameter_invalid_empty"));
    }

    #[test]
    fn texts_have_limits() {
        let link = |text: &str| {
            let mut tree = Tree::empty();
            tree.decode(format!("inactive_message={text}").as_bytes()).unwrap();
            check("POST /v1/payment_links/{payment_link}", &tree)
        };
        assert!(link(&"é".repeat(500)).is_ok());
        let error = link(&format!("{}{}", "a".repeat(250), "b".repeat(251))).unwrap_err();
        assert_eq!(error.message, "Invalid string: aaaaaaaaaa...bbbbbbbbbb; must be at most 500 characters");
        assert_eq!(error.param.as_deref(), Some("inactive_message"));
        assert_eq!(link("").unwrap(), json!({"inactive_message": ""}));
    }

    #[test]
    fn metadata_has_limits() {
        assert!(session(&format!("metadata[{}]=1", "k".repeat(40))).is_ok());
        assert!(session(&format!("metadata[{}]=1", "k".repeat(41))).is_err());
        assert!(session(&format!("metadata[k]={}", "v".repeat(500))).is_ok());
        assert!(session(&format!("metadata[k]={}", "v".repeat(501))).is_err());
        let keys: Vec<String> = (0..51).map(|n| format!("metadata[k{n}]=1")).collect();
        assert!(session(&keys[..50].join("&")).is_ok());
        assert!(session(&keys.join("&")).is_err());
    }

    #[test]
    fn metadata_merges_and_unsets() {
        let old = json!({"a": "1", "b": "2"});
        assert_eq!(merge_metadata(&old, &json!({"b": "", "c": "3"})).unwrap(), json!({"a": "1", "c": "3"}));
        assert_eq!(merge_metadata(&old, &json!("")).unwrap(), json!({}));
    }
}
