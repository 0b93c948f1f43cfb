//! Proving one's identity: the second factor of a sign-in, and again before what cannot be undone.

use askama::Template;
use axum::{
    Extension, Form,
    body::to_bytes,
    extract::{FromRequestParts, Query, Request, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Redirect, Response},
};
use rollcall_service::{Proof, Session, Standing};

use crate::{
    App,
    device::{self, From},
    explain::Failure,
    form::FIELD,
    frame::{Frame, page},
    routes::LARGEST_BODY_BYTES,
    session,
    sign_in::{self, Next, Refusal},
};

/// What the names of the fields begin with that somebody sent before they were asked.
const KEPT: &str = "kept.";

#[derive(Template)]
#[template(path = "confirm.html")]
struct Page {
    frame: Frame,
    proof: Proof,
    is_signing_in: bool,
    trouble: Option<String>,
    wanted: Wanted,
}

/// Goes on with a form, after the question.
#[derive(Template)]
#[template(path = "go_on.html")]
struct GoOn {
    frame: Frame,
    wanted: Wanted,
}

/// What somebody wanted before they were asked who they are.
#[derive(Default)]
struct Wanted {
    /// A page to go to.
    next: String,
    /// Where a form was sent to; "" where it was none.
    action: String,
    /// The fields of the form.
    fields: Vec<(String, String)>,
}

/// Asks for a proof, and then goes on to a page.
pub(crate) async fn form(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    frame: Frame,
    Query(Next { next }): Query<Next>,
) -> Response {
    if session.standing != Standing::OwesFactor && session.is_confirmed {
        return Redirect::to(sign_in::ours(&app.base, &next)).into_response();
    }
    let wanted = Wanted { next, ..Wanted::default() };
    page(&Page::new(frame, &session, wanted, None))
}

/// Asks for a proof before a form is acted on. What was sent stands in the page, to be sent again.
pub(crate) async fn ask_before(app: App, session: Session, request: Request) -> Response {
    let (mut parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, LARGEST_BODY_BYTES).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let Ok(fields) = serde_urlencoded::from_bytes::<Vec<(String, String)>>(&body) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let action = parts.uri.path().to_owned();
    // A password is not written into a page: where one was sent, it is asked for again.
    let is_kept = |name: &str| name != FIELD && !name.contains("password");
    let fields = fields.into_iter().filter(|(name, _)| is_kept(name)).collect();
    let wanted = Wanted { action, fields, ..Wanted::default() };
    let frame = match Frame::from_request_parts(&mut parts, &app).await {
        Ok(frame) => frame,
        Err(never) => match never {},
    };
    (StatusCode::UNAUTHORIZED, page(&Page::new(frame, &session, wanted, None))).into_response()
}

/// Takes the proof.
pub(crate) async fn confirm(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    From(device): From,
    headers: HeaderMap,
    frame: Frame,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response, Failure> {
    let (proof, wanted) = read(pairs);
    let owes = session.standing == Standing::OwesFactor;
    // Another tab may have been faster, or a link that was opened meanwhile.
    if !owes && session.is_confirmed {
        return Ok(go_on(&app, frame, wanted));
    }
    if proof.is_empty() {
        let trouble = Some("Fill in the field.".to_owned());
        let page = page(&Page::new(frame, &session, wanted, trouble));
        return Ok((StatusCode::BAD_REQUEST, page).into_response());
    }
    let token = session::token(&app.settings, &headers).unwrap_or_default();
    match app.admins.confirm(&token, &proof, device).await {
        Ok(confirmed) => {
            let response = go_on(&app, frame, wanted);
            Ok(match confirmed.token {
                Some(token) => {
                    let response = session::begin(&app.settings, &token, response);
                    device::remember(&app, &headers, token.as_str(), response).await?
                }
                None => response,
            })
        }
        Err(error) => {
            let refusal = Refusal::of(error, wrong(session.proof()))?;
            let trouble = Some(refusal.trouble.clone());
            Ok(refusal.answer(page(&Page::new(frame, &session, wanted, trouble))).await)
        }
    }
}

/// What was sent: the proof, and what was wanted.
fn read(pairs: Vec<(String, String)>) -> (String, Wanted) {
    let (mut proof, mut wanted) = (String::new(), Wanted::default());
    for (name, value) in pairs {
        match name.as_str() {
            // A code, or where that field is empty, a recovery code.
            "proof" | "recovery" if proof.is_empty() => proof = value.trim().to_owned(),
            "next" => wanted.next = value,
            "action" => wanted.action = value,
            _ => {
                if let Some(name) = name.strip_prefix(KEPT) {
                    wanted.fields.push((name.to_owned(), value));
                }
            }
        }
    }
    (proof, wanted)
}

fn go_on(app: &App, frame: Frame, wanted: Wanted) -> Response {
    let action = sign_in::ours(&app.base, &wanted.action);
    if wanted.action.is_empty() || action != wanted.action {
        return Redirect::to(sign_in::ours(&app.base, &wanted.next)).into_response();
    }
    page(&GoOn { frame, wanted })
}

fn wrong(proof: Proof) -> &'static str {
    match proof {
        Proof::Factor => {
            "The code is wrong, or was used before. Wait until the app shows another one."
        }
        Proof::Password => "The password is wrong.",
        Proof::Link => {
            "This link does not work: it was used, is older than five minutes, or is somebody \
             else’s. Send /admin to the bot for a new one."
        }
    }
}

impl Page {
    fn new(frame: Frame, session: &Session, wanted: Wanted, trouble: Option<String>) -> Self {
        Self {
            frame,
            proof: session.proof(),
            is_signing_in: session.standing == Standing::OwesFactor,
            trouble,
            wanted,
        }
    }
}
