//! One line for every step, with the time it took.

use std::fmt;
use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

use anyhow::Result;

/// Does `work` and prints one line when it is done: what it was, what came of it, how long it took. On a terminal the
/// line is there while the work is under way.
pub fn step<T>(name: &str, work: impl FnOnce() -> Result<(T, String)>) -> Result<T> {
    if std::io::stdout().is_terminal() {
        print!("  …    {name}\r");
        // A terminal that cannot be written to is no reason not to do the work.
        let _ = std::io::stdout().flush();
    }
    let started = Instant::now();
    let outcome = work();
    match outcome {
        Ok((value, result)) => {
            done(name, &result, started.elapsed());
            Ok(value)
        }
        Err(error) => {
            println!("  FAIL {name:<12} {:>8}", Took(started.elapsed()));
            Err(error)
        }
    }
}

/// The line of a step that was measured elsewhere.
pub fn done(name: &str, result: &str, took: Duration) {
    println!("  ok   {name:<12} {:>8}  {result}", Took(took));
}

/// A duration for people: `0.31 s`, `4m07s`.
pub struct Took(pub Duration);

impl fmt::Display for Took {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs_f64();
        let text = if seconds < 60.0 {
            format!("{seconds:.2} s")
        } else {
            format!("{}m{:02}s", self.0.as_secs() / 60, self.0.as_secs() % 60)
        };
        f.pad(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_for_people() {
        assert_eq!(Took(Duration::from_millis(312)).to_string(), "0.31 s");
        assert_eq!(Took(Duration::from_secs(247)).to_string(), "4m07s");
        assert_eq!(format!("{:>8}|", Took(Duration::from_secs(1))), "  1.00 s|");
    }
}
