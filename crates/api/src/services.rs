use rollcall_service::AdminService;
use rollcall_telegram::Intake;

/// The services behind the API.
#[derive(Clone)]
pub struct Services {
    /// Keys and the audit log.
    pub admins: AdminService,
    /// Registers the users of updates.
    pub intake: Intake,
}
