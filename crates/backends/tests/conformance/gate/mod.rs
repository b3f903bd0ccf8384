//! The port `Gate`: the in-process gate, which is the model, and the scripts in Redis.

mod admission;
mod bench;
mod concurrency;
mod connection;
mod effects;
mod epochs;
mod late_payments;
mod leases;
mod overdue;
mod paging;
mod property;
mod restocks;
mod tap;
mod windows;
mod words;

use bench::{embedded, embedded_by_default, redis, redis_by_default};

pub(crate) use bench::redis_gate;

mod admits {
    crate::suite!(crate::gate::admission: embedded by crate::gate::embedded, redis by crate::gate::redis; [
        a_purchase_takes_stock_and_allowance_and_is_recorded,
        the_same_token_gets_its_first_answer_whatever_has_happened_since,
        every_refusal_takes_nothing_and_the_first_reason_counts,
        what_is_left_is_sold_and_nothing_more,
        limits_of_one_two_and_three_count_over_all_items,
        a_changed_limit_counts_from_then_on,
        a_group_is_decided_in_its_order,
        a_confirm_that_rides_along_is_noted_first,
        routes_do_not_touch_each_other,
        a_hundred_at_once_share_ten_units,
    ]);
}

mod opens {
    crate::suite!(crate::gate::windows: embedded by crate::gate::embedded, redis by crate::gate::redis; [
        nobody_is_a_millisecond_early_or_late,
        the_operators_state_decides_within_the_window,
        a_draft_is_not_open_whatever_its_window_says,
    ]);
}

mod follows {
    crate::suite!(crate::gate::effects: embedded by crate::gate::embedded, redis by crate::gate::redis; [
        a_confirm_moves_units_once_and_only_before_an_effect,
        a_placed_order_keeps_its_units_and_a_refused_one_gives_them_back,
        effects_come_in_any_order_and_any_number_of_times,
        what_the_gate_has_forgotten_is_counted_when_its_effect_comes,
        a_job_known_only_by_its_id_has_an_answer,
        more_than_the_stock_is_a_debt_that_is_worked_off,
        item_versions_only_grow,
        five_hundred_holds_are_one_call,
    ]);
}

mod warms {
    crate::suite!(crate::gate::epochs: embedded by crate::gate::embedded, redis by crate::gate::redis; [
        a_sale_that_is_not_there_admits_nobody_and_cannot_know,
        a_sale_that_is_loading_takes_holds_and_admits_nobody,
        an_epoch_begins_once_and_a_later_one_forgets_everything,
        an_older_epoch_can_neither_finish_nor_lead,
        what_was_accepted_before_a_loss_is_not_denied_while_it_may_be_on_its_way,
    ]);
}

mod watches {
    crate::suite!(crate::gate::overdue: embedded by crate::gate::embedded, redis by crate::gate::redis; [
        an_unconfirmed_reservation_is_overdue_after_two_seconds_and_again,
        a_confirmed_reservation_is_given_thirty_seconds,
        the_oldest_are_claimed_first_and_only_as_many_as_asked_for,
        what_has_its_effect_is_not_watched,
    ]);
}

mod reserves {
    crate::suite!(crate::gate::late_payments: embedded by crate::gate::embedded, redis by crate::gate::redis; [
        an_expired_order_is_reserved_once_for_its_payment,
        a_reservation_ends_with_the_next_revision_whatever_became_of_the_payment,
        only_an_order_that_expired_at_that_revision_is_reserved,
        nothing_is_reserved_when_sold_out_at_the_limit_or_closed,
        neither_a_pause_nor_the_window_is_in_the_way_of_a_payment,
        an_order_of_which_too_little_is_known_is_not_reserved,
        nothing_is_reserved_at_a_gate_that_is_not_ready,
        ten_at_once_for_one_payment_take_its_units_once,
    ]);
}

mod restocks_a_sale {
    crate::suite!(crate::gate::restocks: embedded by crate::gate::embedded, redis by crate::gate::redis; [
        the_newest_stock_counts_in_any_order_and_any_number_of_times,
        units_set_aside_are_for_nobody_until_the_withdrawal_ends,
        a_stalled_repeat_after_the_end_takes_nothing,
        units_are_set_aside_only_at_the_revision_that_was_seen,
        more_than_is_free_cannot_be_set_aside,
        what_was_set_aside_comes_back_also_with_a_stock_that_is_old_news,
        a_restock_raises_the_version_of_its_item_only,
        an_epoch_that_begins_during_a_withdrawal_counts_it_once,
        a_sale_that_is_loading_takes_restocks_and_sets_nothing_aside,
        an_item_that_is_not_there_has_no_units,
        every_unit_is_somewhere_while_all_of_it_happens_at_once,
    ]);
}

mod limits_what_is_in_flight {
    crate::suite!(crate::gate::concurrency:
        embedded by crate::gate::embedded_by_default, redis by crate::gate::redis_by_default; [
        a_buyer_has_one_order_in_flight_and_the_next_when_it_is_settled,
        a_buyer_has_as_many_orders_in_flight_as_the_rules_say_over_all_sales,
        a_channel_is_limited_and_no_other_one,
        all_orders_together_are_limited_over_all_sales,
        a_group_is_admitted_up_to_the_limit,
        whoever_is_refused_for_another_reason_takes_no_token,
        an_admitted_token_is_answered_and_takes_no_second_place,
        where_nothing_is_limited_no_token_is_kept,
        a_limit_that_was_taken_away_and_comes_back_starts_from_nothing,
        tokens_that_nobody_gives_back_end_by_themselves,
        tokens_of_a_sale_that_was_lost_are_given_back_when_it_is_loaded_again,
        a_job_whose_reservation_was_lost_has_its_place_still,
        the_latest_rules_are_obeyed_and_older_ones_are_not,
        tasks_of_a_type_run_up_to_their_limit,
        what_was_taken_and_given_back_is_counted,
    ]);
}

mod leases_out {
    crate::suite!(crate::gate::leases: embedded by crate::gate::embedded, redis by crate::gate::redis; [
        a_lease_is_for_an_open_sale_of_which_nothing_is_free,
        a_unit_that_comes_back_during_a_lease_is_sold_when_it_has_run_out,
        a_late_payment_takes_its_unit_during_a_lease,
        a_sale_that_is_loaded_again_waits_for_the_leases_of_before,
        a_backlog_admits_nobody_and_answers_whoever_was_admitted,
    ]);
}

mod pages {
    crate::suite!(crate::gate::paging: embedded by crate::gate::embedded, redis by crate::gate::redis; [
        every_record_is_on_some_page,
        a_gate_that_is_not_ready_shows_no_page,
    ]);
}
