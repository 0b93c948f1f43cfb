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
use rollcall_api::{Api, Client};
use rollcall_conversation::{COMMANDS, button_family};
use rollcall_domain::SystemClock;
use rollcall_service::{AdminService, LabelService, UserService};
use rollcall_telegram::Intake;

use crate::{http::Ticket, services::Services, settings::HttpSettings};

/// Every request of the API, and a second time with the replica, if there is one.
pub(crate) fn api(
    settings: &HttpSettings,
    services: &Services,
    admins: AdminService,
    labels: LabelService,
    users: UserService,
) -> (Router, Option<Router>) {
    let reads = |services: &Services| rollcall_api::Reads {
        activity: services.activity(),
        audience: services.audience(),
        directory: services.directory(),
        segments: services.segments(),
    };
    let on_replica = services.on_replica();
    let api = Api::new(rollcall_api::Services {
        reads: reads(services),
        admins,
        broadcasts: services.broadcasts(),
        intake: Intake::new(users.clone(), SystemClock, COMMANDS, button_family),
        labels,
        users,
    });
    let router = |api: &Api| {
        let router = api.router(settings.prefix());
        router.layer(from_fn_with_state(settings.clone(), name_client))
    };
    (router(&api), on_replica.map(|replica| router(&api.reading(reads(&replica)))))
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
