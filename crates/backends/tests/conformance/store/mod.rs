//! The ports `OrderStore`, `SaleStore` and `Outbox`: in-process, and Postgres.

mod bench;
mod outbox;
mod placing;
mod postgres;
mod races;
mod refusing;
mod sales;

use bench::embedded;
use postgres::postgres;

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
