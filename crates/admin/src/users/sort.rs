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

/// An order as the query string has it; "" for the default one.
pub(super) fn written_sort(sort: UserSort) -> String {
    if sort == UserSort::default() { String::new() } else { sort.name().to_owned() }
}
