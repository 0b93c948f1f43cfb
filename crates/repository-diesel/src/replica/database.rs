//! What a database knows of its replica.

use std::{sync::Arc, time::Duration};

use rollcall_repository::RepositoryError;

use super::{
    look::position,
    server::Replica,
    status::{ReplicaStatus, WalPosition},
};
use crate::base::{
    connection::AnyConnection, database::Database, database_url::DatabaseUrl, open_error::OpenError,
};

impl Database {
    /// The same database, of which lists, figures and exports are read on a replica of PostgreSQL. While
    /// the replica is away or cannot be used, they are read on the primary.
    ///
    /// # Errors
    /// If the replica has another database.
    pub async fn with_replica(mut self, url: DatabaseUrl) -> Result<Self, OpenError> {
        match Replica::open(self.server.clone(), url).await {
            Ok(replica) => {
                self.replica = Some(replica);
                Ok(self)
            }
            Err(reason) => Err(OpenError::NoReplica { url: self.url().clone(), reason }),
        }
    }

    /// How the replica is; `None` if there is none.
    pub fn replica(&self) -> Option<ReplicaStatus> {
        self.replica.as_ref().map(|replica| replica.status())
    }

    /// The position in the primary's log that is behind everything that was changed so far. `None` for
    /// SQLite.
    ///
    /// # Errors
    /// When the primary cannot be read.
    pub async fn position(&self) -> Result<Option<WalPosition>, RepositoryError> {
        self.read("read the position of the log", |connection| match connection {
            AnyConnection::Sqlite(_) => Ok(None),
            connection @ AnyConnection::Postgres(_) => Ok(Some(position(connection)?)),
        })
        .await
    }

    /// Whether what was changed up to a position can be seen on the replica. Waits for that up to
    /// `longest`; without a wait, the answer may be up to a second old. False without a replica.
    pub async fn replica_has(&self, position: WalPosition, longest: Duration) -> bool {
        match &self.replica {
            Some(replica) => replica.has(position, longest).await,
            None => false,
        }
    }

    /// Whether everything that was changed before this call can be seen on the replica. Waits for that up
    /// to `longest`. False without a replica, or if the primary cannot be read.
    pub async fn replica_has_all(&self, longest: Duration) -> bool {
        if self.replica.is_none() {
            return false;
        }
        match self.position().await {
            Ok(Some(position)) => self.replica_has(position, longest).await,
            _ => false,
        }
    }

    /// Looks at the replica now. Otherwise that is done once a second.
    pub async fn look_at_replica(&self) {
        if let Some(replica) = &self.replica {
            Arc::clone(replica).look().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use diesel::connection::SimpleConnection;
    use rollcall_testkit::ThrowAwayServer;

    use super::*;

    /// The reader gets the answer of the primary, and the replica is still read.
    #[tokio::test(flavor = "multi_thread")]
    async fn a_read_that_the_recovery_cancels_is_done_on_the_primary() {
        let Some(primary) = ThrowAwayServer::start() else { return };
        let throw_away = primary.database();
        primary.query(&throw_away, "CREATE TABLE t AS SELECT 1 AS x");
        let standby = primary.standby();
        standby.set("max_standby_streaming_delay", "0");
        let database = Database::open(throw_away.url().parse().unwrap()).await.unwrap();
        database.migrate().await.unwrap();
        primary.await_replay(&standby);
        let url: DatabaseUrl = standby.url_of(&throw_away).parse().unwrap();
        let database = database.with_replica(url.clone()).await.unwrap();
        let replica = url.clone();
        let reading = database.view_long(move |server, connection| {
            if *server.url() == replica {
                connection.batch_execute("SELECT pg_sleep(600) FROM t")?;
            }
            Ok(server.url().clone())
        });
        let canceling = async {
            let reads = "SELECT COUNT(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'";
            while standby.query(&throw_away, reads) != "1" {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            primary.query(&throw_away, "DROP TABLE t");
        };
        let (read, ()) = tokio::join!(reading, canceling);
        assert_eq!(read.unwrap(), throw_away.url().parse().unwrap());
        let again = database.view_long(|server, _| Ok(server.url().clone()));
        assert_eq!(again.await.unwrap(), url);
    }
}
