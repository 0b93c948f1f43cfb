use async_trait::async_trait;
use diesel::prelude::*;
use rollcall_domain::Admin;
use rollcall_repository::{
    DeviceGeneration, DeviceSecret, Digest, KnownDeviceRepository, RepositoryError,
};

use crate::{
    admin::store::{DieselAdminRepository, corrupt},
    base::{
        connection::{AnyConnection, either},
        error::Failure,
        schema::{admin_sessions, device_generations, device_secret},
    },
};

/// The key of the only row of `device_secret`.
const ONLY_ROW: i16 = 1;

#[async_trait]
impl KnownDeviceRepository for DieselAdminRepository {
    async fn device_secret(&self, new: &DeviceSecret) -> Result<DeviceSecret, RepositoryError> {
        let new = new.clone();
        self.database
            .write("find the secret of known devices", move |connection| {
                let row =
                    (device_secret::only_row.eq(ONLY_ROW), device_secret::secret.eq(&new.0[..]));
                let insert = diesel::insert_into(device_secret::table).values(row);
                either!(connection => insert.on_conflict_do_nothing().execute(connection)?);
                let row = device_secret::table.find(ONLY_ROW);
                let stored: Vec<u8> = row.select(device_secret::secret).first(connection)?;
                stored.try_into().map(DeviceSecret).map_err(|_| {
                    let reason = format!("it does not have {} bytes", DeviceSecret::BYTES);
                    corrupt("device_secret", "secret", "1", reason)
                })
            })
            .await
    }

    async fn device_generation(&self, admin: &Admin) -> Result<i64, RepositoryError> {
        let admin = admin.to_string();
        self.database
            .read("find the generation of an admin's devices", move |connection| {
                let row = device_generations::table.find(&admin);
                let generation = row.select(device_generations::generation).first(connection);
                Ok(generation.optional()?.unwrap_or_default())
            })
            .await
    }

    async fn session_generation(
        &self,
        session: Digest,
    ) -> Result<Option<DeviceGeneration>, RepositoryError> {
        self.database
            .read("find the generation of a session's devices", move |connection| {
                let row: Option<(String, Option<i64>)> = admin_sessions::table
                    .left_join(
                        device_generations::table
                            .on(device_generations::admin.eq(admin_sessions::admin)),
                    )
                    .filter(admin_sessions::token_hash.eq(&session.0[..]))
                    .filter(admin_sessions::owes_factor.eq(false))
                    .select((admin_sessions::admin, device_generations::generation.nullable()))
                    .first(connection)
                    .optional()?;
                let read = |(admin, generation): (String, Option<i64>)| {
                    let admin = admin.parse().map_err(|error| {
                        corrupt("admin_sessions", "admin", "(hidden)", format!("{error}"))
                    })?;
                    let generation = generation.unwrap_or_default();
                    Ok::<_, Failure>(DeviceGeneration { admin, generation })
                };
                row.map(read).transpose()
            })
            .await
    }
}

/// Starts the next generation of an admin's devices.
pub(crate) fn forget_devices(connection: &mut AnyConnection, admin: &str) -> QueryResult<usize> {
    let first = (device_generations::admin.eq(admin), device_generations::generation.eq(1_i64));
    let insert = diesel::insert_into(device_generations::table).values(first);
    let next = device_generations::generation.eq(device_generations::generation + 1);
    match connection {
        AnyConnection::Sqlite(connection) => {
            insert.on_conflict(device_generations::admin).do_update().set(next).execute(connection)
        }
        AnyConnection::Postgres(connection) => {
            insert.on_conflict(device_generations::admin).do_update().set(next).execute(connection)
        }
    }
}
