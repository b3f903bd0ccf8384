//! Two sittings side by side. Ratios to the ceiling are compared where there are any: they survive another machine's mood.

use std::fmt::Write as _;

use super::figure::{Figure, Goal};
use super::report::{Report, short};

/// A change that is less than this is none, however steady the rounds were.
const LEAST: f64 = 0.03;

pub fn compare(before: &Report, after: &Report) -> String {
    let of = |report: &Report| format!("{} {}", report.at, report.commit.as_deref().unwrap_or("unknown"));
    let mut text = format!("before: {}\nafter:  {}\n", of(before), of(after));
    if before.machine["cpu"] != after.machine["cpu"] || before.machine["cores"] != after.machine["cores"] {
        text += "The machines differ: only ratios may be compared.\n";
    }
    let width =
        before.figures().chain(after.figures()).map(|figure| figure.name.chars().count()).max().unwrap_or(6).max(6);
    // Writing to a string cannot fail.
    let _ = writeln!(text, "\n{:<width$}  {:>9}  {:>9}  {:>6}", "figure", "before", "after", "change");
    for now in after.figures() {
        let Some(then) = before.figures().find(|then| then.name == now.name) else {
            let _ = writeln!(text, "{:<width$}  {:>9}  {:>9}", now.name, "–", short(now.value()));
            continue;
        };
        let _ = writeln!(
            text,
            "{:<width$}  {:>9}  {:>9}  {:>6}  {}",
            now.name,
            short(then.value()),
            short(now.value()),
            change(then, now).map_or_else(|| "–".to_owned(), |change| format!("{change:.2}")),
            verdict(then, now)
        );
    }
    for gone in before.figures().filter(|then| !after.figures().any(|now| now.name == then.name)) {
        let _ = writeln!(text, "{:<width$}  {:>9}  {:>9}", gone.name, short(gone.value()), "–");
    }
    text
}

/// After as a multiple of before; `None` of nothing.
fn change(then: &Figure, now: &Figure) -> Option<f64> {
    (then.value() != 0.0).then(|| now.value() / then.value())
}

/// Is it more than the rounds differ among themselves, and is that good?
fn verdict(then: &Figure, now: &Figure) -> &'static str {
    let Some(change) = change(then, now) else {
        return if now.value() == then.value() { "" } else { "MOVED" };
    };
    let noise = (then.noise() + now.noise()).max(LEAST);
    if (change - 1.0).abs() <= noise {
        return "";
    }
    let more_is_better = !matches!(now.goal, Some(Goal::AtMost(_))) && now.unit == "/s";
    if (change > 1.0) == more_is_better { "better" } else { "WORSE" }
}

#[cfg(test)]
mod tests {
    use super::super::report::tests::report;
    use super::*;

    fn with(rate: f64, p99: f64) -> Report {
        let mut report = report();
        report.cases[0].figures[0].product = vec![rate; 3];
        report.cases[0].figures[1].product = vec![p99];
        report
    }

    #[test]
    fn what_moved_more_than_its_rounds_is_marked() {
        let text = compare(&with(8_000.0, 2.0), &with(9_200.0, 4.0));
        assert!(text.contains("0.80       0.92    1.15  better\n"), "{text}");
        assert!(text.contains("2.00       4.00    2.00  WORSE\n"), "{text}");
    }

    #[test]
    fn what_lies_within_the_spread_is_not() {
        let mut noisy = with(8_000.0, 2.0);
        noisy.cases[0].figures[0].product = vec![7_000.0, 8_000.0, 9_000.0];
        assert!(compare(&noisy, &with(8_800.0, 2.0)).contains("1.10  \n"));
        assert!(compare(&with(8_000.0, 2.0), &with(8_100.0, 2.0)).contains("1.01  \n"));
    }

    #[test]
    fn figures_of_one_side_alone_are_shown_and_another_machine_is_said() {
        let (mut old, mut new) = (with(8_000.0, 2.0), with(8_000.0, 2.0));
        old.cases[0].figures[1].name = "old one".to_owned();
        new.machine["cores"] = 4.into();
        let text = compare(&old, &new);
        assert!(text.contains("The machines differ"), "{text}");
        assert!(text.lines().any(|line| line.starts_with("old one") && line.ends_with('–')), "{text}");
    }
}
