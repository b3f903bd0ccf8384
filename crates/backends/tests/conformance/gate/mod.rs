//! The port `Gate`: the in-process gate, which is the model, and the scripts in Redis.

mod admission;
mod bench;
mod effects;
mod epochs;
mod overdue;
mod property;
mod windows;

use bench::{embedded, redis};

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
