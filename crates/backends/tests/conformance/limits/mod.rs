//! The port `SharedLimits`: in memory, and the script in Redis.

mod bench;
mod counting;
mod expiry;
mod property;

pub(crate) use bench::redis_limits;
use bench::{embedded, redis};

mod counts {
    crate::suite!(crate::limits::counting: embedded by crate::limits::embedded, redis by crate::limits::redis; [
        a_sliding_window_lets_its_limit_through_and_says_when_there_is_room,
        a_gcra_lets_its_limit_through_at_once_and_then_one_by_one,
        either_every_limit_counts_a_request_or_none,
        subjects_do_not_touch_each_other,
        a_limit_that_was_lowered_holds_at_once_and_a_higher_one_too,
        a_gcra_that_was_much_slower_does_not_hold_up_for_long,
        sixty_four_limits_are_one_call,
        a_hundred_at_once_get_exactly_the_limit,
    ]);
}
