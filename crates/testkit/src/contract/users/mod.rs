//! The contract of [`UserRepository`](rollcall_repository::UserRepository).

mod history;
mod profiles;
mod store;
mod usernames;

pub use history::*;
pub use profiles::*;
pub use store::Stores;
pub use usernames::*;

/// Generates a test of each contract on each database. `$open` is an async function from a database's
/// URL to a repository, which migrates the database if necessary.
#[macro_export]
macro_rules! user_repository_contract {
    ($open:path) => {
        $crate::contract!($open, users:
            fifty_tasks_create_one_user,
            two_processes_create_one_user,
            a_batch_may_contain_a_user_several_times,
            an_empty_batch_is_accepted,
            a_batch_that_is_no_longer_wanted_is_not_recorded,
            a_rehearsal_stores_nothing,
            updated_at_moves_only_with_the_profile,
            a_late_interaction_changes_nothing,
            an_equal_time_counts_as_newer,
            a_removed_last_name_is_deleted,
            an_absent_language_keeps_the_stored_one,
            an_id_alone_changes_no_profile,
            unusual_text_is_stored_unchanged,
            ids_of_every_size_are_stored,
            a_username_passes_within_a_batch,
            a_username_passes_across_batches,
            a_late_claim_to_a_username_fails,
            a_failed_claim_changes_nothing,
            a_username_passes_to_the_later_of_equal_times,
            a_username_passes_through_a_third_user,
            two_writers_give_a_username_to_one_user,
            two_writers_in_opposite_order_both_succeed,
            writers_that_move_usernames_do_not_wait_for_each_other,
            usernames_are_found_ignoring_case,
            a_batch_equals_its_parts,
            a_repeated_update_changes_nothing,
            an_update_at_two_writers_counts_once,
            changes_of_reach_are_recorded,
            failed_messages_mark_users_until_they_return,
            deep_links_are_stored_and_the_first_is_the_source,
            users_are_deleted_with_their_usernames,
        );
    };
}
