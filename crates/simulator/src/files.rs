//! The files that the bot has sent.

use std::collections::HashMap;

use axum::body::Bytes;
use serde_json::{Value, json};

/// The files that the bot has sent, by `file_id`.
#[derive(Debug, Default)]
pub(crate) struct Files(HashMap<String, Bytes>);

impl Files {
    /// Keeps a file, and returns its `file_id`.
    pub(crate) fn keep(&mut self, content: Bytes) -> String {
        let file_id = format!("sent-{}", self.0.len() + 1);
        self.0.insert(file_id.clone(), content);
        file_id
    }

    /// The result of getFile.
    pub(crate) fn describe(&self, file_id: &str) -> Option<Value> {
        let content = self.0.get(file_id)?;
        Some(json!({
            "file_id": file_id, "file_unique_id": format!("AQ{file_id}"), "file_size": content.len(),
            "file_path": format!("documents/{file_id}.bin"),
        }))
    }

    /// The content at a `file_path`.
    pub(crate) fn at(&self, file_path: &str) -> Option<Bytes> {
        let name = file_path.strip_prefix("documents/")?.strip_suffix(".bin")?;
        self.0.get(name).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_found_by_its_id_and_its_path() {
        let mut files = Files::default();
        let id = files.keep(Bytes::from_static(b"content"));
        let path = files.describe(&id).unwrap()["file_path"].as_str().unwrap().to_owned();
        assert_eq!(files.at(&path).unwrap(), "content");
        assert!(files.describe("other").is_none() && files.at("documents/other.bin").is_none());
    }
}
