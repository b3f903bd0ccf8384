//! What a buyer costs in memory, at rest: bytes of Redis for each admitted and for each refused one, and what the processes
//! hold. Each size has a stack of its own, because memory that was needed once is kept.

use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpStream};

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};

use super::books::{self, Seen};
use super::figure::{Case, Figure, Goal};
use super::wrk::Load;
use super::{Bench, cpu, shop};

/// Buyers; and in a full run.
const SIZES: &[u64] = &[1_000, 100_000];
const FULL: &[u64] = &[1_000, 100_000, 1_000_000];

const ADMITTED_BYTES: f64 = 300.0;
/// Nothing; less than one byte for each of at least a thousand is the noise of one new field.
const REFUSED_BYTES: f64 = 1.0;
const PROCESS_MB: f64 = 150.0;

pub fn memory(bench: &mut Bench) -> Result<Case> {
    let mut case = Case::new("memory", Vec::new());
    let mut raw = Vec::new();
    let sizes = if bench.options.full { FULL } else { SIZES };
    for &buyers in sizes {
        bench.fresh_stack()?;
        let sale = bench.sale(buyers)?;
        let empty = redis_bytes(bench)?;
        send(bench, &sale, "buyer-", buyers, 202)?;
        let admitted = redis_bytes(bench)?;
        send(bench, &sale, "late-", buyers, 409)?;
        let refused = redis_bytes(bench)?;
        books::check(&mut bench.stack, &sale, Seen { accepted: buyers, unknown: 0 })?;
        let each = |from: &Bytes, to: &Bytes| (to.keys as f64 - from.keys as f64) / buyers as f64;
        let mut figure = |name: &str, unit: &str, value: f64, most: Option<f64>| {
            let name = format!("{name}, {} buyers", thousands(buyers));
            case.figures.push(Figure::new(name, unit, vec![value], most.map(Goal::AtMost)));
        };
        figure("Redis for each admitted buyer", "bytes", each(&empty, &admitted), Some(ADMITTED_BYTES));
        figure("Redis for each refused buyer", "bytes", each(&admitted, &refused), Some(REFUSED_BYTES));
        let mut processes = serde_json::Map::new();
        for (name, pid) in bench.stack.pids() {
            let (now, most) = cpu::memory(pid);
            // RabbitMQ's and Postgres's memory is what they are set to, and shared by their processes.
            if name == "gateway" || name == "consumer" {
                figure(&format!("memory of the {name}, at most"), "MB", most as f64 / 1e6, Some(PROCESS_MB));
            }
            processes.insert(name, json!({"now": now, "most": most}));
        }
        let used = [empty.used, admitted.used, refused.used];
        raw.push(json!({"buyers": buyers, "redisKeys": [empty.keys, admitted.keys, refused.keys],
                        "redisUsedMemory": used, "processes": Value::Object(processes)}));
    }
    case.raw = Value::Array(raw);
    Ok(case)
}

fn send(bench: &mut Bench, sale: &str, prefix: &str, buyers: u64, status: u16) -> Result<()> {
    let file = shop::bodies(&bench.stack, sale, prefix, buyers)?;
    let load = Load { file, lines: buyers, kind: "body", path: shop::orders(sale), connections: 256 };
    bench.wrk(bench.stack.ports.buyers(), &load)?.all(status, buyers)?;
    bench.stack.settle(sale)
}

/// Bytes of Redis.
struct Bytes {
    /// Of all keys, with what holds them, as `MEMORY USAGE` counts.
    keys: u64,
    /// Of the whole server, buffers and unused halves of tables included.
    used: u64,
}

fn redis_bytes(bench: &Bench) -> Result<Bytes> {
    let server = &bench.stack.services.redis;
    let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, server.port()))?;
    let mut redis = BufReader::new(stream);
    ask(&mut redis, &["AUTH", server.password()])?;
    let keys = ask(&mut redis, &["KEYS", "*"])?;
    let mut bytes = 0;
    for key in keys.lines() {
        // Every element is counted, not a sample.
        let usage = ask(&mut redis, &["MEMORY", "USAGE", key, "SAMPLES", "0"])?;
        bytes += usage.trim().parse::<u64>().unwrap_or(0);
    }
    let info = ask(&mut redis, &["INFO", "memory"])?;
    let used = info.lines().find_map(|line| line.strip_prefix("used_memory:")?.trim().parse().ok());
    Ok(Bytes { keys: bytes, used: used.context("Redis does not say how much memory it uses")? })
}

/// One command and its answer as text; of a list, one element a line.
fn ask(redis: &mut BufReader<TcpStream>, words: &[&str]) -> Result<String> {
    let mut command = format!("*{}\r\n", words.len());
    for word in words {
        command += &format!("${}\r\n{word}\r\n", word.len());
    }
    redis.get_mut().write_all(command.as_bytes())?;
    answer(redis)
}

fn answer(redis: &mut impl BufRead) -> Result<String> {
    let mut line = String::new();
    ensure!(redis.read_line(&mut line)? > 0, "Redis is gone");
    let (kind, rest) = line.trim_end().split_at_checked(1).context("an empty answer")?;
    match kind {
        "+" | ":" => Ok(rest.to_owned()),
        "$" => {
            let Ok(length) = rest.parse::<usize>() else { return Ok(String::new()) };
            let mut bytes = vec![0; length + 2];
            redis.read_exact(&mut bytes)?;
            Ok(String::from_utf8_lossy(&bytes[..length]).into_owned())
        }
        "*" => {
            let parts = (0..rest.parse::<usize>()?).map(|_| answer(redis)).collect::<Result<Vec<_>>>()?;
            Ok(parts.join("\n"))
        }
        _ => bail!("Redis answers {}", line.trim_end()),
    }
}

/// 1,000,000 and not 1000000.
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_of_redis_are_read() {
        let read = |text: &str| answer(&mut text.as_bytes());
        assert_eq!(read("+OK\r\n").unwrap(), "OK");
        assert_eq!(read(":72\r\n").unwrap(), "72");
        assert_eq!(read("$5\r\na\r\nbc\r\n").unwrap(), "a\r\nbc");
        assert_eq!(read("*2\r\n$1\r\na\r\n$1\r\nb\r\n").unwrap(), "a\nb");
        assert_eq!(read("$-1\r\n").unwrap(), "");
        assert!(read("-NOAUTH no\r\n").is_err());
        assert!(read("").is_err());
    }

    #[test]
    fn thousands_have_commas() {
        assert_eq!(
            (thousands(7).as_str(), thousands(1_000).as_str(), thousands(1_000_000).as_str()),
            ("7", "1,000", "1,000,000")
        );
    }
}
