//! The form of a broadcast as it was sent, with the picture that was picked.

use axum::{
    Form,
    extract::{FromRequest, Multipart, Request, multipart::MultipartError},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use rollcall_domain::{InvalidPicture, MAX_PICTURE_BYTES};
use rollcall_service::{PictureError, PictureService};
use tokio::sync::OwnedSemaphorePermit;

use crate::{App, page::Failure, request::form_token::LARGEST_BODY_BYTES};

/// The largest form with a picture. A picture that is too large is read and thrown away up to here, so that
/// the form can be shown again with what is wrong.
pub(crate) const LARGEST_UPLOAD_BYTES: usize = 50 * 1024 * 1024;
/// The field of the picture.
const FIELD: &str = "file";

/// The fields of a form, and its file.
pub(crate) struct FilledForm {
    pub(super) pairs: Vec<(String, String)>,
    file: Option<File>,
    /// Bounds how many files are held at once.
    _room: Option<OwnedSemaphorePermit>,
}

/// A file, as far as it is kept.
struct File {
    content: Vec<u8>,
    /// Its length, which may be more.
    bytes: usize,
}

impl FilledForm {
    /// Stores the picture, if one was picked. Returns its id, or what is wrong with it.
    pub(super) async fn store(
        &mut self,
        pictures: &PictureService,
    ) -> Result<Option<Result<String, String>>, Failure> {
        let Some(File { content, bytes }) = self.file.take() else { return Ok(None) };
        let stored = match bytes > MAX_PICTURE_BYTES {
            true => Err(InvalidPicture::TooLarge(bytes).into()),
            false => pictures.store(content).await,
        };
        match stored {
            Ok(id) => Ok(Some(Ok(id.to_string()))),
            Err(PictureError::Invalid(error)) => Ok(Some(Err(error.to_string()))),
            Err(PictureError::Service(error)) => Err(error.into()),
        }
    }
}

impl FromRequest<App> for FilledForm {
    type Rejection = Response;

    async fn from_request(request: Request, app: &App) -> Result<Self, Response> {
        let kind = request.headers().get(header::CONTENT_TYPE);
        if !kind.is_some_and(|kind| kind.as_bytes().starts_with(b"multipart/form-data")) {
            let Form(pairs) =
                Form::from_request(request, app).await.map_err(IntoResponse::into_response)?;
            return Ok(Self { pairs, file: None, _room: None });
        }
        let room = app.pictures.clone().acquire_owned().await;
        let room = room.map_err(|_| StatusCode::SERVICE_UNAVAILABLE.into_response())?;
        let form = Multipart::from_request(request, app).await;
        let mut form = form.map_err(IntoResponse::into_response)?;
        let (pairs, file) = read(&mut form).await.map_err(|status| status.into_response())?;
        Ok(Self { pairs, file, _room: Some(room) })
    }
}

async fn read(form: &mut Multipart) -> Result<(Vec<(String, String)>, Option<File>), StatusCode> {
    let failed = |error: MultipartError| error.status();
    let (mut pairs, mut file) = (Vec::new(), None);
    let mut room_bytes = LARGEST_BODY_BYTES;
    while let Some(mut field) = form.next_field().await.map_err(failed)? {
        let name = field.name().unwrap_or_default().to_owned();
        let is_file = name == FIELD && field.file_name().is_some();
        let most = if is_file { MAX_PICTURE_BYTES } else { room_bytes };
        let (mut content, mut bytes) = (Vec::new(), 0);
        while let Some(chunk) = field.chunk().await.map_err(failed)? {
            bytes += chunk.len();
            if bytes <= most {
                content.extend_from_slice(&chunk);
            } else if is_file {
                // What is too large is refused anyway.
                content = Vec::new();
            } else {
                return Err(StatusCode::PAYLOAD_TOO_LARGE);
            }
        }
        if !is_file {
            room_bytes -= bytes;
            let text = String::from_utf8(content).map_err(|_| StatusCode::BAD_REQUEST)?;
            pairs.push((name, text));
        } else if bytes > 0 {
            file = Some(File { content, bytes });
        }
    }
    Ok((pairs, file))
}
