//! One kept-alive connection to one of our own ports.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

/// An answer that takes longer is none.
const PATIENCE: Duration = Duration::from_secs(15);

/// More than any answer we ask for.
const ANSWER_MAX_BYTES: usize = 4 * 1024 * 1024;

/// A connection to a port of 127.0.0.1, and what has been read from it but not used.
pub struct Client {
    port: u16,
    stream: TcpStream,
    unread: Vec<u8>,
}

/// An answer as it came.
pub struct Answer {
    pub status: u16,
    /// Status line and headers, with the empty line.
    pub head: String,
    pub body: String,
}

impl Client {
    pub fn connect(port: u16) -> Result<Self> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let stream = TcpStream::connect_timeout(&address, PATIENCE).with_context(|| format!("port {port}"))?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        Ok(Self { port, stream, unread: Vec::new() })
    }

    /// Sends one request and reads its answer.
    pub fn ask(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Result<Answer> {
        let mut request = format!("{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\n", self.port);
        for (name, value) in headers {
            request += &format!("{name}: {value}\r\n");
        }
        if !body.is_empty() {
            request += &format!("Content-Type: application/json\r\nContent-Length: {}\r\n", body.len());
        }
        self.send(&format!("{request}\r\n{body}"))?;
        self.answer()
    }

    pub fn send(&mut self, requests: &str) -> Result<()> {
        Ok(self.stream.write_all(requests.as_bytes())?)
    }

    /// The next answer. It has to have a `Content-Length`, as the product's have.
    pub fn answer(&mut self) -> Result<Answer> {
        let end = loop {
            if let Some(at) = self.unread.windows(4).position(|four| four == b"\r\n\r\n") {
                break at + 4;
            }
            self.read()?;
        };
        let head = String::from_utf8_lossy(&self.unread[..end]).into_owned();
        let status = head.split(' ').nth(1).and_then(|code| code.parse().ok()).context("the answer has no status")?;
        let length: usize = header(&head, "content-length").and_then(|text| text.parse().ok()).unwrap_or(0);
        ensure!(length <= ANSWER_MAX_BYTES, "an answer of {length} bytes");
        while self.unread.len() < end + length {
            self.read()?;
        }
        let body = String::from_utf8_lossy(&self.unread[end..end + length]).into_owned();
        self.unread.drain(..end + length);
        Ok(Answer { status, head, body })
    }

    fn read(&mut self) -> Result<()> {
        let mut piece = [0; 16 * 1024];
        match self.stream.read(&mut piece)? {
            0 => bail!("the connection was closed"),
            bytes => self.unread.extend_from_slice(&piece[..bytes]),
        }
        ensure!(self.unread.len() <= ANSWER_MAX_BYTES, "the answers do not end");
        Ok(())
    }
}

/// The value of a header, whatever the case of its name.
pub fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let mut lines = head.split("\r\n").filter_map(|line| line.split_once(": "));
    lines.find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

/// The text of a member of a flat JSON object, taken without parsing the whole: this runs while load is measured.
pub fn member<'a>(body: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = body.split_once(&format!("\"{name}\":\""))?;
    rest.split('"').next()
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn two_answers_that_came_together_are_taken_apart() {
        let server = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let mut client = Client::connect(server.local_addr().unwrap().port()).unwrap();
        let (mut there, _) = server.accept().unwrap();
        let two =
            "HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n\r\n{}HTTP/1.1 409 Conflict\r\ncontent-length: 0\r\n\r\n";
        there.write_all(two.as_bytes()).unwrap();
        let (first, second) = (client.answer().unwrap(), client.answer().unwrap());
        assert_eq!((first.status, first.body.as_str(), second.status), (202, "{}", 409));
        assert!(first.head.ends_with("2\r\n\r\n"), "{}", first.head);
    }

    #[test]
    fn a_member_is_found() {
        assert_eq!(member(r#"{"jobId":"x","status":"placed"}"#, "status"), Some("placed"));
        assert_eq!(member(r#"{"jobId":"x"}"#, "status"), None);
    }
}
