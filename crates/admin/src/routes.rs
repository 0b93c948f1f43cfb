//! The routes, and which role each needs.

use std::time::Duration;

use axum::{
    Router,
    extract::DefaultBodyLimit,
    http::{Method, StatusCode},
    middleware::{from_fn_with_state, map_response_with_state},
    routing::{MethodRouter, get, post},
};
use rollcall_domain::Role;
use tower_http::{compression::CompressionLayer, timeout::TimeoutLayer};

use crate::{
    Access, App,
    account::{overview as account, passkeys, password, second_factor, theme, time_zone},
    admins::{accounts as admins, invitations},
    audience::{changes, count, start_change, tags},
    audit,
    broadcasts::{
        change as change_broadcast, compose, list as broadcasts, one as broadcast, pick,
        picked::LARGEST_UPLOAD_BYTES, picture, progress, recipients, resend, send_test,
        start as start_broadcast,
    },
    dashboard::{self, definitions},
    page, request,
    request::form_token::{self, LARGEST_BODY_BYTES},
    requests,
    segments::{delete as delete_segment, edit as edit_segment, list as segments, one as segment},
    session::{check_access, confirm, mini_app, sign_in},
    users::{copy, delete, detail, export, labels, list, preferences},
};

/// The path of the export of users, below the prefix: a form that changes nothing.
pub const EXPORT: &str = "/admin/export";

/// How long a request may take, including the upload of its body.
const LONGEST: Duration = Duration::from_secs(30);

/// A route of the admin.
#[derive(Clone, Debug)]
pub struct Route {
    /// GET to show something, POST to change something.
    pub method: Method,
    /// The path below the prefix, with parameters in braces.
    pub path: &'static str,
    /// The required session and role.
    pub access: Access,
    handler: fn() -> MethodRouter<App>,
}

