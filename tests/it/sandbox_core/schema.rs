//! Validators made of the two cuts of Stripe's API in `tests/stripe/`.

use std::collections::BTreeMap;

use jsonschema::Validator;
use serde_json::{Value, json};

/// One cut.
pub(super) struct Cut {
    name: &'static str,
    spec: Value,
    validators: BTreeMap<String, Validator>,
}

impl Cut {
    pub(super) fn both() -> [Self; 2] {
        ["openapi-checkout.json", "openapi-checkout-sdk.json"].map(|name| {
            let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/stripe").join(name);
            let spec = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
            Self { name, spec: unions(spec), validators: BTreeMap::new() }
        })
    }

    /// The names of the form parameters of each POST to a path without ids.
    pub(super) fn parameters(&self) -> Vec<(String, Vec<String>)> {
        let paths = self.spec["paths"].as_object().unwrap().iter();
        let posts = paths.filter(|(path, at)| at.get("post").is_some() && !path.contains('{'));
        let names = |at: &Value| -> Vec<String> {
            let form = &at["post"]["requestBody"]["content"]["application/x-www-form-urlencoded"];
            form["schema"]["properties"].as_object().unwrap().keys().cloned().collect()
        };
        posts.map(|(path, at)| (path.clone(), names(at))).collect()
    }

    /// The violations of an answer to `GET /v1/…`; none where the cut does not know the operation.
    pub(super) fn violations(&mut self, operation: &str, status: u16, body: &Value) -> Vec<String> {
        let (method, path) = operation.split_once(' ').unwrap();
        let response = if status == 200 { "200" } else { "default" };
        let paths = self.spec["paths"].as_object().unwrap();
        let Some((template, at)) = paths.iter().find(|(template, _)| matches(template, path)) else {
            return Vec::new();
        };
        let schema = at[method.to_lowercase()]["responses"][response]["content"]["application/json"]["schema"].clone();
        if schema.is_null() {
            return Vec::new();
        }
        self.check(&format!("{method} {template} {response}"), &schema, body)
    }

    /// The violations of every object inside `value` that says what it is and that the cut knows.
    pub(super) fn nested_violations(&mut self, value: &Value) -> Vec<String> {
        let parts: Vec<&Value> = match value {
            Value::Object(fields) => fields.values().collect(),
            Value::Array(items) => items.iter().collect(),
            _ => return Vec::new(),
        };
        let mut found: Vec<String> = parts.into_iter().flat_map(|part| self.nested_violations(part)).collect();
        let name = value.get("object").and_then(Value::as_str).filter(|_| value.get("deleted").is_none());
        if let Some(name) = name.filter(|name| !self.spec["components"]["schemas"][*name].is_null()) {
            found.extend(self.check(name, &json!({"$ref": format!("#/components/schemas/{name}")}), value));
        }
        found
    }

    fn check(&mut self, name: &str, schema: &Value, value: &Value) -> Vec<String> {
        let components = &self.spec["components"];
        let validator = self.validators.entry(name.to_owned()).or_insert_with(|| {
            let mut document = schema.clone();
            if let Some(reference) = document["$ref"].as_str() {
                document = json!({"allOf": [{"$ref": reference}]});
            }
            document["components"] = components.clone();
            jsonschema::draft7::new(&document).unwrap()
        });
        let cut = self.name;
        validator
            .iter_errors(value)
            .map(|error| format!("{cut}: {name} at {}: {error}", error.instance_path()))
            .collect()
    }
}

fn matches(template: &str, path: &str) -> bool {
    let (wanted, given): (Vec<&str>, Vec<&str>) = (template.split('/').collect(), path.split('/').collect());
    wanted.len() == given.len() && wanted.iter().zip(given).all(|(want, part)| want.starts_with('{') || *want == part)
}

/// `nullable: true` as a union with null; a reference that both cuts narrow to an id may also be expanded.
fn unions(value: Value) -> Value {
    match value {
        Value::Object(mut fields) => {
            let nullable = fields.get("nullable") == Some(&Value::Bool(true));
            if nullable {
                fields.shift_remove("nullable");
            }
            let expandable = fields.get("x-expandsTo").is_some();
            let mut inner = Value::Object(fields.into_iter().map(|(name, field)| (name, unions(field))).collect());
            if expandable {
                inner = json!({"anyOf": [inner, {"type": "object", "required": ["id", "object"]}]});
            }
            if nullable { json!({"anyOf": [inner, {"type": "null"}]}) } else { inner }
        }
        Value::Array(items) => items.into_iter().map(unions).collect(),
        other => other,
    }
}
