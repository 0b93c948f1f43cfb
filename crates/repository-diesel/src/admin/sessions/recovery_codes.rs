use diesel::prelude::*;
use rollcall_repository::Digest;

use crate::base::{connection::AnyConnection, schema::recovery_codes};

pub(crate) fn store_codes(
    connection: &mut AnyConnection,
    admin: &str,
    codes: &[Digest],
) -> QueryResult<()> {
    for code in codes {
        diesel::insert_into(recovery_codes::table)
            .values((recovery_codes::admin.eq(admin), recovery_codes::code_hash.eq(&code.0[..])))
            .execute(connection)?;
    }
    Ok(())
}

/// Uses a recovery code; returns whether it existed, as 0 or 1.
pub(crate) fn use_code(
    connection: &mut AnyConnection,
    admin: &str,
    code: Digest,
) -> QueryResult<usize> {
    diesel::delete(recovery_codes::table.find((admin, &code.0[..]))).execute(connection)
}

pub(crate) fn delete_codes(connection: &mut AnyConnection, admin: &str) -> QueryResult<usize> {
    diesel::delete(recovery_codes::table.filter(recovery_codes::admin.eq(admin)))
        .execute(connection)
}

/// How many recovery codes an admin has not used.
pub(crate) fn count_codes(connection: &mut AnyConnection, admin: &str) -> QueryResult<u32> {
    let codes = recovery_codes::table.filter(recovery_codes::admin.eq(admin));
    let codes: i64 = codes.count().get_result(connection)?;
    Ok(codes.try_into().unwrap_or_default())
}
