//! A change of the limits, as an operator writes it.

use std::num::NonZeroU32;

use serde::Deserialize;
use utoipa::ToSchema;

use super::{Finding, LimitsDocument, Rate, Rule, RuleAction, RuleAlgorithm, RuleSubject, in_range};

/// Changes of the limits; what is left out stays.
#[derive(Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LimitsDraft {
    /// Begin with what the configuration says, not with what is obeyed now.
    reset: Option<bool>,
    /// Rates of one caller on one gateway.
    local: Option<LocalDraft>,
    /// Names of shared rules that are to go. They go before others come.
    remove: Option<Vec<String>>,
    /// Shared rules, by name: of a known one, what is to change; a new one as a whole.
    shared: Option<Vec<RuleDraft>>,
    /// Why, for the audit log.
    pub reason: Option<String>,
}

/// Changes of the rates of one caller on one gateway.
#[derive(Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LocalDraft {
    /// Requests of one address that show nothing valid.
    per_ip: Option<RateDraft>,
    /// Tokens issued to one buyer.
    token_per_buyer: Option<RateDraft>,
    /// Purchases of one buyer.
    order_per_buyer: Option<RateDraft>,
    /// Reads of one job, and of one buyer's orders.
    status: Option<RateDraft>,
}

/// Changes of one rate.
#[derive(Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RateDraft {
    /// Is it applied?
    enabled: Option<bool>,
    /// Requests a second, on average: 1 to 1000000.
    per_second: Option<i64>,
    /// Requests at once: 1 to 1000000.
    burst: Option<i64>,
}

/// A shared rule, or changes of one.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = LimitRuleDraft)]
pub struct RuleDraft {
    /// Which: 1 to 32 of a-z, 0-9 and `-`.
    name: String,
    /// `token`, `order`, `status` or `any`.
    action: Option<String>,
    /// `ip`, `buyer`, `sale` or `channel`.
    subject: Option<String>,
    /// `sliding-window`, as a new rule is unless it says otherwise, or `gcra`.
    algorithm: Option<String>,
    /// Requests in a window, at least 1.
    limit: Option<i64>,
    /// 1 to 86400.
    window_seconds: Option<i64>,
}

impl LimitsDraft {
    /// The limits after this change, if every value is in its range.
    pub fn apply(&self, now: &LimitsDocument, default: &LimitsDocument) -> Result<LimitsDocument, Finding> {
        let mut document = if self.reset == Some(true) { default.clone() } else { now.clone() };
        if let Some(local) = &self.local {
            let rates = &mut document.local;
            for (name, rate, draft) in [
                ("perIp", &mut rates.per_ip, &local.per_ip),
                ("tokenPerBuyer", &mut rates.token_per_buyer, &local.token_per_buyer),
                ("orderPerBuyer", &mut rates.order_per_buyer, &local.order_per_buyer),
                ("status", &mut rates.status, &local.status),
            ] {
                if let Some(draft) = draft {
                    draft.apply(rate, |field| format!("local.{name}.{field}"))?;
                }
            }
        }
        for (at, name) in self.remove.iter().flatten().enumerate() {
            let place = document.shared.iter().position(|rule| rule.name == *name);
            let place = place.ok_or_else(|| (format!("remove[{at}]"), "names no rule that there is".to_owned()))?;
            document.shared.remove(place);
        }
        for (at, draft) in self.shared.iter().flatten().enumerate() {
            let place = document.shared.iter().position(|rule| rule.name == draft.name);
            let known = place.map(|place| &document.shared[place]);
            let rule = draft.apply(known, |field| format!("shared[{at}].{field}"))?;
            match place {
                Some(place) => document.shared[place] = rule,
                None => document.shared.push(rule),
            }
        }
        document.check()?;
        Ok(document)
    }
}

impl RateDraft {
    fn apply(&self, rate: &mut Rate, field: impl Fn(&str) -> String) -> Result<(), Finding> {
        rate.enabled = self.enabled.unwrap_or(rate.enabled);
        for (name, value, draft) in
            [("perSecond", &mut rate.per_second, self.per_second), ("burst", &mut rate.burst, self.burst)]
        {
            if let Some(draft) = draft {
                *value = number(draft, super::RATE_MAX, || field(name))?;
            }
        }
        Ok(())
    }
}

impl RuleDraft {
    fn apply(&self, known: Option<&Rule>, field: impl Fn(&str) -> String) -> Result<Rule, Finding> {
        let action = word(&self.action, RuleAction::parse, RuleAction::WORDS, || field("action"))?;
        let subject = word(&self.subject, RuleSubject::parse, RuleSubject::WORDS, || field("subject"))?;
        let algorithm = word(&self.algorithm, RuleAlgorithm::parse, RuleAlgorithm::WORDS, || field("algorithm"))?;
        let highest = |draft: Option<i64>, highest, name| draft.map(|n| number(n, highest, || field(name))).transpose();
        let limit = highest(self.limit, u32::MAX, "limit")?;
        let window_seconds = highest(self.window_seconds, super::WINDOW_MAX_S, "windowSeconds")?;
        let missing = |name: &str| (field(name), "is needed for a new rule".to_owned());
        let rule = Rule {
            name: self.name.clone(),
            action: action.or(known.map(|rule| rule.action)).ok_or_else(|| missing("action"))?,
            subject: subject.or(known.map(|rule| rule.subject)).ok_or_else(|| missing("subject"))?,
            algorithm: algorithm.or(known.map(|rule| rule.algorithm)).unwrap_or_default(),
            limit: limit.or(known.map(|rule| rule.limit)).ok_or_else(|| missing("limit"))?,
            window_seconds: window_seconds
                .or(known.map(|rule| rule.window_seconds))
                .ok_or_else(|| missing("windowSeconds"))?,
        };
        rule.check(field)?;
        Ok(rule)
    }
}

