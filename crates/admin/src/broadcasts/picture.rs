//! Showing the picture of a broadcast.

use axum::{
    body::{Body, Bytes},
    extract::{Path, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use futures_util::stream;

use crate::{App, page::Failure};

/// How much is sent at a time.
const PART_BYTES: usize = 64 * 1024;
/// The address names the content, so it never changes.
const CACHED: &str = "private, max-age=31536000, immutable";

/// The address of a stored picture.
pub(super) fn address(base: &str, id: &str) -> String {
    format!("{base}/broadcasts/pictures/{id}")
}

/// Sends a stored picture.
pub(crate) async fn show(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Response, Failure> {
    let id = id.parse().map_err(|_| Failure::NotFound)?;
    let pictures = app.broadcasts.pictures();
    let picture = pictures.find(id).await?.ok_or(Failure::NotFound)?;
    // Each holds its content while its browser is slow.
    let Ok(room) = app.pictures.clone().acquire_owned().await else {
        return Ok(StatusCode::SERVICE_UNAVAILABLE.into_response());
    };
    let content = Bytes::from(pictures.content(id).await?.ok_or(Failure::NotFound)?);
    let length = content.len();
    let parts = stream::unfold((content, room), async |(mut rest, room)| {
        let part = rest.split_to(rest.len().min(PART_BYTES));
        (!part.is_empty()).then_some((Ok::<_, std::convert::Infallible>(part), (rest, room)))
    });
    let headers = [
        (header::CONTENT_TYPE, picture.shape.kind.media_type().to_owned()),
        (header::CONTENT_LENGTH, length.to_string()),
        (header::CACHE_CONTROL, CACHED.to_owned()),
    ];
    Ok((headers, Body::from_stream(parts)).into_response())
}
