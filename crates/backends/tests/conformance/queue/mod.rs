//! The ports `Queue`, `Lane`, `DeadLetters` and `EventBus`: in-process, and RabbitMQ.

mod bench;
mod dead_letters;
mod delivery;

use bench::{embedded, rabbitmq};

mod delivers {
    crate::suite!(crate::queue::delivery: embedded by crate::queue::embedded, rabbitmq by crate::queue::rabbitmq; [
        what_is_published_arrives_once_in_order_and_as_it_was,
        a_lane_waits_for_the_first_and_takes_what_has_arrived,
        what_was_not_acknowledged_comes_again,
        one_consumer_at_a_time_and_the_next_takes_over,
        tags_that_mean_nothing_are_ignored,
        shards_have_lanes_of_their_own,
        the_depth_is_what_waits,
        consumers_are_counted_where_they_are_fewest,
        a_thousand_publishes_at_once_all_arrive,
        announcements_are_taken_in_order,
    ]);
}

mod buries {
    crate::suite!(crate::queue::dead_letters: embedded by crate::queue::embedded, rabbitmq by crate::queue::rabbitmq; [
        a_dead_letter_stays_until_an_operator_decides,
        a_replayed_dead_letter_goes_back_to_its_lane,
        a_discarded_dead_letter_is_gone,
        every_dead_letter_can_be_chosen_at_once,
        dead_letters_are_chosen_by_sale_job_and_reason,
    ]);
}
