//! What a run found: figures with their rounds, their ceiling and their goal, grouped by case.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::stats::{median, range, spread};

/// A ratio whose rounds differ by more than this (half their range, as a share of the median) says more about what else ran on
/// the machine than about the product.
const STEADY: f64 = 0.3;

/// A goal for [`Figure::value`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Goal {
    AtLeast(f64),
    AtMost(f64),
}

/// One figure.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    /// Says to somebody who knows nothing else what was measured.
    pub name: String,
    pub unit: String,
    /// One value a round.
    pub product: Vec<f64>,
    /// One value a round, measured in turn with the product; empty where there is nothing to compare with.
    pub ceiling: Vec<f64>,
    pub goal: Option<Goal>,
}

impl Figure {
    pub fn new(name: impl Into<String>, unit: &str, product: Vec<f64>, goal: Option<Goal>) -> Self {
        Self { name: name.into(), unit: unit.to_owned(), product, ceiling: Vec::new(), goal }
    }

    pub fn under(mut self, ceiling: Vec<f64>) -> Self {
        self.ceiling = ceiling;
        self
    }

    /// The ratio of the medians; `None` without a ceiling.
    pub fn ratio(&self) -> Option<f64> {
        let ceiling = median(&self.ceiling);
        (ceiling > 0.0).then(|| median(&self.product) / ceiling)
    }

    /// What the goal is about: the ratio where there is a ceiling, else the median.
    pub fn value(&self) -> f64 {
        self.ratio().unwrap_or_else(|| median(&self.product))
    }

    /// Are the rounds near enough to each other for a ratio?
    pub fn steady(&self) -> bool {
        self.ceiling.is_empty() || (spread(&self.product) <= STEADY && spread(&self.ceiling) <= STEADY)
    }

    /// One word about the goal, if there is one.
    pub fn verdict(&self) -> &'static str {
        match self.met() {
            Some(true) => "met",
            Some(false) => "MISSED",
            None if self.goal.is_some() => "unsteady",
            None => "",
        }
    }

    /// `None` without a goal, and while nobody can tell.
    pub fn met(&self) -> Option<bool> {
        self.goal.filter(|_| self.steady()).map(|goal| match goal {
            Goal::AtLeast(least) => self.value() >= least,
            Goal::AtMost(most) => self.value() <= most,
        })
    }

    /// By how much [`Figure::value`] may differ between two sittings without meaning anything: half the range of the rounds, as a
    /// share of it; of product and ceiling together.
    pub fn noise(&self) -> f64 {
        spread(&self.product) + spread(&self.ceiling)
    }

    fn to_json(&self) -> Value {
        let (least, most) = range(&self.product);
        let goal = match self.goal {
            None => Value::Null,
            Some(Goal::AtLeast(least)) => json!({"atLeast": least}),
            Some(Goal::AtMost(most)) => json!({"atMost": most}),
        };
        json!({
            "name": self.name, "unit": self.unit, "product": self.product, "ceiling": self.ceiling,
            "median": median(&self.product), "min": least, "max": most, "ceilingMedian": median(&self.ceiling),
            "ratio": self.ratio(), "goal": goal, "met": self.met(),
        })
    }

    fn from_json(value: &Value) -> Result<Self> {
        let numbers = |name: &str| value[name].as_array().into_iter().flatten().filter_map(Value::as_f64).collect();
        let text =
            |name: &str| value[name].as_str().map(str::to_owned).with_context(|| format!("a figure has no {name}"));
        let goal = &value["goal"];
        let at_least = goal["atLeast"].as_f64().map(Goal::AtLeast);
        Ok(Self {
            name: text("name")?,
            unit: text("unit")?,
            product: numbers("product"),
            ceiling: numbers("ceiling"),
            goal: at_least.or_else(|| goal["atMost"].as_f64().map(Goal::AtMost)),
        })
    }
}

/// One thing that was measured, or why it was not.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Case {
    pub name: String,
    pub figures: Vec<Figure>,
    /// Microseconds of processor time for one answer or order, by process; the median of the rounds.
    pub budget: BTreeMap<String, f64>,
    /// The same for one answer of the ceiling, all processes together: the generator and the bare server.
    pub ceiling_us: Option<f64>,
    /// Every round as it was, and whatever explains it.
    pub raw: Value,
    /// Then there are no figures.
    pub failure: Option<String>,
}

