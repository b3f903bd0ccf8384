//! Where the time of the processors went, by process.

use std::collections::BTreeMap;
use std::fs;

/// Microseconds of one tick of `/proc/PID/stat`: Linux reports hundredths of a second on every machine we run on.
const TICK_US: f64 = 10_000.0;

/// Microseconds of processor time by name, user and system together, children included.
pub type Used = BTreeMap<String, f64>;

/// What these processes have used so far.
pub fn used(processes: &[(String, u32)]) -> Used {
    processes.iter().map(|(name, pid)| (name.clone(), tree(*pid))).collect()
}

/// What our own children that have ended used: load generators, mostly.
pub fn ended_children() -> f64 {
    stat(std::process::id()).map_or(0.0, |times| times.ended * TICK_US)
}

/// What we have used ourselves: the open loop runs in this process.
pub fn own() -> f64 {
    stat(std::process::id()).map_or(0.0, |times| times.own * TICK_US)
}

/// What was used between two looks, for one of `count` answers. Microseconds.
pub fn for_each(before: &Used, after: &Used, count: u64) -> Used {
    let share = |(name, now): (&String, &f64)| {
        (name.clone(), (now - before.get(name).copied().unwrap_or(0.0)).max(0.0) / count.max(1) as f64)
    };
    after.iter().map(share).collect()
}

/// Memory of a process in bytes: now, and at most so far.
pub fn memory(pid: u32) -> (u64, u64) {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let field = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        line.and_then(|text| text.trim().trim_end_matches(" kB").parse::<u64>().ok()).unwrap_or(0) * 1024
    };
    (field("VmRSS:"), field("VmHWM:"))
}

struct Times {
    own: f64,
    /// Of children that have ended and were waited for.
    ended: f64,
}

fn tree(pid: u32) -> f64 {
    let times = stat(pid).unwrap_or(Times { own: 0.0, ended: 0.0 });
    let children = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten().flat_map(|task| {
        let list = fs::read_to_string(task.path().join("children")).unwrap_or_default();
        list.split_whitespace().filter_map(|pid| pid.parse().ok()).collect::<Vec<u32>>()
    });
    (times.own + times.ended) * TICK_US + children.map(tree).sum::<f64>()
}

fn stat(pid: u32) -> Option<Times> {
    parse(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

fn parse(stat: &str) -> Option<Times> {
    // The command's name stands in brackets and may contain anything, brackets included.
    let fields: Vec<f64> = stat.rsplit_once(')')?.1.split_whitespace().map(|n| n.parse().unwrap_or(0.0)).collect();
    Some(Times { own: fields.get(11)? + fields.get(12)?, ended: fields.get(13)? + fields.get(14)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_times_are_those_behind_the_name() {
        let times = parse("7 (a (b) c) S 1 7 7 0 -1 0 1 2 3 4 50 25 10 5 20 0 8 0").unwrap();
        assert_eq!((times.own, times.ended), (75.0, 15.0));
        assert!(parse("7 (short) S 1").is_none());
    }

    #[test]
    fn a_share_is_what_was_used_in_between() {
        let at = |us: f64| Used::from([("gateway".to_owned(), us)]);
        assert_eq!(for_each(&at(1_000.0), &at(21_000.0), 1_000), at(20.0));
    }

    #[test]
    fn our_own_memory_is_seen() {
        let (now, most) = memory(std::process::id());
        assert!(now > 100_000 && most >= now);
    }
}
