//! One `psql` that stays: a question takes a millisecond and starts no process.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::{Context, Result, ensure};

use crate::services::{Postgres, postgres_programs};

/// Printed after the rows of each statement.
const END: &str = "~end~";

pub struct Sql {
    psql: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Sql {
    pub fn open(server: &Postgres) -> Result<Self> {
        Self::connect(server.port(), server.password())
    }

    /// As [`Sql::open`], where the server is somebody else's to hold.
    pub fn connect(port: u16, password: &str) -> Result<Self> {
        let programs = postgres_programs().context("postgres is not installed")?;
        let mut psql = Command::new(programs.join("psql"))
            .args(["-h", "127.0.0.1", "-p", &port.to_string(), "-U", "seckill", "-d", "seckill"])
            .args(["-X", "-q", "-A", "-t"])
            .env("PGPASSWORD", password)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot run psql")?;
        let input = psql.stdin.take().context("psql has no input")?;
        let output = BufReader::new(psql.stdout.take().context("psql has no output")?);
        Ok(Self { psql, input, output })
    }

    /// The rows of a statement, columns divided by `|`. A statement that fails has none; psql says why.
    pub fn rows(&mut self, statement: &str) -> Result<Vec<String>> {
        writeln!(self.input, "{statement};\n\\echo {END}").context("psql is gone")?;
        let mut rows = Vec::new();
        loop {
            let mut line = String::new();
            ensure!(self.output.read_line(&mut line)? > 0, "psql is gone");
            match line.trim_end() {
                END => return Ok(rows),
                row => rows.push(row.to_owned()),
            }
        }
    }

    /// One whole number.
    pub fn number(&mut self, statement: &str) -> Result<u64> {
        let rows = self.rows(statement)?;
        rows.first().and_then(|row| row.parse().ok()).with_context(|| format!("{statement}: {rows:?}"))
    }
}

impl Drop for Sql {
    fn drop(&mut self) {
        // It may have ended by itself; nothing else can go wrong with a child of ours.
        let _ = self.psql.kill();
        let _ = self.psql.wait();
    }
}
