//! As much of JSON Schema as the description of the API uses.

use serde_json::Value;

/// What `#/components/…` refers to.
pub(crate) fn resolve<'d>(document: &'d Value, reference: &str) -> &'d Value {
    let path = reference.strip_prefix('#').unwrap();
    document.pointer(path).unwrap_or_else(|| panic!("{reference} is missing"))
}

/// How a value differs from a schema, with the place of each difference.
pub(crate) fn faults(document: &Value, schema: &Value, value: &Value, place: &str) -> Vec<String> {
    if let Some(reference) = schema["$ref"].as_str() {
        return faults(document, resolve(document, reference), value, place);
    }
    for (key, is_one) in [("anyOf", false), ("oneOf", true)] {
        if let Some(choices) = schema[key].as_array() {
            let fits = |choice: &&Value| faults(document, choice, value, place).is_empty();
            let number = choices.iter().filter(fits).count();
            let is_right = if is_one { number == 1 } else { number > 0 };
            return if is_right { vec![] } else { vec![format!("{place}: {number} of {key} fit")] };
        }
    }
    let mut found = Vec::new();
    if let Some(allowed) = schema["enum"].as_array()
        && !allowed.contains(value)
    {
        found.push(format!("{place}: {value} is not allowed"));
    }
    if schema.get("const").is_some_and(|only| only != value) {
        found.push(format!("{place}: {value} is not {}", schema["const"]));
    }
    let types: Vec<&str> = match &schema["type"] {
        Value::String(name) => vec![name],
        Value::Array(names) => names.iter().map(|name| name.as_str().unwrap()).collect(),
        _ => Vec::new(),
    };
    if !types.is_empty() && !types.iter().any(|name| has_type(value, name)) {
        found.push(format!("{place}: {value} is none of {types:?}"));
    }
    if let (Some(minimum), Some(number)) = (schema["minimum"].as_i64(), value.as_i64())
        && number < minimum
    {
        found.push(format!("{place}: {number} is less than {minimum}"));
    }
    if let Some(fields) = value.as_object() {
        for name in schema["required"].as_array().into_iter().flatten() {
            if !fields.contains_key(name.as_str().unwrap()) {
                found.push(format!("{place}: {name} is missing"));
            }
        }
        for (name, field) in fields {
            let place = format!("{place}/{name}");
            match (schema["properties"].get(name), &schema["additionalProperties"]) {
                (Some(schema), _) => found.extend(faults(document, schema, field, &place)),
                (None, Value::Bool(false)) => found.push(format!("{place} is not described")),
                (None, schema @ Value::Object(_)) => {
                    found.extend(faults(document, schema, field, &place));
                }
                _ => {}
            }
        }
    }
    if let (Some(elements), items @ Value::Object(_)) = (value.as_array(), &schema["items"]) {
        for (n, element) in elements.iter().enumerate() {
            found.extend(faults(document, items, element, &format!("{place}/{n}")));
        }
    }
    found
}

fn has_type(value: &Value, name: &str) -> bool {
    match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        _ => panic!("unknown type {name}"),
    }
}