impl Case {
    pub fn new(name: &str, figures: Vec<Figure>) -> Self {
        Self { name: name.to_owned(), figures, ..Self::default() }
    }

    pub fn failed(name: &str, why: String) -> Self {
        Self { name: name.to_owned(), failure: Some(why), ..Self::default() }
    }

    /// Processor time of one answer, all processes together.
    pub fn together_us(&self) -> f64 {
        self.budget.values().sum()
    }

    /// The ceiling's time as a share of ours: what [`Figure::ratio`] would be if both used all processors alone. It means
    /// something on a busy machine as well.
    pub fn ratio_us(&self) -> Option<f64> {
        self.ceiling_us.filter(|_| self.together_us() > 0.0).map(|us| us / self.together_us())
    }

    pub fn to_json(&self) -> Value {
        json!({
            "name": self.name, "figures": self.figures.iter().map(Figure::to_json).collect::<Vec<_>>(),
            "budgetUs": self.budget, "ceilingUs": self.ceiling_us, "raw": self.raw, "failure": self.failure,
        })
    }

    pub fn from_json(value: &Value) -> Result<Self> {
        let budget = value["budgetUs"].as_object().into_iter().flatten();
        Ok(Self {
            name: value["name"].as_str().context("a case has no name")?.to_owned(),
            figures: value["figures"].as_array().into_iter().flatten().map(Figure::from_json).collect::<Result<_>>()?,
            budget: budget.filter_map(|(name, us)| Some((name.clone(), us.as_f64()?))).collect(),
            ceiling_us: value["ceilingUs"].as_f64(),
            raw: value["raw"].clone(),
            failure: value["failure"].as_str().map(str::to_owned),
        })
    }
}

/// The median of each process over the rounds.
pub fn median_budget(rounds: &[BTreeMap<String, f64>]) -> BTreeMap<String, f64> {
    let names = rounds.first().into_iter().flat_map(BTreeMap::keys);
    let of = |name: &String| rounds.iter().filter_map(|round| round.get(name).copied()).collect::<Vec<_>>();
    names.map(|name| (name.clone(), median(&of(name)))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate() -> Figure {
        Figure::new("refusals", "/s", vec![90.0, 80.0, 85.0], Some(Goal::AtLeast(0.85))).under(vec![100.0, 110.0, 90.0])
    }

    #[test]
    fn with_a_ceiling_the_ratio_of_medians_counts() {
        assert_eq!((rate().value(), rate().met()), (0.85, Some(true)));
        let slower = Figure { product: vec![84.0], ..rate() };
        assert_eq!(slower.met(), Some(false));
    }

    #[test]
    fn a_ratio_of_rounds_that_differ_wildly_meets_no_goal() {
        let busy = rate().under(vec![20.0, 100.0, 90.0]);
        assert_eq!((busy.met(), busy.verdict()), (None, "unsteady"));
        assert_eq!((rate().verdict(), Figure { product: vec![50.0], ..rate() }.verdict()), ("met", "MISSED"));
    }

    #[test]
    fn without_one_the_median_counts() {
        let p99 = Figure::new("p99", "ms", vec![30.0, 20.0, 24.0], Some(Goal::AtMost(25.0)));
        assert_eq!((p99.ratio(), p99.value(), p99.met()), (None, 24.0, Some(true)));
        assert_eq!(Figure { goal: None, ..p99 }.met(), None);
    }

    #[test]
    fn a_case_survives_its_file() {
        let mut case = Case::new("refusals", vec![rate(), Figure::new("p99", "ms", vec![1.5], None)]);
        case.budget.insert("gateway".to_owned(), 12.5);
        case.ceiling_us = Some(10.0);
        assert_eq!(Case::from_json(&case.to_json()).unwrap(), case);
        let failed = Case::failed("drain", "difference 1".to_owned());
        assert_eq!(Case::from_json(&failed.to_json()).unwrap(), failed);
    }

    #[test]
    fn a_budget_is_the_median_of_its_rounds() {
        let round = |us: f64| BTreeMap::from([("redis".to_owned(), us)]);
        assert_eq!(median_budget(&[round(1.0), round(9.0), round(2.0)]), round(2.0));
        assert!(median_budget(&[]).is_empty());
    }
}
