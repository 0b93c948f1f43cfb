use rollcall_service::{
    ActivityService, AdminService, AudienceService, BroadcastService, DirectoryService,
    LabelService, SegmentService, UserService,
};
use rollcall_telegram::Intake;

/// The services behind the API.
#[derive(Clone)]
pub struct Services {
    /// Statistics.
    pub activity: ActivityService,
    /// Keys and the audit log.
    pub admins: AdminService,
    /// The users that filters select.
    pub audience: AudienceService,
    /// Broadcasts.
    pub broadcasts: BroadcastService,
    /// The details of a user.
    pub directory: DirectoryService,
    /// Registers the users of updates.
    pub intake: Intake,
    /// Tags.
    pub labels: LabelService,
    /// Segments and their sizes.
    pub segments: SegmentService,
    /// Lets erased users be stored again.
    pub users: UserService,
}
