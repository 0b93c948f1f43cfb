//! `manage test-users`: a self-test of the service on the real database.

use std::{io::Write, process::ExitCode};

use anyhow::{bail, ensure};
use clap::Args;
use rollcall_domain::{Profile, TelegramId, TelegramUser, UserStats, Username};
use rollcall_service::UserService;

use super::{output::stdout, stats};
use crate::colours;

/// How many users it creates, with the highest ids, which no account has.
const USERS: i64 = 4;

#[derive(Args, Debug)]
pub struct TestUsers {
    /// Remove the test users at the end, even if a check failed
    #[arg(long)]
    cleanup: bool,
}

impl TestUsers {
    pub(super) async fn run(self, users: UserService) -> anyhow::Result<ExitCode> {
        let ids = ids()?;
        refuse_strangers(&users, &ids).await?;
        let mut checks = Checks { users, failed: 0 };
        let tried = checks.all(&ids).await;
        if self.cleanup {
            checks.cleanup(&ids).await?;
        }
        tried?;
        match checks.failed {
            0 => {
                writeln!(stdout(), "All checks passed.")?;
                Ok(ExitCode::SUCCESS)
            }
            failed => {
                writeln!(stdout(), "{failed} checks failed.")?;
                Ok(ExitCode::FAILURE)
            }
        }
    }
}

struct Checks {
    users: UserService,
    failed: u32,
}

impl Checks {
    async fn all(&mut self, ids: &[TelegramId]) -> anyhow::Result<()> {
        let Some((&first, others)) = ids.split_first() else { return Ok(()) };
        let before = self.users.get_user_stats().await?;

        let created = self.create(first).await;
        let mut new = u64::from(*created.as_ref().unwrap_or(&false));
        self.report("create a user", created.map(drop))?;
        let updated = self.update(first).await;
        self.report("update it", updated)?;
        let read = self.read(first).await;
        self.report("read it back", read)?;
        let touched = self.touch(first).await;
        self.report("update its last_seen", touched)?;
        let stats = self.users.get_user_stats().await?;
        stats::print(&mut stdout(), &stats)?;

        for (&id, number) in others.iter().zip(2..) {
            let created = self.create(id).await;
            new += u64::from(*created.as_ref().unwrap_or(&false));
            self.report(&format!("create user {number} of {USERS}"), created.map(drop))?;
        }
        let after = self.users.get_user_stats().await?;
        stats::print(&mut stdout(), &after)?;
        self.report("count them", counted(&before, &after, new))
    }

    /// Creates a user, or finds it from an earlier run; returns whether it is new.
    async fn create(&self, id: TelegramId) -> anyhow::Result<bool> {
        let existed = self.users.get_user_by_telegram_id(id).await?.is_some();
        let registration = self.users.get_or_create_user(&profile(id)).await?;
        ensure!(registration.created != existed, "it was created twice, or not at all");
        ensure!(is_ours(&registration.user), "its username differs");
        Ok(registration.created)
    }

    async fn update(&self, id: TelegramId) -> anyhow::Result<()> {
        let before = self.users.get_or_create_user(&profile(id)).await?.user;
        let changed = profile(id).last_name("Updated");
        let after = self.users.get_or_create_user(&changed).await?;
        ensure!(!after.created, "it was created again");
        ensure!(after.user.last_name.as_deref() == Some("Updated"), "the change was not stored");
        ensure!(after.user.created_at == before.created_at, "created_at changed");
        ensure!(after.user.updated_at >= before.updated_at, "updated_at went back");
        Ok(())
    }

    async fn read(&self, id: TelegramId) -> anyhow::Result<()> {
        let Some(user) = self.users.get_user_by_telegram_id(id).await? else {
            bail!("it was not found");
        };
        ensure!(user.full_name() == "Test User Updated", "its name differs");
        ensure!(is_ours(&user), "its username differs");
        Ok(())
    }

    async fn touch(&self, id: TelegramId) -> anyhow::Result<()> {
        let before = self.users.get_user_by_telegram_id(id).await?;
        ensure!(self.users.update_user_last_seen(id).await?, "it was not found");
        let after = self.users.get_user_by_telegram_id(id).await?;
        let last_seen = |user: Option<TelegramUser>| user.map(|user| user.last_seen);
        ensure!(last_seen(after) >= last_seen(before), "last_seen went back");
        Ok(())
    }

    /// Removes the test users that exist.
    async fn cleanup(&mut self, ids: &[TelegramId]) -> anyhow::Result<()> {
        let mut ours = Vec::new();
        for &id in ids {
            ours.extend(self.users.get_user_by_telegram_id(id).await?.filter(is_ours).map(|_| id));
        }
        let deleted = self.users.forget_users(&ours).await;
        let removed = deleted.map_err(Into::into).and_then(|deleted| {
            ensure!(deleted == ours.len(), "{deleted} of {} were removed", ours.len());
            Ok(())
        });
        self.report(&format!("remove the {} test users", ours.len()), removed)
    }

    fn report(&mut self, what: &str, result: anyhow::Result<()>) -> anyhow::Result<()> {
        match result {
            Ok(()) => writeln!(stdout(), "{} {what}", colours::passed())?,
            Err(error) => {
                self.failed += 1;
                writeln!(stdout(), "{} {what}: {error:#}", colours::failed())?;
            }
        }
        Ok(())
    }
}

/// Refuses to continue if another user has one of the ids, so that the test changes only users that it
/// created.
async fn refuse_strangers(users: &UserService, ids: &[TelegramId]) -> anyhow::Result<()> {
    for &id in ids {
        if let Some(user) = users.get_user_by_telegram_id(id).await? {
            ensure!(
                is_ours(&user),
                "the user {id} exists and was not created by this test; nothing was changed"
            );
        }
    }
    Ok(())
}

/// Other users may register meanwhile, so the counts may be higher.
fn counted(before: &UserStats, after: &UserStats, new: u64) -> anyhow::Result<()> {
    ensure!(after.total_users >= before.total_users + new, "the total did not grow by {new}");
    ensure!(after.new_today >= new, "new today is below {new}");
    ensure!(after.active_today >= USERS.unsigned_abs(), "active today is below {USERS}");
    Ok(())
}

fn ids() -> anyhow::Result<Vec<TelegramId>> {
    let highest = TelegramId::MAX.get();
    Ok((0..USERS).map(|n| TelegramId::try_from(highest - n)).collect::<Result<_, _>>()?)
}

fn profile(id: TelegramId) -> Profile {
    Profile::new(id, "Test User").username(&username(id)).language_code("en")
}

/// Marks a test user: no account can have a username with hyphens.
fn username(id: TelegramId) -> String {
    format!("rollcall-test-user-{}", TelegramId::MAX.get() - id.get() + 1)
}

fn is_ours(user: &TelegramUser) -> bool {
    user.username.as_ref().map(Username::as_str) == Some(&username(user.telegram_id))
}
