//! The scripts of `lua/`, made for one run of one Redis server.
/// A script, by the file it is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Name {
    Admit,
    MarkQueued,
    ClaimOverdue,
    Hold,
    BeginEpoch,
    FinishEpoch,
    Follow,
    Condition,
    Reserve,
    Withdraw,
    Restock,
    Scan,
    ConcurrencyConfig,
    ConcurrencyTask,
    ConcurrencyUsage,
    ConcurrencyStats,
    Limit,
    Lease,
    QuotaTake,
    QuotaReturn,
    QuotaRaise,
    Lock,
}

const SHARED: &str = include_str!("../../../../lua/records.lua");

/// For the scripts that say `Tokens`.
const TOKENS: &str = include_str!("../../../../lua/tokens.lua");

/// How many there are.
pub(super) const COUNT: usize = 22;

const SOURCES: [(Name, &str); COUNT] = [
    (Name::Admit, include_str!("../../../../lua/admit.lua")),
    (Name::MarkQueued, include_str!("../../../../lua/mark_queued.lua")),
    (Name::ClaimOverdue, include_str!("../../../../lua/claim_overdue.lua")),
    (Name::Hold, include_str!("../../../../lua/hold.lua")),
    (Name::BeginEpoch, include_str!("../../../../lua/begin_epoch.lua")),
    (Name::FinishEpoch, include_str!("../../../../lua/finish_epoch.lua")),
    (Name::Follow, include_str!("../../../../lua/follow.lua")),
    (Name::Condition, include_str!("../../../../lua/condition.lua")),
    (Name::Reserve, include_str!("../../../../lua/reserve.lua")),
    (Name::Withdraw, include_str!("../../../../lua/withdraw.lua")),
    (Name::Restock, include_str!("../../../../lua/restock.lua")),
    (Name::Scan, include_str!("../../../../lua/scan.lua")),
    (Name::ConcurrencyConfig, include_str!("../../../../lua/concurrency_config.lua")),
    (Name::ConcurrencyTask, include_str!("../../../../lua/concurrency_task.lua")),
    (Name::ConcurrencyUsage, include_str!("../../../../lua/concurrency_usage.lua")),
    (Name::ConcurrencyStats, include_str!("../../../../lua/concurrency_stats.lua")),
    (Name::Limit, include_str!("../../../../lua/limit.lua")),
    (Name::Lease, include_str!("../../../../lua/lease.lua")),
    (Name::QuotaTake, include_str!("../../../../lua/quota_take.lua")),
    (Name::QuotaReturn, include_str!("../../../../lua/quota_return.lua")),
    (Name::QuotaRaise, include_str!("../../../../lua/quota_raise.lua")),
    (Name::Lock, include_str!("../../../../lua/lock.lua")),
];

/// The hashes to call the scripts by, on the server run that they were made for.
#[derive(Debug)]
pub(super) struct Scripts {
    pub(super) run: String,
    hashes: [String; COUNT],
}

impl Scripts {
    /// The texts for one run of a server, in the order of [`SOURCES`]; `prefix` is that of the tokens' keys.
    pub(super) fn texts(run: &str, prefix: &str) -> Vec<String> {
        SOURCES.iter().map(|(_, source)| text(run, prefix, source)).collect()
    }

    pub(super) fn new(run: String, hashes: [String; COUNT]) -> Self {
        Self { run, hashes }
    }

    pub(super) fn hash(&self, name: Name) -> &str {
        &self.hashes[name as usize]
    }
}

/// The shebang line, the run, what is shared, and the script itself.
fn text(run: &str, prefix: &str, source: &str) -> String {
    let (shebang, body) = source.split_once('\n').unwrap_or((source, ""));
    if body.contains("Tokens.") {
        return format!("{shebang}\nlocal RUN = '{run}'\n{SHARED}\nlocal PREFIX = '{prefix}'\n{TOKENS}\n{body}");
    }
    format!("{shebang}\nlocal RUN = '{run}'\n{SHARED}\n{body}")
}

/// A prefix of keys that can become part of a script's text.
pub(super) fn is_prefix(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b':' | b'-' | b'_');
    (1..=64).contains(&text.len()) && text.bytes().all(plain)
}

/// The run id in the answer of `INFO server`.
pub(super) fn run_id(info: &str) -> Option<&str> {
    let run = info.lines().find_map(|line| line.strip_prefix("run_id:"))?.trim();
    // It becomes part of a script's text.
    (run.len() == 40 && run.bytes().all(|byte| byte.is_ascii_hexdigit())).then_some(run)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_script_starts_with_its_shebang_and_stands_in_its_own_place() {
        for (at, (name, source)) in SOURCES.iter().enumerate() {
            assert_eq!(*name as usize, at);
            assert!(source.starts_with("#!lua"), "{name:?}");
            assert!(text("ab", "concurrency", source).starts_with("#!lua"), "{name:?}");
        }
    }

    #[test]
    fn no_prefix_of_keys_ends_the_text_that_it_is_in() {
        assert!(is_prefix("concurrency") && is_prefix("shop-1:concurrency"));
        for wrong in ["", "a'b", "a\nb", "a b", "a\\b", "{a}"] {
            assert!(!is_prefix(wrong), "{wrong:?}");
        }
    }

    #[test]
    fn only_a_run_id_is_taken_for_one() {
        let run = "a".repeat(40);
        assert_eq!(run_id(&format!("# Server\r\nrun_id:{run}\r\n")), Some(run.as_str()));
        assert_eq!(run_id("run_id:'..os.exit()..'"), None);
        assert_eq!(run_id(""), None);
    }
}
