//! How much may be under way at once: the document that operators change while everything runs, and its rules.
//!
//! Its field names, its defaults and its dimensions are those of the requirements, see "dynamic concurrency control".

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Limits by dimension; 0 means unlimited, and then no token is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ConcurrencyRules {
    /// Orders in flight (admitted and not settled) over all sales.
    pub global_max: u32,
    /// Orders in flight by sales channel; a channel that is not named is unlimited.
    pub platform_max: BTreeMap<String, u32>,
    /// Orders in flight by buyer.
    pub account_max: u32,
    /// Background tasks of one type at once; a type that is not named is unlimited.
    pub task_type_max: BTreeMap<String, u32>,
    /// `false`: nothing is limited.
    pub enabled: bool,
    /// Seconds until a token ends by itself, should nobody give it back.
    pub timeout: u32,
}

/// A part of the rules, to be changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConcurrencyPatch {
    /// See [`ConcurrencyRules::global_max`].
    pub global_max: Option<u32>,
    /// Channels to change; the others stay.
    pub platform_max: BTreeMap<String, u32>,
    /// See [`ConcurrencyRules::account_max`].
    pub account_max: Option<u32>,
    /// Task types to change; the others stay.
    pub task_type_max: BTreeMap<String, u32>,
    /// See [`ConcurrencyRules::enabled`].
    pub enabled: Option<bool>,
    /// See [`ConcurrencyRules::timeout`].
    pub timeout: Option<u32>,
}

/// A field of a patch that makes no sense, and what it has to be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field} {why}")]
pub struct WrongLimit {
    /// For example `platform_max.douyin`.
    pub field: String,
    /// The rest of the sentence.
    pub why: &'static str,
}

impl Default for ConcurrencyRules {
    /// One order in flight for each buyer, and nothing else limited.
    fn default() -> Self {
        let unlimited = |names: &[&str]| names.iter().map(|name| ((*name).to_owned(), 0)).collect();
        Self {
            global_max: 0,
            platform_max: unlimited(&["douyin", "xiaohongshu", "kuaishou", "bilibili", "channels"]),
            account_max: 1,
            task_type_max: unlimited(&["publish", "batch_publish"]),
            enabled: true,
            timeout: 300,
        }
    }
}

impl ConcurrencyRules {
    /// The highest limit: more than anybody could mean.
    pub const LIMIT_MAX: u32 = 1_000_000;

    /// The longest life of a token, in seconds.
    pub const TIMEOUT_MAX: u32 = 86_400;

    /// Names in one map: the scripts look at each of them.
    pub const NAMES_MAX: usize = 100;

    /// These rules with a part of them changed.
    pub fn patched(&self, patch: &ConcurrencyPatch) -> Result<Self, WrongLimit> {
        let mut rules = self.clone();
        let limits = [("global_max", patch.global_max), ("account_max", patch.account_max)];
        for (field, limit) in limits.into_iter().filter_map(|(field, limit)| Some((field, limit?))) {
            check(field.to_owned(), limit)?;
        }
        rules.global_max = patch.global_max.unwrap_or(rules.global_max);
        rules.account_max = patch.account_max.unwrap_or(rules.account_max);
        rules.enabled = patch.enabled.unwrap_or(rules.enabled);
        if let Some(timeout) = patch.timeout {
            if !(1..=Self::TIMEOUT_MAX).contains(&timeout) {
                return Err(wrong("timeout", "has to be a whole number of seconds from 1 to 86400"));
            }
            rules.timeout = timeout;
        }
        merge("platform_max", &mut rules.platform_max, &patch.platform_max)?;
        merge("task_type_max", &mut rules.task_type_max, &patch.task_type_max)?;
        Ok(rules)
    }

    /// How many tasks of this type may run at once; `None`: any number.
    pub fn task_max(&self, task: &str) -> Option<u32> {
        self.task_type_max.get(task).copied().filter(|max| self.enabled && *max > 0)
    }
}

fn merge(field: &str, known: &mut BTreeMap<String, u32>, patch: &BTreeMap<String, u32>) -> Result<(), WrongLimit> {
    for (name, limit) in patch {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_');
        if !(1..=32).contains(&name.len()) || !name.bytes().all(plain) {
            return Err(wrong(field, "has a name that is not 1 to 32 of a-z, 0-9, '-' and '_'"));
        }
        check(format!("{field}.{name}"), *limit)?;
        known.insert(name.clone(), *limit);
    }
    if known.len() > ConcurrencyRules::NAMES_MAX {
        return Err(wrong(field, "may have at most 100 names"));
    }
    Ok(())
}

fn check(field: String, limit: u32) -> Result<(), WrongLimit> {
    if limit > ConcurrencyRules::LIMIT_MAX {
        return Err(WrongLimit { field, why: "has to be a whole number from 0 to 1000000; 0 means unlimited" });
    }
    Ok(())
}

fn wrong(field: &str, why: &'static str) -> WrongLimit {
    WrongLimit { field: field.to_owned(), why }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_is_the_document_of_the_requirements() {
        let theirs = serde_json::json!({
            "global_max": 0,
            "platform_max": { "douyin": 0, "xiaohongshu": 0, "kuaishou": 0, "bilibili": 0, "channels": 0 },
            "account_max": 1,
            "task_type_max": { "publish": 0, "batch_publish": 0 },
            "enabled": true,
            "timeout": 300
        });
        assert_eq!(serde_json::to_value(ConcurrencyRules::default()).unwrap(), theirs);
    }

    #[test]
    fn a_patch_changes_what_it_names_and_nothing_else() {
        let channels = BTreeMap::from([("xiaohongshu".to_owned(), 3), ("app".to_owned(), 7)]);
        let patch = ConcurrencyPatch { platform_max: channels, global_max: Some(20), ..ConcurrencyPatch::default() };
        let before = ConcurrencyRules::default();
        let after = before.patched(&patch).unwrap();
        let mut expected = ConcurrencyRules { global_max: 20, ..before };
        expected.platform_max.extend([("xiaohongshu".to_owned(), 3), ("app".to_owned(), 7)]);
        assert_eq!(after, expected);
        assert_eq!(after.patched(&ConcurrencyPatch::default()).unwrap(), after);
    }

    #[test]
    fn a_value_out_of_its_range_is_named() {
        let map = |name: &str, limit| BTreeMap::from([(name.to_owned(), limit)]);
        let patch = ConcurrencyPatch::default;
        let cases = [
            (ConcurrencyPatch { global_max: Some(1_000_001), ..patch() }, "global_max"),
            (ConcurrencyPatch { timeout: Some(0), ..patch() }, "timeout"),
            (ConcurrencyPatch { timeout: Some(86_401), ..patch() }, "timeout"),
            (ConcurrencyPatch { platform_max: map("douyin", 1_000_001), ..patch() }, "platform_max.douyin"),
            (ConcurrencyPatch { task_type_max: map("A b", 1), ..patch() }, "task_type_max"),
            (
                ConcurrencyPatch {
                    platform_max: (0..ConcurrencyRules::NAMES_MAX).map(|at| (format!("c{at}"), 1)).collect(),
                    ..patch()
                },
                "platform_max",
            ),
        ];
        for (patch, field) in cases {
            assert_eq!(ConcurrencyRules::default().patched(&patch).unwrap_err().field, field);
        }
    }
}
