//! A sitting: its result file, and its table for the terminal.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};

use super::figure::{Case, Figure, Goal};
use super::stats::{median, range};
use crate::workspace;

/// Of the file; a reader refuses others.
const SCHEMA: u64 = 1;

/// Everything that one sitting found.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// When it began, in UTC.
    pub at: String,
    pub commit: Option<String>,
    /// The tree was the commit, and the program was built from it.
    pub clean: bool,
    pub command: String,
    pub full: bool,
    pub machine: Value,
    pub versions: Value,
    pub settings: Value,
    pub cases: Vec<Case>,
}

impl Report {
    pub fn to_json(&self) -> Value {
        json!({
            "schema": SCHEMA, "at": self.at, "commit": self.commit, "clean": self.clean, "command": self.command,
            "full": self.full, "machine": self.machine, "versions": self.versions, "settings": self.settings,
            "cases": self.cases.iter().map(Case::to_json).collect::<Vec<_>>(),
        })
    }

    pub fn from_json(value: &Value) -> Result<Self> {
        ensure!(value["schema"].as_u64() == Some(SCHEMA), "not a result of schema {SCHEMA}");
        let text = |name: &str| value[name].as_str().map(str::to_owned);
        Ok(Self {
            at: text("at").context("a result without a time")?,
            commit: text("commit"),
            clean: value["clean"].as_bool().unwrap_or(false),
            command: text("command").unwrap_or_default(),
            full: value["full"].as_bool().unwrap_or(false),
            machine: value["machine"].clone(),
            versions: value["versions"].clone(),
            settings: value["settings"].clone(),
            cases: value["cases"].as_array().into_iter().flatten().map(Case::from_json).collect::<Result<_>>()?,
        })
    }

    pub fn read(file: &Path) -> Result<Self> {
        let text = fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
        let value = serde_json::from_str(&text).with_context(|| format!("{} is not JSON", file.display()))?;
        Self::from_json(&value).with_context(|| format!("{}", file.display()))
    }

    /// `loadtest/results/<day and time>-<commit>[-full].json`, unless another file is named.
    pub fn write(&self, out: Option<&Path>) -> Result<PathBuf> {
        let name = || {
            let at = self.at.replace([':', '-'], "").replace('T', "-");
            let commit = self.commit.as_deref().unwrap_or("unknown");
            format!("{}-{commit}{}.json", at.trim_end_matches('Z'), if self.full { "-full" } else { "" })
        };
        let file = out.map_or_else(|| results().join(name()), Path::to_path_buf);
        if let Some(folder) = file.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(&file, format!("{:#}\n", self.to_json()))
            .with_context(|| format!("cannot write {}", file.display()))?;
        Ok(file)
    }

    pub fn figures(&self) -> impl Iterator<Item = &Figure> {
        self.cases.iter().flat_map(|case| &case.figures)
    }
}

/// Where results are kept.
pub fn results() -> PathBuf {
    workspace::root().join("loadtest/results")
}

/// The kept results, oldest first; their names begin with their time.
pub fn kept() -> Result<Vec<PathBuf>> {
    let Ok(entries) = fs::read_dir(results()) else { return Ok(Vec::new()) };
    let mut files: Vec<PathBuf> = entries.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
    files.retain(|file| file.extension().is_some_and(|ending| ending == "json"));
    files.sort();
    Ok(files)
}

/// The two results to compare: those named, or the newest two.
pub fn pair(named: &[PathBuf]) -> Result<(PathBuf, PathBuf)> {
    match named {
        [before, after] => Ok((before.clone(), after.clone())),
        [] => match &kept()?[..] {
            [.., before, after] => Ok((before.clone(), after.clone())),
            _ => bail!("there are not two results in {} to compare", results().display()),
        },
        _ => bail!("--compare takes two files, or none for the newest two"),
    }
}

