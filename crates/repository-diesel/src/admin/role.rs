use rollcall_domain::Role;

use super::store::corrupt;
use crate::error::Failure;

/// The role of an account.
pub(super) fn role(name: &str, account: &str) -> Result<Role, Failure> {
    let unknown = || corrupt("admin_accounts", "role", account, "no role has this name".to_owned());
    Role::from_name(name).ok_or_else(unknown)
}
