//! Proving one's identity: the second factor of a sign-in, and again before what cannot be undone.

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

/// What the names of the fields begin with that somebody sent before they were asked.
const KEPT: &str = "kept.";

#[derive(Template)]
#[template(path = "confirm.html")]
struct Page {
    layout: Layout,
    proof: Proof,
    means: Means,
    is_signing_in: bool,
    trouble: Option<String>,
    wanted: Wanted,
}

/// By which second factors somebody can prove who they are.
#[derive(Default)]
struct Means {
    has_app: bool,
    /// Whether there is a passkey for one of the sites.
    passkey_here: bool,
    /// Where this page may be.
    sites: Vec<PasskeySite>,
    /// What to say where there are passkeys, but for other hosts only; else "".
    elsewhere: String,
}

impl Means {
    async fn of(app: &App, session: &Session, headers: &HeaderMap) -> Result<Self, ServiceError> {
        if session.proof() != Proof::Factor {
            return Ok(Self::default());
        }
        let factors = app.admins.second_factors(&session.admin).await?;
        let sites = sites(&app.settings, headers);
        let mut hosts: Vec<&str> = factors.passkeys.iter().map(|it| &*it.host).collect();
        hosts.dedup();
        let elsewhere = match hosts[..] {
            [] => String::new(),
            _ => format!("Your passkeys are for {}, and cannot be used here.", hosts.join(", ")),
        };
        Ok(Self {
            has_app: factors.app_since.is_some(),
            passkey_here: sites.iter().any(|site| factors.has_passkey_for(site.host())),
            sites,
            elsewhere,
        })
    }

    fn origins(&self) -> String {
        origins(&self.sites)
    }
}

/// What somebody sent to prove who they are.
enum Given {
    /// A code, a password or a link.
    Text(String),
    /// What the browser answered for a passkey, as JSON.
    Passkey(String),
}

/// Goes on with a form, after the question.
#[derive(Template)]
#[template(path = "go_on.html")]
struct GoOn {
    layout: Layout,
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
    headers: HeaderMap,
    layout: Layout,
    Query(Next { next }): Query<Next>,
) -> Result<Response, Failure> {
    if session.standing != Standing::OwesFactor && session.is_confirmed {
        return Ok(Redirect::to(next_page::or_first(&app.base, &next)).into_response());
    }
    let wanted = Wanted { next, ..Wanted::default() };
    let means = Means::of(&app, &session, &headers).await?;
    Ok(render(&Page::new(layout, &session, means, wanted, None)))
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
    let layout = match Layout::from_request_parts(&mut parts, &app).await {
        Ok(layout) => layout,
        Err(never) => match never {},
    };
    let means = match Means::of(&app, &session, &parts.headers).await {
        Ok(means) => means,
        Err(error) => return Failure::from(error).into_response(),
    };
    let page = render(&Page::new(layout, &session, means, wanted, None));
    (StatusCode::UNAUTHORIZED, page).into_response()
}

/// Takes the proof.
pub(crate) async fn confirm(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    ClientDevice(device): ClientDevice,
    headers: HeaderMap,
    layout: Layout,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response, Failure> {
    let (given, wanted) = read(pairs);
    let owes = session.standing == Standing::OwesFactor;
    // Another tab may have been faster, or a link that was opened meanwhile.
    if !owes && session.is_confirmed {
        return Ok(go_on(&app, layout, wanted));
    }
    let token = session_cookie::token(&app.settings, &headers).unwrap_or_default();
    let confirmed = match &given {
        Given::Text(proof) if proof.is_empty() => {
            let trouble = Some("Fill in the field.".to_owned());
            let means = Means::of(&app, &session, &headers).await?;
            let page = render(&Page::new(layout, &session, means, wanted, trouble));
            return Ok((StatusCode::BAD_REQUEST, page).into_response());
        }
        Given::Text(proof) => app.admins.confirm(&token, proof, device).await,
        Given::Passkey(answer) => app.admins.confirm_by_passkey(&token, answer, device).await,
    };
    match confirmed {
        Ok(confirmed) => {
            let response = go_on(&app, layout, wanted);
            Ok(match confirmed.token {
                Some(token) => {
                    let response = session_cookie::set(&app.settings, &token, response);
                    remember_device(&app, &headers, token.as_str(), response).await?
                }
                None => response,
            })
        }
        Err(error) => {
            let refusal = Refusal::of(error, wrong(session.proof(), &given))?;
            let trouble = Some(refusal.trouble.clone());
            let means = Means::of(&app, &session, &headers).await?;
            let page = render(&Page::new(layout, &session, means, wanted, trouble));
            Ok(refusal.answer(page).await)
        }
    }
}

/// What was sent: the proof, and what was wanted.
fn read(pairs: Vec<(String, String)>) -> (Given, Wanted) {
    let (mut proof, mut passkey) = (String::new(), None);
    let mut wanted = Wanted::default();
    for (name, value) in pairs {
        match name.as_str() {
            // A code, or where that field is empty, a recovery code.
            "proof" | "recovery" if proof.is_empty() => proof = value.trim().to_owned(),
            "passkey" => passkey = Some(value),
            "next" => wanted.next = value,
            "action" => wanted.action = value,
            _ => {
                if let Some(name) = name.strip_prefix(KEPT) {
                    wanted.fields.push((name.to_owned(), value));
                }
            }
        }
    }
    (passkey.map_or(Given::Text(proof), Given::Passkey), wanted)
}

fn go_on(app: &App, layout: Layout, wanted: Wanted) -> Response {
    let action = next_page::or_first(&app.base, &wanted.action);
    if wanted.action.is_empty() || action != wanted.action {
        return Redirect::to(next_page::or_first(&app.base, &wanted.next)).into_response();
    }
    render(&GoOn { layout, wanted })
}

fn wrong(proof: Proof, given: &Given) -> &'static str {
    match proof {
        _ if matches!(given, Given::Passkey(_)) => {
            "The passkey could not be verified, or this took longer than five minutes. Try again."
        }
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
    fn new(
        layout: Layout,
        session: &Session,
        means: Means,
        wanted: Wanted,
        trouble: Option<String>,
    ) -> Self {
        Self {
            layout,
            proof: session.proof(),
            means,
            is_signing_in: session.standing == Standing::OwesFactor,
            trouble,
            wanted,
        }
    }
}
