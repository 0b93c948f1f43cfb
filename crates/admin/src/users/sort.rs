//! The orders of the user list.

use rollcall_domain::{SortKey, UserSort};

/// The orders to choose from, and their titles.
pub(super) fn orders() -> [(String, &'static str); 8] {
    let order = |key, descending, title| (written_sort(UserSort { key, descending }), title);
    [
        order(SortKey::FirstSeen, true, "First seen, newest first"),
        order(SortKey::FirstSeen, false, "First seen, oldest first"),
        order(SortKey::LastSeen, true, "Last seen, newest first"),
        order(SortKey::LastSeen, false, "Last seen, oldest first"),
        order(SortKey::ActiveDays, true, "Active days, most first"),
        order(SortKey::ActiveDays, false, "Active days, fewest first"),
        order(SortKey::Id, true, "ID, largest first"),
        order(SortKey::Id, false, "ID, smallest first"),
    ]
}

const SORT: [(SortKey, &str); 4] = [
    (SortKey::FirstSeen, "first_seen"),
    (SortKey::LastSeen, "last_seen"),
    (SortKey::ActiveDays, "active_days"),
    (SortKey::Id, "id"),
];

pub(super) fn read_sort(value: &str) -> Option<UserSort> {
    let (descending, name) = match value.strip_prefix('-') {
        Some(name) => (true, name),
        None => (false, value),
    };
    let (key, _) = SORT.iter().find(|it| it.1 == name)?;
    Some(UserSort { key: *key, descending })
}

/// An order as the query string has it; "" for the default one.
pub(super) fn written_sort(sort: UserSort) -> String {
    if sort == UserSort::default() {
        return String::new();
    }
    let name = SORT.iter().find(|it| it.0 == sort.key).map_or("", |it| it.1);
    format!("{}{name}", if sort.descending { "-" } else { "" })
}
