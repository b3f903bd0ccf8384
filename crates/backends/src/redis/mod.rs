//! The gate on Redis: every decision is one of the scripts in `lua/`, and this is the only place that knows their
//! words. What a failing connection means is said in [`link`], how the scripts get there in [`scripts`].

mod answers;
mod concurrency;
mod gate;
mod limits;
mod link;
mod locks;
mod quota;
mod record;
mod scripts;
mod settings;

pub use gate::RedisGate;
pub use limits::RedisLimits;
pub use settings::RedisSettings;
