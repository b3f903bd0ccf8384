//! The ports `OrderStore`, `SaleStore` and `Outbox`: in-process, and Postgres.

mod accounts;
mod activity;
mod archive;
mod bench;
mod late;
mod life;
mod outbox;
mod payments;
mod placing;
mod postgres;
mod quotas;
mod races;
mod refusing;
mod restocks;
mod retention;
mod sales;
mod settings;
mod till;

use bench::embedded;

use postgres::postgres;
pub(crate) use postgres::with_postgres;

mod places {
    crate::suite!(crate::store::placing: embedded by crate::store::embedded, postgres by crate::store::postgres; [
        what_fits_is_placed_and_the_rest_is_rejected,
        one_two_and_a_hundred_units_are_sold_to_the_last_one,
        a_repeated_delivery_changes_nothing_and_sends_its_effect_again,
        a_job_twice_in_a_batch_is_one_order,
        limits_of_one_two_and_three_count_over_all_items,
        a_limit_that_was_changed_counts_what_was_sold_before,
        a_refused_buyer_takes_nothing_from_the_next,
        an_item_that_is_not_there_is_unplaceable,
        a_sale_that_is_not_there_is_poison,
        only_the_owner_sees_an_order,
        an_empty_batch_is_nothing,
    ]);
}

mod refuses {
    crate::suite!(crate::store::refusing: embedded by crate::store::embedded, postgres by crate::store::postgres; [
        a_refused_job_stays_refused_when_its_message_comes,
        a_placed_job_stays_placed_when_it_is_refused,
        a_job_known_only_by_its_id_gets_its_row,
    ]);
}

mod contends {
    crate::suite!(crate::store::races: embedded by crate::store::embedded, postgres by crate::store::postgres; [
        racing_placers_never_sell_a_unit_twice,
        racing_deliveries_of_one_batch_make_one_order_each,
        a_buyer_in_two_racing_batches_keeps_the_limit,
    ]);
}

mod keeps_sales {
    crate::suite!(crate::store::sales: embedded by crate::store::embedded, postgres by crate::store::postgres; [
        a_sale_is_kept_as_it_was_described,
        sales_are_listed_newest_first_while_they_matter,
        a_sale_moves_only_as_it_may,
        price_and_stock_are_fixed_once_it_is_warm,
        a_patch_that_makes_no_sense_changes_nothing,
        each_epoch_is_new_and_moves_every_version,
        what_orders_hold_is_listed_page_by_page,
    ]);
}

mod is_read_by_operators {
    crate::suite!(crate::store::archive: embedded by crate::store::embedded, postgres by crate::store::postgres; [
        a_sale_is_read_page_by_page_and_by_status,
        an_order_is_read_with_its_payments,
    ]);
}

mod keeps_settings {
    crate::suite!(crate::store::settings: embedded by crate::store::embedded, postgres by crate::store::postgres; [
        a_setting_is_changed_by_whoever_has_seen_it,
        the_audit_log_is_read_newest_first_page_by_page_and_by_sale,
    ]);
}

mod forgets {
    crate::suite!(crate::store::retention: embedded by crate::store::embedded, postgres by crate::store::postgres; [
        a_sale_that_is_over_goes_with_all_that_is_of_it_and_its_books_stay_in_the_log,
        a_sale_that_is_young_or_unsettled_stays,
        a_late_message_of_a_sale_that_was_cleared_places_nothing,
        an_id_may_be_used_again_and_a_number_is_not,
        several_callers_clear_each_sale_once,
    ]);
}

mod keeps_activity {
    crate::suite!(crate::store::activity: embedded by crate::store::embedded, postgres by crate::store::postgres; [
        rows_are_read_in_the_order_in_which_they_were_written_and_only_what_is_new,
        a_row_that_is_written_again_counts_once,
        racing_instances_lose_nothing,
        who_is_alive_is_known_and_who_was_is_forgotten,
        old_seconds_become_minutes_and_no_count_is_lost,
        racing_condensers_lose_nothing,
        it_goes_with_its_sale_and_comes_for_no_other,
    ]);
}

