//! Parameters with a file, as `multipart/form-data` (RFC 7578).

use serde_json::{Map, Value};

/// The parameters of a method with a file.
pub(crate) struct Form {
    boundary: String,
    body: Vec<u8>,
}

impl Form {
    /// A form with these parameters. `boundary` separates the parts: letters and digits that occur in none of
    /// them.
    pub(crate) fn new(parameters: &Map<String, Value>, boundary: String) -> Self {
        let mut form = Self { boundary, body: Vec::new() };
        for (name, value) in parameters {
            form.begin(&format!("name=\"{name}\""));
            form.body.extend_from_slice(b"\r\n");
            match value {
                Value::String(text) => form.body.extend_from_slice(text.as_bytes()),
                value => form.body.extend_from_slice(value.to_string().as_bytes()),
            }
            form.body.extend_from_slice(b"\r\n");
        }
        form
    }

    /// Adds a file. `file_name` has no quotes.
    pub(crate) fn file(mut self, name: &str, file_name: &str, kind: &str, content: &[u8]) -> Self {
        self.body.reserve(content.len() + 512);
        self.begin(&format!("name=\"{name}\"; filename=\"{file_name}\""));
        self.body.extend_from_slice(format!("Content-Type: {kind}\r\n\r\n").as_bytes());
        self.body.extend_from_slice(content);
        self.body.extend_from_slice(b"\r\n");
        self
    }

    fn begin(&mut self, disposition: &str) {
        let head =
            format!("--{}\r\nContent-Disposition: form-data; {disposition}\r\n", self.boundary);
        self.body.extend_from_slice(head.as_bytes());
    }

    /// The media type of the form.
    pub(crate) fn media_type(&self) -> String {
        format!("multipart/form-data; boundary={}", self.boundary)
    }

    /// The body.
    pub(crate) fn end(mut self) -> Vec<u8> {
        self.body.extend_from_slice(format!("--{}--\r\n", self.boundary).as_bytes());
        self.body
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_form_has_texts_numbers_and_a_file() {
        let Value::Object(parameters) =
            json!({ "caption": "<b>Hi</b>\n", "chat_id": 7, "rows": [[]] })
        else {
            unreachable!()
        };
        let form = Form::new(&parameters, "x1".to_owned());
        let form = form.file("photo", "picture.png", "image/png", b"\x89PNG\r\n");
        assert_eq!(form.media_type(), "multipart/form-data; boundary=x1");
        let expected =
            b"--x1\r\nContent-Disposition: form-data; name=\"caption\"\r\n\r\n<b>Hi</b>\n\r\n\
            --x1\r\nContent-Disposition: form-data; name=\"chat_id\"\r\n\r\n7\r\n\
            --x1\r\nContent-Disposition: form-data; name=\"rows\"\r\n\r\n[[]]\r\n\
            --x1\r\nContent-Disposition: form-data; name=\"photo\"; filename=\"picture.png\"\r\n\
            Content-Type: image/png\r\n\r\n\x89PNG\r\n\r\n--x1--\r\n";
        assert_eq!(form.end(), expected);
    }
}
