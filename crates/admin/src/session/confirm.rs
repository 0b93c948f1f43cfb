//! Confirming one's identity: the second factor of a sign-in, and the question before sensitive
//! actions.

use askama::Template;
use axum::{
    Extension, Form,
    body::to_bytes,
    extract::{FromRequestParts, Query, Request, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Redirect, Response},
};
use rollcall_service::{PasskeySite, Proof, ServiceError, Session, Standing};

use super::{
    Refusal,
    next_page::{self, Next},
    passkey_site::{origins, sites},
    session_cookie,
};
use crate::{
    App,
    page::{Failure, Layout, render},
    request::{
        ClientDevice,
        form_token::{FIELD, LARGEST_BODY_BYTES},
        remember_device,
    },
};

/// The prefix of the names of fields that are kept from the original form.
const KEPT: &str = "kept.";

#[derive(Template)]
#[template(path = "confirm.html")]
struct Page {
    layout: Layout,
    proof: Proof,
    factors: Factors,
    is_signing_in: bool,
    trouble: Option<String>,
    original: Original,
}

/// The second factors that the admin can use here.
#[derive(Default)]
struct Factors {
    has_app: bool,
    /// Whether a passkey belongs to one of the sites.
    passkey_here: bool,
    /// The sites that this page may be shown at.
    sites: Vec<PasskeySite>,
    /// A hint if all passkeys belong to other hosts; otherwise "".
    elsewhere: String,
}

impl Factors {
    async fn of(app: &App, session: &Session, headers: &HeaderMap) -> Result<Self, ServiceError> {
        if session.proof() != Proof::Factor {
            return Ok(Self::default());
        }
        let known = app.admins.second_factors(&session.admin).await?;
        let sites = sites(&app.settings, headers);
        let mut hosts: Vec<&str> = known.passkeys.iter().map(|it| &*it.host).collect();
        hosts.dedup();
        let elsewhere = match hosts[..] {
            [] => String::new(),
            _ => format!("Your passkeys work only at {}.", hosts.join(", ")),
        };
        Ok(Self {
            has_app: known.app_since.is_some(),
            passkey_here: sites.iter().any(|site| known.has_passkey_for(site.host())),
            sites,
            elsewhere,
        })
    }

    fn origins(&self) -> String {
        origins(&self.sites)
    }
}

/// The proof that was sent.
enum Sent {
    /// A code, a password or a link.
    Text(String),
    /// The browser's answer for a passkey, as JSON.
    Passkey(String),
}

/// The page that sends the original form again.
#[derive(Template)]
#[template(path = "go_on.html")]
struct Resume {
    layout: Layout,
    original: Original,
}

/// The original request, which continues after the confirmation.
#[derive(Default)]
struct Original {
    /// The page to go to.
    next: String,
    /// The path of the form; "" if it was none.
    action: String,
    /// The fields of the form.
    fields: Vec<(String, String)>,
}

/// Asks for a proof before a page.
pub(crate) async fn form(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    headers: HeaderMap,
    layout: Layout,
    Query(Next { next }): Query<Next>,
) -> Result<Response, Failure> {
    if session.standing != Standing::OwesFactor && session.is_confirmed {
        return Ok(Redirect::to(next_page::or_first(&app.base, &next)).into_response());
    }
    let original = Original { next, ..Original::default() };
    let factors = Factors::of(&app, &session, &headers).await?;
    Ok(render(&Page::new(layout, &session, factors, original, None)))
}

/// Asks for a proof before a form. The page keeps its fields, to send them again.
pub(crate) async fn ask_before(app: App, session: Session, request: Request) -> Response {
    let (mut parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, LARGEST_BODY_BYTES).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let Ok(fields) = serde_urlencoded::from_bytes::<Vec<(String, String)>>(&body) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let action = parts.uri.path().to_owned();
    // Passwords are never written into a page. The admin has to enter them again.
    let is_kept = |name: &str| name != FIELD && !name.contains("password");
    let fields = fields.into_iter().filter(|(name, _)| is_kept(name)).collect();
    let original = Original { action, fields, ..Original::default() };
    let layout = match Layout::from_request_parts(&mut parts, &app).await {
        Ok(layout) => layout,
        Err(never) => match never {},
    };
    let factors = match Factors::of(&app, &session, &parts.headers).await {
        Ok(factors) => factors,
        Err(error) => return Failure::from(error).into_response(),
    };
    let page = render(&Page::new(layout, &session, factors, original, None));
    (StatusCode::UNAUTHORIZED, page).into_response()
}

