//! Encrypting a text: XChaCha20-Poly1305 with a random nonce, in base64. The place of the text is
//! authenticated with it.

#[cfg(feature = "encryption")]
pub(crate) use with::{open, seal};
#[cfg(not(feature = "encryption"))]
pub(crate) use without::{open, seal};

#[cfg(feature = "encryption")]
mod with {
    use base64::{Engine, engine::general_purpose::STANDARD};
    use chacha20poly1305::{
        XChaCha20Poly1305, XNonce,
        aead::{Aead, KeyInit, Payload},
    };
    use diesel::result::Error as DieselError;

    /// The length of a nonce in bytes: enough that random ones never repeat.
    const NONCE: usize = 24;

    /// Encrypts a text with a key of 32 bytes.
    pub(crate) fn seal(key: &[u8], place: &str, text: &str) -> Result<String, DieselError> {
        let failed = |error: String| DieselError::SerializationError(error.into());
        let mut nonce = [0; NONCE];
        getrandom::fill(&mut nonce).map_err(|error| failed(error.to_string()))?;
        let cipher = XChaCha20Poly1305::new_from_slice(key);
        let cipher = cipher.map_err(|error| failed(error.to_string()))?;
        let payload = Payload { msg: text.as_bytes(), aad: place.as_bytes() };
        let sealed = cipher.encrypt(&XNonce::from(nonce), payload);
        let sealed = sealed.map_err(|error| failed(error.to_string()))?;
        Ok(STANDARD.encode([nonce.as_slice(), &sealed].concat()))
    }

    /// The text; `None` if it was changed, or is that of another place.
    pub(crate) fn open(key: &[u8], place: &str, sealed: &str) -> Option<String> {
        let bytes = STANDARD.decode(sealed).ok()?;
        let (nonce, sealed) = bytes.split_first_chunk::<NONCE>()?;
        let cipher = XChaCha20Poly1305::new_from_slice(key).ok()?;
        let payload = Payload { msg: sealed, aad: place.as_bytes() };
        String::from_utf8(cipher.decrypt(&XNonce::from(*nonce), payload).ok()?).ok()
    }
}

#[cfg(not(feature = "encryption"))]
mod without {
    use diesel::result::Error as DieselError;

    /// Refuses: nothing is stored that was to be encrypted.
    pub(crate) fn seal(_: &[u8], _: &str, _: &str) -> Result<String, DieselError> {
        let reason = "this program is built without the feature `encryption`";
        Err(DieselError::SerializationError(reason.into()))
    }

    pub(crate) fn open(_: &[u8], _: &str, _: &str) -> Option<String> {
        None
    }
}
