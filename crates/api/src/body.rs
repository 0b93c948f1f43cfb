//! Reads the body of a request: JSON, packed or not, in bounded memory.

use std::{io::Write, sync::Arc, time::Duration};

use axum::{
    extract::Request,
    http::{HeaderMap, HeaderValue, StatusCode, header},
};
use flate2::write::MultiGzDecoder;
use futures_util::StreamExt;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

use crate::error::ApiError;

/// The largest body, unpacked.
pub(crate) const MAX_BYTES: usize = 8 << 20;
/// How long a body may take to arrive.
const PATIENCE: Duration = Duration::from_secs(30);
const KIB: usize = 1024;
const BUSY: &str = "the server is busy; send the request again";
/// How long a client should wait if there is no memory for its body.
const BUSY_WAIT: Duration = Duration::from_secs(1);

/// A body, unpacked. Its memory is counted until it is dropped.
pub(crate) struct Body {
    pub(crate) bytes: Vec<u8>,
    _memory: Memory,
}

/// Reads and unpacks the body of a request.
///
/// # Errors
/// If it is too large, too slow, or of another type; or if there is no memory for it now.
pub(crate) async fn read(request: Request, memory: &Arc<Semaphore>) -> Result<Body, ApiError> {
    let is_packed = is_packed(request.headers())?;
    check_type(request.headers())?;
    let length = request.headers().get(header::CONTENT_LENGTH);
    let length = length.and_then(|it| it.to_str().ok()?.parse::<u64>().ok());
    if length.is_some_and(|length| usize::try_from(length).is_ok_and(|it| it > MAX_BYTES)) {
        return Err(too_large());
    }
    let mut memory = Memory { pool: memory.clone(), held: None, kib: 0 };
    let received = timeout(PATIENCE, receive(request, &mut memory))
        .await
        .map_err(|_| ApiError::new(StatusCode::REQUEST_TIMEOUT, "the body did not arrive in time"));
    let bytes = received??;
    if !is_packed {
        return Ok(Body { bytes, _memory: memory });
    }
    memory.grow_to(bytes.len() + MAX_BYTES)?;
    // Unpacking takes up to some hundredths of a second.
    let unpacked = tokio::task::spawn_blocking(move || unpack(&bytes)).await;
    let bytes = unpacked.map_err(|_| ApiError::unavailable(BUSY))??;
    memory.shrink_to(bytes.len());
    Ok(Body { bytes, _memory: memory })
}

async fn receive(request: Request, memory: &mut Memory) -> Result<Vec<u8>, ApiError> {
    let mut chunks = request.into_body().into_data_stream();
    let mut bytes = Vec::new();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|_| ApiError::invalid("the body was cut off"))?;
        if bytes.len() + chunk.len() > MAX_BYTES {
            return Err(too_large());
        }
        memory.grow_to(bytes.len() + chunk.len())?;
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

/// Unpacks gzip (RFC 1952), and stops as soon as the result is too large.
fn unpack(packed: &[u8]) -> Result<Vec<u8>, ApiError> {
    let mut decoder = MultiGzDecoder::new(Bounded { bytes: Vec::new(), is_full: false });
    let written = decoder.write_all(packed);
    let finished = written.and_then(|()| decoder.try_finish());
    if decoder.get_ref().is_full {
        return Err(too_large());
    }
    let unpacked = finished.and_then(|()| decoder.finish());
    let unpacked =
        unpacked.map_err(|_| ApiError::invalid("the body is not gzip, or was cut off"))?;
    Ok(unpacked.bytes)
}

/// Refuses what does not fit.
struct Bounded {
    bytes: Vec<u8>,
    is_full: bool,
}

impl Write for Bounded {
    fn write(&mut self, part: &[u8]) -> std::io::Result<usize> {
        if self.bytes.len() + part.len() > MAX_BYTES {
            self.is_full = true;
            return Err(std::io::ErrorKind::FileTooLarge.into());
        }
        self.bytes.extend_from_slice(part);
        Ok(part.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Whether the body is packed.
fn is_packed(headers: &HeaderMap) -> Result<bool, ApiError> {
    let encodings = headers.get_all(header::CONTENT_ENCODING).iter();
    let encodings: Vec<&[u8]> = encodings
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b','))
        .map(<[u8]>::trim_ascii)
        .filter(|name| !name.is_empty() && !name.eq_ignore_ascii_case(b"identity"))
        .collect();
    let is_gzip =
        |name: &[u8]| [&b"gzip"[..], b"x-gzip"].iter().any(|it| name.eq_ignore_ascii_case(it));
    match encodings.as_slice() {
        [] => Ok(false),
        [name] if is_gzip(name) => Ok(true),
        _ => {
            let error = "unknown Content-Encoding; expected gzip or none";
            let error = ApiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, error);
            Err(error.with_header(header::ACCEPT_ENCODING, HeaderValue::from_static("gzip")))
        }
    }
}

