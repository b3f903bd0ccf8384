//! What this process takes of its machine: memory, processor, disk.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde::Serialize;

/// The share of the processor is measured over at least this long.
const CPU_OVER: Duration = Duration::from_millis(500);

/// Looks at the process.
pub struct Process {
    data_dir: PathBuf,
    last: Mutex<Option<Sample>>,
}

#[derive(Clone, Copy)]
struct Sample {
    at: Instant,
    cpu_s: f64,
    percent: f64,
}

/// What the process takes; `null` where the system does not say.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ProcessFigures {
    /// Bytes of memory in use.
    pub memory_bytes: Option<u64>,
    /// Seconds of processor time since the start, over all threads.
    pub cpu_seconds: Option<f64>,
    /// Share of one processor since the last look, in percent: above 100 on several.
    pub cpu_percent: Option<f64>,
    /// Bytes in use on the disk of the data directory.
    pub disk_used_bytes: Option<u64>,
    /// Bytes that are left on it for this user.
    pub disk_free_bytes: Option<u64>,
}

impl Process {
    /// Watches the disk of this directory besides.
    pub fn new(data_dir: impl Into<PathBuf>) -> Self {
        let process = Self { data_dir: data_dir.into(), last: Mutex::new(None) };
        process.cpu_percent(); // from now on
        process
    }

    /// As of now.
    pub fn figures(&self) -> ProcessFigures {
        let disk = rustix::fs::statvfs(&self.data_dir).ok();
        ProcessFigures {
            memory_bytes: resident_bytes(),
            cpu_seconds: cpu_seconds(),
            cpu_percent: self.cpu_percent(),
            disk_used_bytes: disk.as_ref().map(|disk| disk.f_blocks.saturating_sub(disk.f_bfree) * disk.f_frsize),
            disk_free_bytes: disk.as_ref().map(|disk| disk.f_bavail * disk.f_frsize),
        }
    }

    fn cpu_percent(&self) -> Option<f64> {
        let (now, cpu_s) = (Instant::now(), cpu_seconds()?);
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        match *last {
            // Two that look at the same time see the same.
            Some(sample) if now - sample.at < CPU_OVER => Some(sample.percent),
            before => {
                let over = before.map_or(0.0, |before| (now - before.at).as_secs_f64());
                let used = before.map_or(0.0, |before| cpu_s - before.cpu_s);
                let percent = if over > 0.0 { 100.0 * used / over } else { 0.0 };
                *last = Some(Sample { at: now, cpu_s, percent });
                Some(percent)
            }
        }
    }
}

/// The second word of `/proc/self/statm`: pages in memory.
fn resident_bytes() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = text.split_ascii_whitespace().nth(1)?.parse().ok()?;
    Some(pages * rustix::param::page_size() as u64)
}

/// Words 14 and 15 of `/proc/self/stat`, counted behind the name, which may contain anything: ticks for us and in the
/// system.
fn cpu_seconds() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/self/stat").ok()?;
    let mut words = text.rsplit_once(')')?.1.split_ascii_whitespace().skip(11);
    let ticks: u64 = words.next()?.parse::<u64>().ok()? + words.next()?.parse::<u64>().ok()?;
    Some(ticks as f64 / rustix::param::clock_ticks_per_second() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_that_is_taken_and_processor_time_that_is_burnt_are_seen() {
        let process = Process::new("/");
        let before = process.figures();
        let taken = vec![1_u8; 64 << 20];
        let mut burnt = 0_u64;
        while cpu_seconds().unwrap() < before.cpu_seconds.unwrap() + 0.1 {
            burnt = taken.iter().fold(burnt, |sum, byte| sum.wrapping_add(u64::from(*byte)));
        }
        let after = process.figures();
        assert!(burnt > 0 && after.memory_bytes.unwrap() > before.memory_bytes.unwrap() + (50 << 20), "{after:?}");
        assert!(after.cpu_seconds.unwrap() >= before.cpu_seconds.unwrap() + 0.1);
        assert!(after.disk_used_bytes.unwrap() > 0 && after.disk_free_bytes.is_some());
        assert_eq!(Process::new("/nowhere").figures().disk_free_bytes, None);
    }
}