/// Checks the proof.
pub(crate) async fn confirm(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    ClientDevice(device): ClientDevice,
    headers: HeaderMap,
    layout: Layout,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response, Failure> {
    let (sent, original) = read(pairs);
    let owes = session.standing == Standing::OwesFactor;
    // Another tab, or a link from the bot, may have confirmed meanwhile.
    if !owes && session.is_confirmed {
        return Ok(resume(&app, layout, original));
    }
    let token = session_cookie::token(&app.settings, &headers).unwrap_or_default();
    let confirmed = match &sent {
        Sent::Text(proof) if proof.is_empty() => {
            let trouble = Some("Fill in the field.".to_owned());
            let factors = Factors::of(&app, &session, &headers).await?;
            let page = render(&Page::new(layout, &session, factors, original, trouble));
            return Ok((StatusCode::BAD_REQUEST, page).into_response());
        }
        Sent::Text(proof) => app.admins.confirm(&token, proof, device).await,
        Sent::Passkey(answer) => app.admins.confirm_by_passkey(&token, answer, device).await,
    };
    match confirmed {
        Ok(confirmed) => {
            let response = resume(&app, layout, original);
            Ok(match confirmed.token {
                Some(token) => {
                    let response = session_cookie::set(&app.settings, &token, response);
                    remember_device(&app, &headers, token.as_str(), response).await?
                }
                None => response,
            })
        }
        Err(error) => {
            let refusal = Refusal::of(error, wrong(session.proof(), &sent))?;
            let trouble = Some(refusal.trouble.clone());
            let factors = Factors::of(&app, &session, &headers).await?;
            let page = render(&Page::new(layout, &session, factors, original, trouble));
            Ok(refusal.answer(page).await)
        }
    }
}

/// The proof, and the original request.
fn read(pairs: Vec<(String, String)>) -> (Sent, Original) {
    let (mut proof, mut passkey) = (String::new(), None);
    let mut original = Original::default();
    for (name, value) in pairs {
        match name.as_str() {
            // A code or, if that field is empty, a recovery code.
            "proof" | "recovery" if proof.is_empty() => proof = value.trim().to_owned(),
            "passkey" => passkey = Some(value),
            "next" => original.next = value,
            "action" => original.action = value,
            _ => {
                if let Some(name) = name.strip_prefix(KEPT) {
                    original.fields.push((name.to_owned(), value));
                }
            }
        }
    }
    (passkey.map_or(Sent::Text(proof), Sent::Passkey), original)
}

fn resume(app: &App, layout: Layout, original: Original) -> Response {
    let action = next_page::or_first(&app.base, &original.action);
    if original.action.is_empty() || action != original.action {
        return Redirect::to(next_page::or_first(&app.base, &original.next)).into_response();
    }
    render(&Resume { layout, original })
}

fn wrong(proof: Proof, sent: &Sent) -> &'static str {
    match proof {
        _ if matches!(sent, Sent::Passkey(_)) => {
            "The passkey could not be verified, or this took longer than five minutes. Try again."
        }
        Proof::Factor => {
            "The code is wrong or was used already. Wait for the next code of the app."
        }
        Proof::Password => "The password is wrong.",
        Proof::Link => {
            "This link does not work: it was used already, has expired, or belongs to another \
             admin. Send /admin to the bot to get a new one."
        }
    }
}

impl Page {
    fn new(
        layout: Layout,
        session: &Session,
        factors: Factors,
        original: Original,
        trouble: Option<String>,
    ) -> Self {
        Self {
            layout,
            proof: session.proof(),
            factors,
            is_signing_in: session.standing == Standing::OwesFactor,
            trouble,
            original,
        }
    }
}