/// A number as people write it: three digits that matter.
pub fn short(value: f64) -> String {
    match value.abs() {
        large if large >= 1_000.0 => super::memory::thousands(large.round() as u64),
        middle if middle >= 100.0 => format!("{value:.0}"),
        middle if middle >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

pub fn goal(goal: Option<Goal>) -> String {
    match goal {
        None => String::new(),
        Some(Goal::AtLeast(least)) => format!("≥ {least}"),
        Some(Goal::AtMost(most)) => format!("≤ {most}"),
    }
}

/// What was found, for whoever sits before the terminal.
pub fn table(report: &Report) -> String {
    let width = report.figures().map(|figure| figure.name.chars().count()).max().unwrap_or(6).max(6);
    let mut text = format!(
        "\n{:<width$}  {:>9} {:>5}  {:>17}  {:>9}  {:>5}  {:<7}\n",
        "figure", "median", "", "from … to", "ceiling", "ratio", "goal"
    );
    for figure in report.figures() {
        let (least, most) = range(&figure.product);
        let ceiling = if figure.ceiling.is_empty() { String::new() } else { short(median(&figure.ceiling)) };
        let ratio = figure.ratio().map(|ratio| format!("{ratio:.2}")).unwrap_or_default();
        let span = format!("{} … {}", short(least), short(most));
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "{:<width$}  {:>9} {:<5}  {span:>17}  {ceiling:>9}  {ratio:>5}  {:<7} {verdict}",
            figure.name,
            short(median(&figure.product)),
            figure.unit,
            goal(figure.goal),
            verdict = figure.verdict()
        );
    }
    let with_budget: Vec<&Case> = report.cases.iter().filter(|case| !case.budget.is_empty()).collect();
    if let Some(first) = with_budget.first() {
        let names: Vec<&String> = first.budget.keys().collect();
        let _ = write!(text, "\nmicroseconds of a processor for one answer:\n{:<12}", "");
        names.iter().for_each(|name| {
            let _ = write!(text, " {name:>10}");
        });
        let _ = writeln!(text, " {:>10} {:>10} {:>6}", "together", "ceiling", "ratio");
        for case in &with_budget {
            let _ = write!(text, "{:<12}", case.name);
            for name in &names {
                let _ =
                    write!(text, " {:>10}", case.budget.get(*name).map(|us| format!("{us:.1}")).unwrap_or_default());
            }
            let ceiling = case.ceiling_us.map(|us| format!("{us:.1}")).unwrap_or_default();
            let ratio = case.ratio_us().map(|ratio| format!("{ratio:.2}")).unwrap_or_default();
            let _ = writeln!(text, " {:>10.1} {ceiling:>10} {ratio:>6}", case.together_us());
        }
    }
    for case in &report.cases {
        if let Some(why) = &case.failure {
            let _ = writeln!(text, "FAIL {}: {why}", case.name);
        }
    }
    let with_goal = report.figures().filter(|figure| figure.goal.is_some()).count();
    let met = report.figures().filter(|figure| figure.met() == Some(true)).count();
    let failed = report.cases.iter().filter(|case| case.failure.is_some()).count();
    let _ =
        writeln!(text, "\n{met} of {with_goal} goals met; {failed} of {} cases without a figure", report.cases.len());
    text
}

#[cfg(test)]
pub mod tests {
    use super::*;

    /// A sitting with one case that went well and one that did not.
    pub fn report() -> Report {
        let rate = |rounds: Vec<f64>| Figure::new("sold-out refusals", "/s", rounds, Some(Goal::AtLeast(0.85)));
        let mut refusals = Case::new("refusals", vec![rate(vec![9_000.0, 8_000.0, 8_400.0]).under(vec![10_000.0; 3])]);
        refusals.figures.push(Figure::new("202 at 2000 /s, p99", "ms", vec![2.25], Some(Goal::AtMost(5.0))));
        refusals.ceiling_us = Some(16.0);
        refusals.budget = [("gateway".to_owned(), 12.0), ("generator".to_owned(), 20.0)].into();
        Report {
            at: "2026-11-21T19:00:05Z".to_owned(),
            commit: Some("67e14e1".to_owned()),
            clean: true,
            command: "cargo xtask bench".to_owned(),
            full: false,
            machine: json!({"cpu": "A processor", "cores": 2, "memoryGiB": 24.0, "kernel": "6.1"}),
            versions: json!({"redis": "7.0.15"}),
            settings: json!({}),
            cases: vec![refusals, Case::failed("drain", "difference 1".to_owned())],
        }
    }

    #[test]
    fn a_sitting_survives_its_file() {
        assert_eq!(Report::from_json(&report().to_json()).unwrap(), report());
        let mut newer = report().to_json();
        newer["schema"] = json!(2);
        assert!(Report::from_json(&newer).is_err());
    }

    #[test]
    fn the_table_says_what_was_met_missed_and_not_measured() {
        let text = table(&report());
        assert!(text.contains("sold-out refusals        8,400 /s"), "{text}");
        assert!(text.contains(" 0.84  ≥ 0.85  MISSED"), "{text}");
        assert!(text.contains("≤ 5     met"), "{text}");
        assert!(text.contains("refusals           12.0       20.0       32.0       16.0   0.50\n"), "{text}");
        assert!(text.contains("FAIL drain: difference 1"), "{text}");
        assert!(text.ends_with("1 of 2 goals met; 1 of 2 cases without a figure\n"), "{text}");
    }

    #[test]
    fn numbers_have_the_digits_that_matter() {
        assert_eq!([12_345.6, 123.4, 12.34, 1.234, 0.0].map(short), ["12,346", "123", "12.3", "1.23", "0.00"]);
    }

    #[test]
    fn two_named_files_are_compared_and_one_is_too_few() {
        assert_eq!(pair(&["a".into(), "b".into()]).unwrap(), ("a".into(), "b".into()));
        assert!(pair(&["a".into()]).is_err());
    }
}