/// Refuses types other than JSON. Without a type, the body counts as JSON.
fn check_type(headers: &HeaderMap) -> Result<(), ApiError> {
    let Some(value) = headers.get(header::CONTENT_TYPE) else { return Ok(()) };
    let name = value.as_bytes().split(|byte| *byte == b';').next().unwrap_or_default();
    let name = name.trim_ascii().to_ascii_lowercase();
    let is_json = name == b"application/json"
        || name.starts_with(b"application/") && name.ends_with(b"+json");
    if is_json || name == b"application/octet-stream" {
        return Ok(());
    }
    let error = "expected JSON, with the header Content-Type: application/json";
    Err(ApiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, error))
}

fn too_large() -> ApiError {
    let error = format!("the body is larger than {MAX_BYTES} bytes, unpacked");
    ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, error).with("max_bytes", MAX_BYTES)
}

/// The memory of a body, taken from what all bodies share.
struct Memory {
    pool: Arc<Semaphore>,
    held: Option<OwnedSemaphorePermit>,
    kib: usize,
}

impl Memory {
    fn grow_to(&mut self, bytes: usize) -> Result<(), ApiError> {
        let more = bytes.div_ceil(KIB).saturating_sub(self.kib);
        if more == 0 {
            return Ok(());
        }
        let busy = || ApiError::wait(BUSY, BUSY_WAIT);
        let permits = u32::try_from(more).map_err(|_| busy())?;
        let taken = self.pool.clone().try_acquire_many_owned(permits).map_err(|_| busy())?;
        match &mut self.held {
            Some(held) => held.merge(taken),
            held => *held = Some(taken),
        }
        self.kib += more;
        Ok(())
    }

    fn shrink_to(&mut self, bytes: usize) {
        let less = self.kib.saturating_sub(bytes.div_ceil(KIB));
        if let Some(held) = &mut self.held {
            drop(held.split(less));
        }
        self.kib -= less;
    }
}

#[cfg(test)]
mod tests {
    use flate2::{Compression, write::GzEncoder};

    use super::*;

    fn packed(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn status(result: Result<Vec<u8>, ApiError>) -> u16 {
        use axum::response::IntoResponse;
        result.map_or_else(|error| error.into_response().status().as_u16(), |_| 200)
    }

    #[test]
    fn gzip_is_unpacked_up_to_the_limit() {
        let text = b"[{\"update_id\":1}]";
        assert_eq!(unpack(&packed(text)).unwrap(), text);
        let two = [packed(&text[..5]), packed(&text[5..])].concat();
        assert_eq!(unpack(&two).unwrap(), text, "several members are one text");
        assert_eq!(unpack(&packed(&vec![b' '; MAX_BYTES])).unwrap().len(), MAX_BYTES);
        assert_eq!(status(unpack(&packed(&vec![b' '; MAX_BYTES + 1]))), 413);
        // A bomb: a gigabyte of blanks in a megabyte.
        let bomb = packed(&vec![b' '; 64 << 20]).repeat(16);
        assert_eq!(status(unpack(&bomb)), 413);
        let whole = packed(text);
        for wrong in [&b"{}"[..], b"", &whole[..whole.len() - 1], &whole[..5]] {
            assert_eq!(status(unpack(wrong)), 400, "{} bytes", wrong.len());
        }
        let mut spoiled = whole.clone();
        spoiled[whole.len() - 6] ^= 1;
        assert_eq!(status(unpack(&spoiled)), 400, "the checksum is wrong");
    }

    #[test]
    fn memory_is_given_back() {
        let pool = Arc::new(Semaphore::new(10));
        let memory = || Memory { pool: pool.clone(), held: None, kib: 0 };
        let (mut one, mut two) = (memory(), memory());
        one.grow_to(1).unwrap();
        one.grow_to(8 * KIB).unwrap();
        assert!(two.grow_to(3 * KIB).is_err());
        one.shrink_to(7 * KIB);
        two.grow_to(3 * KIB).unwrap();
        drop((one, two));
        assert_eq!(pool.available_permits(), 10);
    }

    #[test]
    fn types_and_encodings_are_named() {
        let headers = |name: header::HeaderName, value: &'static str| {
            HeaderMap::from_iter([(name, HeaderValue::from_static(value))])
        };
        for (value, is_known) in [
            ("application/json", true),
            ("Application/JSON; charset=utf-8", true),
            ("application/vnd.api+json", true),
            ("application/octet-stream", true),
            ("text/html", false),
            ("application/x-www-form-urlencoded", false),
            ("", false),
        ] {
            assert_eq!(
                check_type(&headers(header::CONTENT_TYPE, value)).is_ok(),
                is_known,
                "{value}"
            );
        }
        for (value, packed) in [
            ("gzip", Some(true)),
            ("X-GZIP", Some(true)),
            ("identity", Some(false)),
            ("", Some(false)),
            ("br", None),
            ("gzip, gzip", None),
        ] {
            assert_eq!(
                is_packed(&headers(header::CONTENT_ENCODING, value)).ok(),
                packed,
                "{value}"
            );
        }
    }
}
