//! Regular work in the background, as [`maintain`] and the others describe it.

use std::convert::Infallible;

use rollcall_service::{
    AdminService, LabelService, Retention, UserService, forget_pictures, forget_privacy_requests,
    forget_sessions, maintain, retain,
};

use crate::services::Services;

/// Maintains the database, forever.
pub(crate) async fn run(
    users: UserService,
    admins: AdminService,
    labels: LabelService,
    retention: Retention,
    services: &Services,
) -> Infallible {
    let retention = services.retention(admins.clone(), retention);
    tokio::select! {
        never = maintain(users, services.directory(), labels, services.segments()) => never,
        never = forget_sessions(admins) => never,
        never = forget_privacy_requests(services.privacy_requests()) => never,
        never = retain(retention) => never,
        never = forget_pictures(services.broadcasts().pictures().clone()) => never,
    }
}
