use rollcall_domain::Role;

use crate::{admin::store::corrupt, base::error::Failure};

/// The role of an account.
pub(crate) fn role(name: &str, account: &str) -> Result<Role, Failure> {
    read_role(name).map_err(|reason| corrupt("admin_accounts", "role", account, reason))
}

/// The role with this name, or why there is none.
pub(crate) fn read_role(name: &str) -> Result<Role, String> {
    Role::from_name(name).ok_or_else(|| "no role has this name".to_owned())
}
