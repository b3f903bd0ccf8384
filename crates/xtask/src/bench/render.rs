//! The README's figures and plots, made from the kept results: for each case the newest one that has it.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};

use super::figure::{Case, Figure, Goal};
use super::memory::thousands;
use super::report::{Report, goal, kept, results, short};
use super::stats::{median, range};
use super::svg::{self, Bar};
use super::{CASES, latency};
use crate::workspace;

const BEGIN: &str = "<!-- bench:begin -->";
const END: &str = "<!-- bench:end -->";

/// What the kept results look like.
struct Rendered {
    block: String,
    /// File name and contents.
    plots: Vec<(&'static str, String)>,
}

/// Writes the block in the README and the plots beside the results.
pub fn render() -> Result<()> {
    let rendered = rendered(&kept()?)?;
    for (name, plot) in &rendered.plots {
        fs::write(results().join(name), plot)?;
    }
    let file = workspace::root().join("README.md");
    let text = fs::read_to_string(&file)?;
    fs::write(&file, with_block(&text, &rendered.block)?)?;
    println!("README.md and {} plots", rendered.plots.len());
    Ok(())
}

fn with_block(readme: &str, block: &str) -> Result<String> {
    let (before, rest) = readme.split_once(BEGIN).with_context(|| format!("README.md has no {BEGIN}"))?;
    let (_, after) = rest.split_once(END).with_context(|| format!("README.md has no {END}"))?;
    Ok(format!("{before}{BEGIN}\n{block}{END}{after}"))
}

/// A case and the sitting that it is from.
struct Shown<'r> {
    case: &'r Case,
    from: &'r Report,
}

fn rendered(files: &[PathBuf]) -> Result<Rendered> {
    let reports = files.iter().map(|file| Report::read(file)).collect::<Result<Vec<_>>>()?;
    let newest = |name: &str| {
        reports.iter().rev().find_map(|from| {
            let case = from.cases.iter().find(|case| case.name == name && case.failure.is_none())?;
            Some(Shown { case, from })
        })
    };
    let shown: Vec<Shown<'_>> = CASES.iter().filter_map(|known| newest(known.name)).collect();
    if shown.is_empty() {
        let block = "No result is committed yet; `cargo xtask bench` makes one.\n".to_owned();
        return Ok(Rendered { block, plots: Vec::new() });
    }
    let plots = plots(&shown);
    Ok(Rendered { block: block(&shown, &plots), plots })
}

fn block(shown: &[Shown<'_>], plots: &[(&'static str, String)]) -> String {
    let mut text = String::new();
    let sittings: BTreeSet<String> = shown.iter().map(|one| sitting(one.from)).collect();
    // Writing to a string cannot fail, here and below.
    let _ = writeln!(
        text,
        "Made by `cargo xtask bench --render` from {}.\n",
        sittings.into_iter().collect::<Vec<_>>().join("; ")
    );
    text += "| what | product, median (from … to) | ceiling | ratio | goal | |\n|---|---|---|---|---|---|\n";
    let times = times(shown);
    // Times at a rate have a table of their own; those with a goal are here as well.
    let in_here = |figure: &&Figure| figure.goal.is_some() || latency::Named::parse(&figure.name).is_none();
    for figure in shown.iter().flat_map(|one| &one.case.figures).filter(in_here) {
        let _ = writeln!(text, "{}", row(figure));
    }
    if !times.is_empty() {
        text += "\nMilliseconds from the planned moment of a press, whatever waits before it included, at a fixed rate:\n\n";
        let _ = writeln!(
            text,
            "| | {} |\n|---|{}",
            TIMES.map(|(what, share)| format!("{what}, {share}")).join(" | "),
            "---|".repeat(TIMES.len())
        );
        for rate in rates(&times) {
            let cells = TIMES.map(|(what, share)| time(&times, what, rate, share).map(short).unwrap_or_default());
            let _ = writeln!(text, "| {} /s | {} |", thousands(rate), cells.join(" | "));
        }
    }
    let budgets: Vec<&Case> = shown.iter().map(|one| one.case).filter(|case| !case.budget.is_empty()).collect();
    if !budgets.is_empty() {
        let names = processes(&budgets);
        let _ = writeln!(
            text,
            "\nMicroseconds of a processor for one answer (*drain*: for one order; *latency*: at 2,000 /s), by process:\n"
        );
        let _ = writeln!(
            text,
            "| | {} | together | ceiling | ratio |\n|---|{}---|---|---|",
            names.join(" | "),
            "---|".repeat(names.len())
        );
        for case in budgets {
            let cell = |name: &String| case.budget.get(name).map(|us| format!("{us:.1}")).unwrap_or_default();
            let cells: Vec<String> = names.iter().map(cell).collect();
            let ceiling = case.ceiling_us.map(|us| format!("{us:.1}")).unwrap_or_default();
            let ratio = case.ratio_us().map(|ratio| format!("**{ratio:.2}**")).unwrap_or_default();
            let (cells, together) = (cells.join(" | "), case.together_us());
            let _ = writeln!(text, "| {} | {cells} | {together:.1} | {ceiling} | {ratio} |", case.name);
        }
    }
    if !plots.is_empty() {
        text.push('\n');
    }
    for (name, _) in plots {
        let _ = writeln!(text, "![{}](loadtest/results/{name})", name.trim_end_matches(".svg"));
    }
    text
}

