//! One request over a fresh connection: all that is needed to ask "are you ready?" and "which sales are there?".

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context, Result};

/// A ready check that takes longer has failed.
const PATIENCE: Duration = Duration::from_secs(2);

/// More than any answer we ask for.
const ANSWER_MAX_BYTES: u64 = 4 * 1024 * 1024;

/// The status and the body of `GET path`. The server must send sized bodies, as the product does.
pub fn get(address: SocketAddr, path: &str) -> Result<(u16, String)> {
    exchange(address, &format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nAccept: application/json\r\n"), "")
}

/// The status and the body of `POST path` with a JSON body.
pub fn post_json(address: SocketAddr, path: &str, body: &str) -> Result<(u16, String)> {
    let length = body.len();
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n"
    );
    exchange(address, &head, body)
}

fn exchange(address: SocketAddr, head: &str, body: &str) -> Result<(u16, String)> {
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    write!(stream, "{head}Connection: close\r\n\r\n{body}")?;
    let mut answer = Vec::new();
    stream.take(ANSWER_MAX_BYTES).read_to_end(&mut answer)?;
    parse(&String::from_utf8_lossy(&answer))
}

fn parse(answer: &str) -> Result<(u16, String)> {
    let (head, body) = answer.split_once("\r\n\r\n").context("the answer has no end of headers")?;
    let status = head.split(' ').nth(1).and_then(|code| code.parse().ok()).context("the answer has no status")?;
    Ok((status, body.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_taken_apart() {
        let answer = "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 2\r\n\r\n{}";
        assert_eq!(parse(answer).unwrap(), (503, "{}".to_owned()));
        assert!(parse("HTTP/1.1 200").is_err());
        assert!(parse("nonsense\r\n\r\n").is_err());
    }
}
