//! The contract of [`SourceRepository`](rollcall_repository::SourceRepository).

mod labels;
mod store;
mod tags;

pub use labels::*;
pub use store::{SourceStore, Store};
pub use tags::*;

/// Generates a test of each contract on each database; see
/// [`user_repository_contract!`](crate::user_repository_contract).
#[macro_export]
macro_rules! source_repository_contract {
    ($open:path) => {
        $crate::contract!($open, sources:
            a_link_earns_its_label_by_bringing_a_user,
            later_interactions_of_a_user_count_for_the_label_at_their_arrival,
            links_that_one_account_invents_receive_no_labels,
            an_erased_account_leaves_no_label,
            a_link_on_the_list_has_a_label_without_users,
            a_dropped_label_counts_with_the_others_and_can_be_earned_again,
            the_number_of_labels_is_limited,
            concurrent_writers_share_the_label_of_a_link,
            labels_are_listed_by_their_users,
            only_labels_without_users_are_dropped_as_unused,
            changes_are_recorded_in_the_audit_log,
            users_who_open_a_tagged_link_get_the_tag,
            a_tag_is_changed_and_removed_for_later_starts,
            a_deleted_tag_is_none,
            a_link_without_room_for_it_or_its_tag_changes_nothing,
            concurrent_starts_while_a_tag_is_deleted_leave_no_trace,
            a_recount_equals_the_sums_while_labels_change,
        );
    };
}
