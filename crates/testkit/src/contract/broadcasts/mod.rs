//! The contract of [`BroadcastRepository`](rollcall_repository::BroadcastRepository): the name of each function states its rule.
#![expect(missing_docs, reason = "the name of each function states its rule")]

mod blocks;
mod composing;
mod experiments;
mod lease;
mod model;
mod opt_outs;
mod pictures;
mod plans;
mod presses;
mod recipients;
mod store;
mod times;

pub use blocks::*;
pub use composing::*;
pub use experiments::*;
pub use lease::*;
pub use model::*;
pub use opt_outs::*;
pub use pictures::*;
pub use plans::*;
pub use presses::*;
pub use recipients::*;
pub use store::{BroadcastStore, Store, WithZones};
pub use times::*;

/// Generates a test of each contract on each database; see
/// [`user_repository_contract!`](crate::user_repository_contract).
#[macro_export]
macro_rules! broadcast_repository_contract {
    ($open:path) => {
        $crate::contract!($open, broadcasts:
            broadcasts_are_numbered_and_listed_from_the_newest,
            concurrent_writers_create_broadcasts_of_different_numbers,
            a_broadcast_needs_a_category_that_exists,
            every_plan_survives_being_stored,
            changes_by_owners_are_in_the_audit_log_without_names_of_users,
            a_change_is_made_only_in_a_state_that_allows_it,
            one_of_several_concurrent_starts_succeeds,
            a_scheduled_broadcast_begins_at_its_time,
            active_broadcasts_are_those_to_work_on,
            a_broadcast_that_ended_is_not_worked_on,
            categories_are_added_and_their_cap_is_changed,
            users_opt_out_of_categories,
            a_created_broadcast_shows_that_there_are_any,
            opt_outs_count_for_the_broadcasts_that_the_user_got,
            opt_outs_count_for_a_day_after_the_message,
            concurrent_opt_outs_of_a_user_count_once,
            blocks_count_for_the_broadcasts_that_the_user_got,
            blocks_count_for_a_day_after_the_message,
            a_user_who_blocks_the_bot_repeatedly_counts_once,
            a_refused_message_is_no_block_after_it,
            concurrent_blocks_of_users_count_once,
            presses_count_for_recipients_who_may_have_the_message,
            each_recipient_counts_once_for_each_button,
            deep_links_of_buttons_count_like_presses,
            concurrent_presses_of_users_count_once,
            the_lease_is_taken_renewed_and_ended,
            one_of_several_concurrent_processes_takes_the_lease,
            a_process_that_lost_the_lease_changes_nothing,
            claims_and_a_new_holder_exclude_each_other,
            an_unchanged_database_is_not_taken_for_a_restored_one,
            recipients_are_added_in_parts_and_once,
            users_erased_meanwhile_are_not_added,
            a_pause_while_preparing_keeps_what_was_stored,
            recipients_are_claimed_in_the_order_of_their_ids,
            recipients_queued_again_are_claimed_again,
            who_gets_the_message_is_decided_when_it_is_claimed,
            a_category_may_have_a_weekly_cap,
            a_broadcast_expires,
            only_claimed_recipients_are_settled,
            outcomes_after_a_pause_or_the_end_are_stored,
            the_settled_part_only_grows,
            recovering_settles_what_is_claimed,
            a_broadcast_finishes_when_all_have_an_outcome,
            the_sender_pauses_what_it_works_on,
            an_erased_user_leaves_no_recipient,
            users_erased_while_recipients_are_added_leave_none,
            a_request_is_replaced_and_taken_once,
            an_album_is_noted_once_for_a_request,
            one_process_edits_a_progress_message_at_a_time,
            a_progress_message_is_replaced_and_deleted,
            an_erased_owner_composes_nothing,
            only_a_draft_gets_another_category,
            a_draft_gets_another_time_and_speed,
            the_held_out_part_does_not_get_the_message,
            only_users_who_would_get_the_message_are_held_out,
            activity_is_counted_when_seven_days_are_over,
            activity_is_counted_part_by_part,
            a_picture_is_stored_once,
            the_file_of_a_picture_is_forgotten_unless_there_is_a_newer_one,
            the_picture_of_a_broadcast_has_to_be_stored,
            pictures_that_no_broadcast_needs_are_deleted,
            a_broadcast_and_the_deletion_of_its_picture_exclude_each_other,
            responses_count_for_the_variant_that_the_user_got,
            those_who_wait_get_the_winner_once,
        );
    };
}

/// The same for the contracts in which users have time zones.
#[macro_export]
macro_rules! broadcast_times_contract {
    ($open:path) => {
        $crate::contract!($open, broadcasts:
            a_recipient_waits_for_the_local_time,
            a_recipient_waits_for_the_end_of_the_quiet_hours,
            a_changed_zone_counts_when_the_time_has_come,
            recipients_that_wait_expire_with_the_broadcast,
            a_claimed_recipient_that_has_waited_is_recovered,
            a_recipient_that_waits_can_be_erased,
            recipients_agree_with_a_model,
        );
    };
}
