//! The API on the HTTP server.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::Arc,
};

use axum::{
    Extension, Router,
    extract::{ConnectInfo, Request, State},
    middleware::{Next, from_fn_with_state},
    response::Response,
};
use rollcall_admin::client_address;
use rollcall_api::Client;
use rollcall_conversation::{COMMANDS, button_family};
use rollcall_domain::SystemClock;
use rollcall_service::{AdminService, LabelService, UserService};
use rollcall_telegram::Intake;

use crate::{http::Ticket, services::Services, settings::HttpSettings};

/// Every request of the API.
pub(crate) fn api(
    settings: &HttpSettings,
    services: &Services,
    admins: AdminService,
    labels: LabelService,
    users: UserService,
) -> Router {
    let services = rollcall_api::Services {
        activity: services.activity(),
        admins,
        audience: services.audience(),
        broadcasts: services.broadcasts(),
        directory: services.directory(),
        intake: Intake::new(users.clone(), SystemClock, COMMANDS, button_family),
        labels,
        segments: services.segments(),
        users,
    };
    rollcall_api::router(settings.prefix(), services)
        .layer(from_fn_with_state(settings.clone(), name_client))
}

/// Adds the client to a request. A client with a valid key may have many connections, as Telegram may.
async fn name_client(
    State(settings): State<HttpSettings>,
    peer: Option<Extension<ConnectInfo<SocketAddr>>>,
    connection: Option<Extension<Arc<Ticket>>>,
    mut request: Request,
    next: Next,
) -> Response {
    let peer: IpAddr = peer.map_or(Ipv4Addr::UNSPECIFIED.into(), |it| it.0.0.ip());
    let HttpSettings { trusted_proxies, forwarded_header, .. } = &settings;
    let address = client_address(trusted_proxies, peer, *forwarded_header, request.headers());
    let client = Client::new(address, move || {
        if let Some(Extension(connection)) = &connection {
            connection.trust();
        }
    });
    request.extensions_mut().insert(client);
    next.run(request).await
}