mod adds_up {
    crate::suite!(crate::store::accounts: embedded by crate::store::embedded, postgres by crate::store::postgres; [
        orders_are_added_up_by_what_became_of_them,
        there_are_no_accounts_of_no_sale,
    ]);
}

mod keeps_quotas {
    crate::suite!(crate::store::quotas: embedded by crate::store::embedded, postgres by crate::store::postgres; [
        a_batch_is_added_up_and_each_use_counts_once,
        what_another_generation_has_written_is_said,
        racing_batches_lose_nothing,
        without_the_gate_exactly_the_limit_is_let_through,
        purchases_are_never_fewer_than_the_orders_of_the_day,
        days_that_are_over_are_swept,
    ]);
}

mod relays {
    crate::suite!(crate::store::outbox: embedded by crate::store::embedded, postgres by crate::store::postgres; [
        what_was_written_is_relayed_in_order_and_once,
        what_did_not_arrive_comes_again,
        the_effect_and_the_event_of_an_order_say_the_same,
        one_relay_at_a_time,
        a_waiting_relay_is_woken_by_a_row,
        delivered_rows_are_swept_and_waiting_ones_kept,
        totals_are_taken_back_to_the_version_that_was_seen,
    ]);
}

mod ends_orders {
    crate::suite!(crate::store::life: embedded by crate::store::embedded, postgres by crate::store::postgres; [
        a_cancelled_unit_is_for_sale_again,
        only_the_owner_cancels_and_only_what_waits,
        an_order_whose_time_is_over_gives_its_units_back,
        nothing_expires_before_its_time,
        two_callers_share_what_is_due,
        a_buyer_who_cancelled_may_buy_again_under_every_limit,
        a_limit_that_was_changed_gives_back_what_was_counted,
        the_last_deadline_of_an_item_is_known,
        events_of_an_order_are_counted,
        racing_ends_of_an_order_have_one_winner,
    ]);
}

mod notes_payments {
    crate::suite!(crate::store::payments: embedded by crate::store::embedded, postgres by crate::store::postgres; [
        a_payment_pays_its_order_and_moves_no_units,
        an_event_and_a_payment_count_once,
        a_failed_payment_may_succeed_and_a_successful_one_not_fail,
        a_second_payment_goes_back,
        a_wrong_amount_goes_back_and_the_order_waits_on,
        a_payment_for_an_ended_order_goes_back,
        a_payment_before_its_order_pays_when_the_row_is_there,
        an_order_that_nobody_has_expired_yet_is_paid,
        a_refund_is_claimed_by_one_and_noted_once,
        racing_payments_pay_an_order_once,
    ]);
}

mod ends_late_payments {
    crate::suite!(crate::store::late: embedded by crate::store::embedded, postgres by crate::store::postgres; [
        a_late_payment_is_rebooked_when_its_units_were_reserved,
        a_late_payment_without_its_units_goes_back_and_the_gate_is_told,
        a_reservation_cannot_oversell,
        a_wrong_amount_pays_no_expired_order_either,
        a_reservation_cannot_exceed_the_allowance,
        an_allowance_that_began_to_be_counted_is_kept_when_a_late_payment_is_rebooked,
        a_payment_that_was_looked_at_is_left_alone_for_a_moment,
        of_two_late_payments_one_pays_and_one_goes_back,
        what_was_decided_on_an_old_revision_is_looked_at_again,
        a_payment_for_an_order_that_never_was_goes_back,
        racing_ends_of_a_late_payment_agree,
    ]);
}

mod changes_stock {
    crate::suite!(crate::store::restocks: embedded by crate::store::embedded, postgres by crate::store::postgres; [
        added_units_are_for_sale_at_once_and_once,
        a_withdrawal_shrinks_the_stock_when_the_gate_has_taken_it,
        a_withdrawal_that_the_gate_refused_stays_refused,
        more_than_is_left_is_never_withdrawn,
        a_sale_that_was_never_warm_is_changed_at_once,
        what_cannot_be_is_a_conflict_and_changes_nothing,
        stock_is_taken_back_to_the_version_that_was_seen,
        a_withdrawal_that_was_forgotten_is_found,
        racing_restocks_of_one_id_happen_once,
    ]);
}
