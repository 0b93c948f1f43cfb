//! Regular work in the background, as [`maintain`] and the others describe it.

use std::convert::Infallible;

use rollcall_service::{
    AdminService, LabelService, UserService, forget_pictures, forget_privacy_requests,
    forget_sessions, maintain,
};

use crate::services::Services;

/// Maintains the database, forever.
pub(crate) async fn run(
    users: UserService,
    admins: AdminService,
    labels: LabelService,
    services: &Services,
) -> Infallible {
    tokio::select! {
        never = maintain(users, services.directory(), labels, services.segments()) => never,
        never = forget_sessions(admins) => never,
        never = forget_privacy_requests(services.privacy_requests()) => never,
        never = forget_pictures(services.broadcasts().pictures().clone()) => never,
    }
}
