//! The services and repositories on one database: the only place that puts them together.

use std::collections::BTreeSet;

use rollcall_domain::{SystemClock, TelegramId};
use rollcall_repository_diesel::{
    Database, DatabaseUrl, DieselAdminRepository, DieselBotRepository, DieselPreferencesRepository,
    DieselQuarantineRepository, DieselScheduleRepository, DieselUserRepository, OpenError,
};
use rollcall_service::{
    ActivityService, AdminService, AudienceService, BroadcastService, ComposingService,
    DeletionService, DirectoryService, LabelService, OptOutService, PersonalDataService,
    PreferencesService, PressService, PrivacyRequestService, PrivacyService, Retention,
    RetentionService, ScheduleService, SegmentService, SourceService, SubscriptionService,
    TransferService, UserEventService, UserService,
};

/// A database and the services on it. Cheap to clone.
///
/// Each method creates a new service: keep and clone what it returns. In particular, the user service
/// has a queue and threads of its own.
#[derive(Clone)]
pub(crate) struct Services {
    database: Database,
    /// The same database with a replica, if it has one.
    on_replica: Option<Database>,
}

impl Services {
    pub(crate) fn new(database: Database) -> Self {
        Self { database, on_replica: None }
    }

    /// The services on a database that may have a replica. They read nothing there: see
    /// [`Services::on_replica`].
    pub(crate) async fn beside_replica(
        database: Database,
        read_url: Option<DatabaseUrl>,
    ) -> Result<Self, OpenError> {
        let on_replica = match read_url {
            Some(url) => Some(database.clone().with_replica(url).await?),
            None => None,
        };
        Ok(Self { database, on_replica })
    }

    /// The services that read lists, figures and exports on the replica, if there is one. Everything else
    /// they do on the primary.
    pub(crate) fn on_replica(&self) -> Option<Self> {
        self.on_replica.clone().map(Self::new)
    }

    pub(crate) fn database(&self) -> &Database {
        &self.database
    }

    pub(crate) fn user_repository(&self) -> DieselUserRepository {
        DieselUserRepository::new(self.database.clone())
    }

    pub(crate) fn bot_repository(&self) -> DieselBotRepository {
        DieselBotRepository::new(self.database.clone())
    }

    pub(crate) fn quarantine_repository(&self) -> DieselQuarantineRepository {
        DieselQuarantineRepository::new(self.database.clone())
    }

    pub(crate) fn users(&self) -> UserService {
        UserService::new(self.user_repository(), SystemClock)
    }

    pub(crate) fn activity(&self) -> ActivityService {
        ActivityService::new(self.user_repository(), SystemClock)
    }

    pub(crate) fn directory(&self) -> DirectoryService {
        DirectoryService::new(self.user_repository(), SystemClock)
    }

    pub(crate) fn audience(&self) -> AudienceService {
        AudienceService::new(self.user_repository(), SystemClock)
    }

    pub(crate) fn broadcasts(&self) -> BroadcastService {
        BroadcastService::new(self.user_repository(), SystemClock)
    }

    pub(crate) fn composing(&self) -> ComposingService {
        ComposingService::new(self.user_repository(), SystemClock)
    }

    pub(crate) fn opt_outs(&self) -> OptOutService {
        OptOutService::new(self.user_repository(), SystemClock)
    }

    pub(crate) fn presses(&self) -> PressService {
        PressService::new(self.user_repository(), SystemClock)
    }

    pub(crate) fn segments(&self) -> SegmentService {
        SegmentService::new(self.user_repository(), SystemClock)
    }

    pub(crate) fn sources(&self) -> SourceService {
        SourceService::new(self.user_repository(), SystemClock)
    }

    pub(crate) fn subscriptions(&self) -> SubscriptionService {
        SubscriptionService::new(self.bot_repository())
    }

    pub(crate) fn labels(&self) -> LabelService {
        LabelService::new(self.user_repository(), SystemClock)
    }

    /// Deletes users, but not those that are owners of the bot according to `admins`.
    pub(crate) fn deletion(&self, admins: AdminService) -> DeletionService {
        let requests = self.privacy_requests();
        DeletionService::new(self.user_repository(), admins, requests, SystemClock)
    }

    pub(crate) fn privacy_requests(&self) -> PrivacyRequestService {
        PrivacyRequestService::new(self.user_repository(), SystemClock)
    }

    pub(crate) fn privacy(&self, users: UserService, admins: AdminService) -> PrivacyService {
        let (data, requests) = (self.personal_data(), self.privacy_requests());
        PrivacyService::new(data, requests, users, admins, SystemClock)
    }

    pub(crate) fn personal_data(&self) -> PersonalDataService {
        PersonalDataService::new(self.user_repository(), SystemClock)
    }

    /// Deletes what has expired.
    pub(crate) fn retention(&self, admins: AdminService, retention: Retention) -> RetentionService {
        RetentionService::new(self.user_repository(), admins, SystemClock, retention)
    }

    pub(crate) fn transfer(&self) -> TransferService {
        TransferService::new(self.user_repository(), SystemClock)
    }

    /// The accounts; `owners` sign in through Telegram.
    pub(crate) fn admins(&self, owners: BTreeSet<TelegramId>) -> AdminService {
        let storage = DieselAdminRepository::new(self.database.clone());
        AdminService::new(storage, SystemClock, owners)
    }

    /// The accounts only, for commands that do not know the bot's owners.
    pub(crate) fn accounts(&self) -> AdminService {
        self.admins(BTreeSet::new())
    }

    pub(crate) fn user_events(&self) -> UserEventService {
        UserEventService::new(self.user_repository(), SystemClock)
    }

    pub(crate) fn preferences(&self) -> PreferencesService {
        PreferencesService::new(DieselPreferencesRepository::new(self.database.clone()))
    }

    pub(crate) fn schedule(&self) -> ScheduleService {
        ScheduleService::new(DieselScheduleRepository::new(self.database.clone()), SystemClock)
    }
}