/// All routes. The router is built from this table alone.
pub fn routes() -> Vec<Route> {
    use Access::{Anybody, Begun, Setup};
    let viewer = Access::Role(Role::Viewer);
    let editor = Access::Role(Role::Editor);
    let owner = Access::Role(Role::Owner);
    let sure_viewer = Access::Confirmed(Role::Viewer);
    let sure_owner = Access::Confirmed(Role::Owner);
    let see = |path, access, handler| Route { method: Method::GET, path, access, handler };
    let act = |path, access, handler| Route { method: Method::POST, path, access, handler };
    vec![
        see("/admin/assets/{name}", Anybody, || get(page::get_asset)),
        see("/admin/sign-in", Anybody, || get(sign_in::form)),
        act("/admin/sign-in", Anybody, || post(sign_in::by_password)),
        see("/admin/link/{token}", Anybody, || get(sign_in::link)),
        act("/admin/link/{token}", Anybody, || post(sign_in::by_link)),
        see("/admin/telegram", Anybody, || get(mini_app::open)),
        act("/admin/telegram", Anybody, || post(mini_app::sign_in)),
        act("/admin/sign-out", Anybody, || post(sign_in::out)),
        act("/admin/sign-out-everywhere", viewer, || post(sign_in::out_everywhere)),
        see("/admin/confirm", Begun, || get(confirm::form)),
        act("/admin/confirm", Begun, || post(confirm::confirm)),
        act("/admin/confirm/challenge", Begun, || post(passkeys::ask)),
        see("/admin/invitation/{token}", Anybody, || get(invitations::look)),
        act("/admin/invitation/{token}", Anybody, || post(invitations::accept)),
        see("/admin/account", viewer, || get(account::show)),
        act("/admin/account/sessions/end", viewer, || post(account::end_session)),
        act("/admin/account/sessions/end-others", viewer, || post(account::end_others)),
        see("/admin/account/password", sure_viewer, || get(password::form)),
        act("/admin/account/password", sure_viewer, || post(password::change)),
        see("/admin/account/second-factor", Setup, || get(second_factor::set_up)),
        act("/admin/account/second-factor", Setup, || post(second_factor::turn_on)),
        act("/admin/account/second-factor/off", sure_viewer, || post(second_factor::turn_off)),
        see("/admin/account/passkeys", Setup, || get(passkeys::form)),
        act("/admin/account/passkeys", Setup, || post(passkeys::add)),
        act("/admin/account/passkeys/challenge", Setup, || post(passkeys::offer)),
        act("/admin/account/passkeys/remove", sure_viewer, || post(passkeys::remove)),
        act("/admin/account/recovery-codes", sure_viewer, || post(second_factor::renew_codes)),
        act("/admin/theme", viewer, || post(theme::set)),
        act("/admin/zone", viewer, || post(time_zone::set)),
        see("/admin", viewer, || get(dashboard::show)),
        see("/admin/", viewer, || get(dashboard::show)),
        see("/admin/figures", viewer, || get(definitions::show)),
        see("/admin/figures/{name}", viewer, || get(dashboard::file)),
        see("/admin/users", viewer, || get(list::list)),
        see("/admin/users/count", viewer, || get(count::show)),
        see("/admin/users/{id}", viewer, || get(detail::show)),
        act("/admin/users/{id}/copy", sure_owner, || post(copy::download)),
        act("/admin/users/{id}/note", editor, || post(detail::note)),
        act("/admin/users/{id}/labels", editor, || post(labels::change)),
        act("/admin/users/{id}/preferences", editor, || post(preferences::change)),
        see("/admin/tags", viewer, || get(tags::list)),
        act("/admin/tags", editor, || post(tags::create)),
        see("/admin/tags/{name}", editor, || get(tags::one)),
        act("/admin/tags/{name}", editor, || post(tags::describe)),
        act("/admin/tags/{name}/delete", editor, || post(tags::delete)),
        see("/admin/changes", editor, || get(changes::list)),
        act("/admin/changes", editor, || post(start_change::begin)),
        see("/admin/changes/new", editor, || get(start_change::ask)),
        act("/admin/changes/undo", editor, || post(changes::undo)),
        act("/admin/changes/resume", editor, || post(changes::resume)),
        act("/admin/tags/selected", editor, || post(labels::change_selected)),
        see("/admin/segments", viewer, || get(segments::list)),
        see("/admin/segments/new", editor, || get(edit_segment::ask)),
        act("/admin/segments/new", editor, || post(edit_segment::create)),
        see("/admin/segments/{name}", viewer, || get(segment::show)),
        see("/admin/segments/{name}/edit", editor, || get(edit_segment::edit)),
        act("/admin/segments/{name}/edit", editor, || post(edit_segment::change)),
        see("/admin/segments/{name}/delete", editor, || get(delete_segment::ask)),
        act("/admin/segments/{name}/delete", editor, || post(delete_segment::delete)),
        see("/admin/broadcasts", viewer, || get(broadcasts::list)),
        see("/admin/broadcasts/new", owner, || get(compose::ask)),
        act("/admin/broadcasts/new", owner, || {
            post(compose::submit).layer(DefaultBodyLimit::max(LARGEST_UPLOAD_BYTES))
        }),
        see("/admin/broadcasts/pictures/{picture}", viewer, || get(picture::show)),
        see("/admin/broadcasts/{id}", viewer, || get(broadcast::show)),
        see("/admin/broadcasts/{id}/progress", viewer, || get(progress::events)),
        act("/admin/broadcasts/{id}/recipients", sure_owner, || post(recipients::export)),
        act("/admin/broadcasts/{id}/test", owner, || post(send_test::of_stored)),
        see("/admin/broadcasts/{id}/start", owner, || get(start_broadcast::ask)),
        act("/admin/broadcasts/{id}/start", sure_owner, || post(start_broadcast::start)),
        act("/admin/broadcasts/{id}/pause", owner, || post(change_broadcast::pause)),
        act("/admin/broadcasts/{id}/pick", owner, || post(pick::pick)),
        act("/admin/broadcasts/{id}/resume", owner, || post(change_broadcast::resume)),
        act("/admin/broadcasts/{id}/resend", owner, || post(resend::resend)),
        see("/admin/broadcasts/{id}/cancel", owner, || get(change_broadcast::ask_to_cancel)),
        act("/admin/broadcasts/{id}/cancel", owner, || post(change_broadcast::cancel)),
        see("/admin/delete", owner, || get(delete::ask)),
        act("/admin/delete/selected", owner, || post(delete::ask_about_selected)),
        act("/admin/delete", sure_owner, || post(delete::delete)),
        act(EXPORT, sure_owner, || post(export::export)),
        see("/admin/requests", owner, || get(requests::list)),
        act("/admin/requests", owner, || post(requests::add)),
        act("/admin/requests/finish", owner, || post(requests::finish)),
        see("/admin/audit", owner, || get(audit::list)),
        see("/admin/admins", owner, || get(admins::list)),
        see("/admin/admins/{name}", owner, || get(admins::one)),
        act("/admin/admins/{name}/role", sure_owner, || post(admins::set_role)),
        act("/admin/admins/{name}/reset-second-factor", sure_owner, || post(admins::reset_factor)),
        act("/admin/admins/{name}/remove", sure_owner, || post(admins::remove)),
        act("/admin/invitations", sure_owner, || post(invitations::invite)),
        act("/admin/invitations/withdraw", sure_owner, || post(invitations::withdraw)),
        act("/admin/admins/{name}/disable", sure_owner, || post(admins::disable)),
        act("/admin/admins/{name}/enable", sure_owner, || post(admins::enable)),
        act("/admin/admins/{name}/sign-out", sure_owner, || post(admins::sign_out)),
    ]
}

/// The router of all routes, with the middleware around them.
pub(crate) fn router(app: App) -> Router {
    let mut router = Router::new();
    for route in routes() {
        let guard = from_fn_with_state((app.clone(), route.access), check_access);
        let path = format!("{}{}", app.settings.prefix, route.path);
        router = router.route(&path, (route.handler)().route_layer(guard));
    }
    router
        // From the inside out.
        .layer(DefaultBodyLimit::max(LARGEST_BODY_BYTES))
        .layer(request::refuse_forged_requests(&app.settings))
        .layer(from_fn_with_state(app.clone(), form_token::guard))
        .layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, LONGEST))
        .layer(from_fn_with_state(app.clone(), page::explain))
        .layer(from_fn_with_state(app.clone(), request::leave_out_empty_fields))
        .layer(from_fn_with_state(app.clone(), request::admit))
        .layer(map_response_with_state(app.clone(), request::set_headers))
        .layer(CompressionLayer::new().gzip(true))
        .with_state(app)
}
