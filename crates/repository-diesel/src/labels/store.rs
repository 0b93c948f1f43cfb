use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use diesel::Connection;
use rollcall_domain::{Admin, LabelKind, LabelName, LabelsOfUser, TelegramId, UserLabel};
use rollcall_repository::{
    CreatedLabel, DeletedLabel, LabelChange, LabelPart, LabelRepository, LabelStep, NewLabelChange,
    RepositoryError,
};

use super::{
    change,
    label::{self, Author},
    progress, undo, users,
};
use crate::{
    base::{connection::AnyConnection, error::Failure},
    users::store::DieselUserRepository,
};

#[async_trait]
impl LabelRepository for DieselUserRepository {
    async fn labels(&self, kind: LabelKind) -> Result<Vec<UserLabel>, RepositoryError> {
        self.database.read("list labels", move |connection| label::list(connection, kind)).await
    }

    async fn count_labelled_users(
        &self,
        labels: &[i32],
    ) -> Result<BTreeMap<i32, u64>, RepositoryError> {
        let labels = labels.to_owned();
        self.database.view_long(move |_, connection| label::count(connection, &labels)).await
    }

    async fn create_label(
        &self,
        kind: LabelKind,
        name: &LabelName,
        description: &str,
        by: Option<&Admin>,
        at: DateTime<Utc>,
    ) -> Result<CreatedLabel, RepositoryError> {
        let (name, description) = (name.clone(), description.to_owned());
        let author = Author { by: by.cloned(), at };
        self.database
            .write("create a label", move |connection| {
                connection.transaction(|connection| {
                    label::create(connection, kind, &name, &description, &author)
                })
            })
            .await
    }

    async fn describe_label(
        &self,
        label: &UserLabel,
        description: &str,
        by: Option<&Admin>,
        at: DateTime<Utc>,
    ) -> Result<bool, RepositoryError> {
        let (label, description) = (label.clone(), description.to_owned());
        let author = Author { by: by.cloned(), at };
        self.database
            .write("describe a label", move |connection| {
                connection.transaction(|connection| {
                    label::describe(connection, &label, &description, &author)
                })
            })
            .await
    }

    async fn delete_label(
        &self,
        label: &UserLabel,
        users: u64,
        limit: u32,
        by: Option<&Admin>,
        at: DateTime<Utc>,
    ) -> Result<LabelPart<DeletedLabel>, RepositoryError> {
        let (label, author) = (label.clone(), Author { by: by.cloned(), at });
        self.database
            .write("delete a label", move |connection| {
                timed(connection, |connection| {
                    label::delete(connection, &label, users, limit, &author)
                })
            })
            .await
    }

    async fn labels_of(
        &self,
        ids: &[TelegramId],
    ) -> Result<BTreeMap<TelegramId, LabelsOfUser>, RepositoryError> {
        let ids: Vec<i64> = ids.iter().map(|id| id.get()).collect();
        self.database
            .view("read the labels of users", move |connection| users::labels_of(connection, &ids))
            .await
    }

    async fn label_user(
        &self,
        label: &UserLabel,
        id: TelegramId,
        is_added: bool,
        by: Option<&Admin>,
        at: DateTime<Utc>,
    ) -> Result<Option<bool>, RepositoryError> {
        let (label, author) = (label.clone(), Author { by: by.cloned(), at });
        self.database
            .write("change the labels of a user", move |connection| {
                connection.transaction(|connection| {
                    label::label_user(connection, &label, id, is_added, &author)
                })
            })
            .await
    }

    async fn begin_label_change(
        &self,
        change: &NewLabelChange,
        at: DateTime<Utc>,
    ) -> Result<LabelChange, RepositoryError> {
        let new = change.clone();
        self.database
            .write("begin a change of labels", move |connection| {
                connection.transaction(|connection| change::begin(connection, &new, at))
            })
            .await
    }

    async fn label_changes(&self, kind: LabelKind) -> Result<Vec<LabelChange>, RepositoryError> {
        self.database
            .read("list changes of labels", move |connection| change::list(connection, kind))
            .await
    }

    async fn continue_label_change(
        &self,
        step: &LabelStep,
        at: DateTime<Utc>,
    ) -> Result<LabelPart<Option<LabelChange>>, RepositoryError> {
        let step = step.clone();
        self.database
            .write("change the labels of users", move |connection| {
                timed(connection, |connection| change::go_on(connection, &step, at))
            })
            .await
    }

    async fn claim_label_change(
        &self,
        change: &LabelChange,
        by: Option<&Admin>,
        at: DateTime<Utc>,
    ) -> Result<bool, RepositoryError> {
        let (change, by) = (change.clone(), by.cloned());
        self.database
            .write("take over a change of labels", move |connection| {
                Ok(progress::claim(connection, &change, by.as_ref(), at)?)
            })
            .await
    }

    async fn label_change_progress(
        &self,
        changes: &[LabelChange],
    ) -> Result<BTreeMap<i64, u16>, RepositoryError> {
        let changes = changes.to_vec();
        self.database
            .read("read how far changes of labels are", move |connection| {
                Ok(progress::progress(connection, &changes)?)
            })
            .await
    }

    async fn undo_label_change(
        &self,
        change: &LabelChange,
        limit: u32,
        by: Option<&Admin>,
        at: DateTime<Utc>,
    ) -> Result<LabelPart<Option<bool>>, RepositoryError> {
        let (id, author) = (change.id, Author { by: by.cloned(), at });
        self.database
            .write("undo a change of labels", move |connection| {
                timed(connection, |connection| undo::undo(connection, id, limit, &author))
            })
            .await
    }

    async fn forget_label_changes(
        &self,
        before: DateTime<Utc>,
        limit: u32,
    ) -> Result<bool, RepositoryError> {
        // Read first: usually there is nothing to do, and reading waits for no writer.
        let old = self.database.read("look for old changes of labels", move |connection| {
            Ok(undo::old(connection, before)?)
        });
        let Some(id) = old.await? else { return Ok(false) };
        self.database
            .write("forget a change of labels", move |connection| {
                connection.transaction(|connection| undo::forget(connection, id, before, limit))
            })
            .await?;
        Ok(true)
    }
}

/// Does work in a transaction, and measures how long that takes.
fn timed<T>(
    connection: &mut AnyConnection,
    work: impl FnOnce(&mut AnyConnection) -> Result<T, Failure>,
) -> Result<LabelPart<T>, Failure> {
    let began = Instant::now();
    let result = connection.transaction(work)?;
    let held: Duration = began.elapsed();
    Ok(LabelPart { result, held })
}