fn number(value: i64, highest: u32, field: impl Fn() -> String) -> Result<NonZeroU32, Finding> {
    in_range(value, highest, field)?;
    Ok(u32::try_from(value).ok().and_then(NonZeroU32::new).unwrap_or(NonZeroU32::MIN))
}

fn word<T>(
    text: &Option<String>,
    parse: impl Fn(&str) -> Option<T>,
    words: &str,
    field: impl Fn() -> String,
) -> Result<Option<T>, Finding> {
    let Some(text) = text else { return Ok(None) };
    let wrong = || (field(), format!("has to be one of {}", words.trim_end().replace(' ', ", ")));
    parse(text).map(Some).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn apply(now: &LimitsDocument, change: Value) -> Result<LimitsDocument, Finding> {
        let draft: LimitsDraft = serde_json::from_value(change).unwrap();
        draft.apply(now, &LimitsDocument::default())
    }

    fn rule() -> Value {
        json!({ "name": "a-rule", "action": "order", "subject": "sale", "limit": 10, "windowSeconds": 2 })
    }

    #[test]
    fn only_what_is_named_changes_and_a_reset_brings_back_the_configuration() {
        let default = LimitsDocument::default();
        let one = apply(&default, json!({ "local": { "perIp": { "burst": 99 } }, "shared": [rule()] })).unwrap();
        assert_eq!((one.local.per_ip.burst.get(), one.local.per_ip.per_second.get()), (99, 20));
        assert_eq!(one.local.status, default.local.status);
        assert_eq!(one.shared[0].algorithm, RuleAlgorithm::SlidingWindow);
        let two =
            apply(&one, json!({ "shared": [{ "name": "a-rule", "algorithm": "gcra", "limit": 200000 }] })).unwrap();
        let expected = json!({ "name": "a-rule", "action": "order", "subject": "sale", "algorithm": "gcra",
            "limit": 200_000, "windowSeconds": 2 });
        assert_eq!((json!(two.shared), two.local.clone()), (json!([expected]), one.local));
        assert_eq!(apply(&two, json!({})).unwrap(), two);
        assert_eq!(apply(&two, json!({ "remove": ["a-rule"] })).unwrap().shared, []);
        assert_eq!(apply(&two, json!({ "reset": true })).unwrap(), default);
        let anew = apply(&two, json!({ "reset": true, "shared": [rule()] })).unwrap();
        assert_eq!((anew.shared.len(), anew.local), (1, default.local));
        let read: LimitsDocument = serde_json::from_value(json!(two)).unwrap();
        assert_eq!(read, two, "what is kept is read as it was written");
    }

    #[test]
    fn a_value_out_of_its_range_is_named() {
        let known = apply(&LimitsDocument::default(), json!({ "shared": [rule()] })).unwrap();
        let with = |name: &str, value: Value| {
            let mut rule = rule();
            rule[name] = value;
            json!({ "shared": [rule] })
        };
        for (change, field) in [
            (json!({ "local": { "perIp": { "perSecond": 0 } } }), "local.perIp.perSecond"),
            (json!({ "local": { "status": { "burst": -1 } } }), "local.status.burst"),
            (json!({ "local": { "orderPerBuyer": { "burst": 1_000_001 } } }), "local.orderPerBuyer.burst"),
            (json!({ "local": { "tokenPerBuyer": { "perSecond": 1_i64 << 40 } } }), "local.tokenPerBuyer.perSecond"),
            (json!({ "remove": ["b"] }), "remove[0]"),
            (json!({ "shared": [{ "name": "new", "limit": 1 }] }), "shared[0].action"),
            (with("name", json!("A")), "shared[0].name"),
            (with("name", json!("")), "shared[0].name"),
            (with("action", json!("pay")), "shared[0].action"),
            (with("subject", json!("country")), "shared[0].subject"),
            (with("algorithm", json!("fixed")), "shared[0].algorithm"),
            (with("limit", json!(0)), "shared[0].limit"),
            (with("limit", json!(10_001)), "shared[0].limit"),
            (with("windowSeconds", json!(0)), "shared[0].windowSeconds"),
            (with("windowSeconds", json!(86_401)), "shared[0].windowSeconds"),
        ] {
            assert_eq!(apply(&known, change.clone()).unwrap_err().0, field, "{change}");
        }
        let many = (0..33).map(|n| {
            json!({ "name": format!("r{n}"), "action": "any", "subject": "ip", "limit": 1,
            "windowSeconds": 1 })
        });
        assert_eq!(apply(&known, json!({ "shared": many.collect::<Vec<_>>() })).unwrap_err().0, "shared");
    }
}