/// Columns of the times at a rate.
const TIMES: [(&str, &str); 6] =
    [("202", "p50"), ("202", "p99"), ("202", "p99.9"), ("placed", "p50"), ("placed", "p99"), ("placed", "p99.9")];

/// Medians of the times at fixed rates, in milliseconds.
type Times = Vec<(latency::Named, f64)>;

fn times(shown: &[Shown<'_>]) -> Times {
    let figures = shown.iter().flat_map(|one| &one.case.figures);
    figures.filter_map(|figure| Some((latency::Named::parse(&figure.name)?, median(&figure.product)))).collect()
}

fn rates(times: &Times) -> BTreeSet<u64> {
    times.iter().map(|(named, _)| named.rate).collect()
}

fn time(times: &Times, what: &str, rate: u64, share: &str) -> Option<f64> {
    let wanted = |named: &latency::Named| named.what == what && named.rate == rate && named.share == share;
    times.iter().find(|(named, _)| wanted(named)).map(|(_, ms)| *ms)
}

/// The machine, the day and the commit.
fn sitting(report: &Report) -> String {
    let machine = &report.machine;
    let known = |name: &str| machine[name].as_str().unwrap_or("unknown").to_owned();
    format!(
        "{} ({}{}) on {} cores of {}, {} GiB, Linux {}",
        report.at.split('T').next().unwrap_or_default(),
        report.commit.as_deref().unwrap_or("no commit"),
        if report.clean { "" } else { ", with changes" },
        machine["cores"],
        known("cpu"),
        machine["memoryGiB"],
        known("kernel")
    )
}

fn row(figure: &Figure) -> String {
    let (least, most) = range(&figure.product);
    let span = if least == most { String::new() } else { format!(" ({} … {})", short(least), short(most)) };
    let ceiling = if figure.ceiling.is_empty() { String::new() } else { short(median(&figure.ceiling)) };
    let verdict = figure.verdict().replace("MISSED", "**missed**");
    let ratio = figure.ratio().map(|ratio| format!("**{ratio:.2}**")).unwrap_or_default();
    let (middle, unit, goal) = (short(median(&figure.product)), &figure.unit, goal(figure.goal));
    let value = format!("{middle} {unit}");
    format!("| {} | {}{span} | {ceiling} | {ratio} | {goal} | {verdict} |", figure.name, value.trim_end())
}

fn processes(budgets: &[&Case]) -> Vec<String> {
    let all: BTreeSet<&String> = budgets.iter().flat_map(|case| case.budget.keys()).collect();
    all.into_iter().cloned().collect()
}

fn plots(shown: &[Shown<'_>]) -> Vec<(&'static str, String)> {
    let mut plots = Vec::new();
    let ratios: Vec<Bar> = shown
        .iter()
        .flat_map(|one| one.case.figures.iter().map(move |figure| (&one.case.name, figure)))
        .filter_map(|(name, figure)| {
            let ratio = figure.ratio()?;
            let mark = match figure.goal {
                Some(Goal::AtLeast(least)) => Some(least),
                _ => None,
            };
            Some(Bar { name: name.clone(), value: ratio, mark, label: format!("{ratio:.2}") })
        })
        .collect();
    if !ratios.is_empty() {
        plots.push(("ratios.svg", svg::bars("As a share of the ceiling; the line is the goal", &ratios)));
    }
    let times = times(shown);
    let rates = rates(&times);
    if !rates.is_empty() {
        let line = |(what, share): (&str, &str)| {
            let values = rates.iter().map(|&rate| time(&times, what, rate, share).unwrap_or(0.0)).collect();
            (format!("{what}, {share}"), values)
        };
        let places: Vec<String> = rates.iter().map(|&rate| format!("{} /s", thousands(rate))).collect();
        plots.push((
            "latency.svg",
            svg::lines("Milliseconds from the planned press, by rate", &places, &TIMES.map(line)),
        ));
    }
    let budgets: Vec<&Case> = shown.iter().map(|one| one.case).filter(|case| !case.budget.is_empty()).collect();
    if !budgets.is_empty() {
        let names = processes(&budgets);
        let row = |case: &&Case| {
            let values = names.iter().map(|name| case.budget.get(name).copied().unwrap_or(0.0)).collect();
            (case.name.clone(), values)
        };
        let rows: Vec<(String, Vec<f64>)> = budgets.iter().map(row).collect();
        plots.push(("budget.svg", svg::stacked("Microseconds of a processor for one answer", &names, &rows)));
    }
    plots
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::super::report::tests::report;
    use super::*;

    fn shown(report: &Report) -> Vec<Shown<'_>> {
        report.cases.iter().filter(|case| case.failure.is_none()).map(|case| Shown { case, from: report }).collect()
    }

    #[test]
    fn the_block_has_every_figure_its_goal_and_where_it_is_from() {
        let report = report();
        let (shown, with_plots) = (shown(&report), plots(&shown(&report)));
        let text = block(&shown, &with_plots);
        for line in [
            "from 2026-11-21 (67e14e1) on 2 cores of A processor, 24.0 GiB, Linux 6.1.",
            "| sold-out refusals | 8,400 /s (8,000 … 9,000) | 10,000 | **0.84** | ≥ 0.85 | **missed** |",
            "| 202 at 2000 /s, p99 | 2.25 ms |  |  | ≤ 5 | met |",
            "| refusals | 12.0 | 20.0 | 32.0 | 16.0 | **0.50** |",
            "| 2,000 /s |  | 2.25 |  |  |  |  |",
            "![latency](loadtest/results/latency.svg)",
        ] {
            assert!(text.contains(line), "{line}\n{text}");
        }
        assert!(!text.contains("drain |"), "what failed has no figure: {text}");
        assert_eq!(
            with_plots.iter().map(|(name, _)| *name).collect::<Vec<_>>(),
            ["ratios.svg", "latency.svg", "budget.svg"]
        );
    }

    #[test]
    fn only_the_block_is_replaced() {
        let text = with_block("a\n<!-- bench:begin -->\nold\n<!-- bench:end -->\nz\n", "new\n").unwrap();
        assert_eq!(text, "a\n<!-- bench:begin -->\nnew\n<!-- bench:end -->\nz\n");
        assert!(with_block("a", "new").is_err());
    }

    /// Results that are only lying about do not count; those that are committed have to be rendered.
    fn committed() -> Vec<PathBuf> {
        let root = workspace::root();
        let output = Command::new("git").arg("-C").arg(&root).args(["ls-files", "loadtest/results/*.json"]).output();
        let list = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
        list.lines().map(|file| root.join(file)).collect()
    }

    #[test]
    fn the_readme_shows_the_committed_results() {
        let rendered = rendered(&committed()).unwrap();
        let readme = fs::read_to_string(workspace::root().join("README.md")).unwrap();
        let wanted = with_block(&readme, &rendered.block).unwrap();
        assert_eq!(readme, wanted, "cargo xtask bench --render");
        for (name, plot) in rendered.plots {
            assert_eq!(
                fs::read_to_string(results().join(name)).unwrap_or_default(),
                plot,
                "cargo xtask bench --render"
            );
        }
    }
}
