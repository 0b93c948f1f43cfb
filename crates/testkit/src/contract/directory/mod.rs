//! The contract of [`DirectoryRepository`](rollcall_repository::DirectoryRepository).

mod audience;
mod counts;
mod lists;
mod passes;
mod people;
mod recipients;
mod search;
mod store;
mod users;

pub use audience::*;
pub use counts::*;
pub use lists::*;
pub use passes::*;
pub use search::*;
pub use store::{DirectoryStore, Stores};
pub use users::*;

/// Generates a test of each contract on each database; see
/// [`user_repository_contract!`](crate::user_repository_contract).
#[macro_export]
macro_rules! directory_repository_contract {
    ($open:path) => {
        $crate::contract!($open, directory:
            an_empty_store_lists_no_users,
            lists_contain_the_users_that_match_the_filter,
            pages_stay_in_place_while_users_change,
            a_partial_page_can_be_continued,
            any_cursor_is_accepted,
            any_conditions_are_accepted,
            users_are_found_by_parts_of_their_names,
            users_are_found_by_their_current_names,
            a_selection_has_the_users_that_a_naive_reading_selects,
            a_count_can_be_stopped,
            a_user_with_several_rows_is_counted_once,
            users_are_counted_however_far_apart_their_ids_are,
            the_largest_filters_are_evaluated_or_refused,
            users_are_found_by_what_they_used,
            an_erased_user_leaves_no_data_in_the_directory,
            notes_are_replaced_and_removed,
            changes_of_profiles_are_recorded,
            losing_a_username_is_a_change_of_the_profile,
            names_are_indexed_concurrently,
            active_days_are_those_of_the_interactions,
            a_user_is_shown_with_their_history,
        );
    };
}
