use rollcall_service::{
    ActivityService, AdminService, AudienceService, BroadcastService, DirectoryService,
    LabelService, SegmentService, UserService,
};
use rollcall_telegram::Intake;

/// The services behind the API.
#[derive(Clone)]
pub struct Services {
    /// Lists and figures.
    pub reads: Reads,
    /// Keys and the audit log.
    pub admins: AdminService,
    /// Broadcasts.
    pub broadcasts: BroadcastService,
    /// Registers the users of updates.
    pub intake: Intake,
    /// Tags.
    pub labels: LabelService,
    /// Lets erased users be stored again.
    pub users: UserService,
}

/// The services behind lists and figures. There may be a second set, which reads a replica of the
/// database.
#[derive(Clone)]
pub struct Reads {
    /// Statistics.
    pub activity: ActivityService,
    /// The users that filters select.
    pub audience: AudienceService,
    /// The details of a user.
    pub directory: DirectoryService,
    /// Segments and their sizes.
    pub segments: SegmentService,
}
