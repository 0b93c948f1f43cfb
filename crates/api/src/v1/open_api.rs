//! The description of the API for programs (OpenAPI 3.1).

use axum::Json;
use serde_json::{Value, json};

/// The description, without the address of the server.
const TEXT: &str = include_str!("../../openapi.json");

/// The description of an API under this prefix.
pub(crate) fn document(prefix: &str) -> Value {
    let mut document: Value = serde_json::from_str(TEXT).unwrap_or_default();
    if let Some(fields) = document.as_object_mut() {
        let url = if prefix.is_empty() { "/" } else { prefix };
        fields.insert("servers".to_owned(), json!([{ "url": url }]));
    }
    document
}

/// Shows the description. It needs no key, because it is about no user.
pub(crate) async fn show(document: Value) -> Json<Value> {
    Json(document)
}
