//! Connections of clients that do not keep to the rules, byte by byte.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::shop::Shop;

/// How long a test waits for the server to say or do something.
const PATIENCE: Duration = Duration::from_secs(10);

/// One connection.
pub struct Wire(pub TcpStream);

impl Wire {
    pub async fn to(shop: &Shop) -> Self {
        Self(TcpStream::connect(shop.buyers).await.unwrap())
    }

    /// Sends; `false` once the server has closed the connection.
    pub async fn says(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        self.0.write_all(bytes.as_ref()).await.is_ok()
    }

    /// Everything that comes until the server closes the connection.
    pub async fn hears_the_end(mut self) -> String {
        let mut heard = Vec::new();
        let end = tokio::time::timeout(PATIENCE, self.0.read_to_end(&mut heard)).await;
        assert!(end.is_ok(), "the connection is still open after {PATIENCE:?}: {}", String::from_utf8_lossy(&heard));
        String::from_utf8_lossy(&heard).into_owned()
    }

    /// What comes until there is `text` in it, or until the end.
    pub async fn hears(&mut self, text: &str) -> String {
        let mut heard = String::new();
        let listen = async {
            let mut bytes = [0; 16 * 1024];
            while !heard.contains(text) {
                match self.0.read(&mut bytes).await {
                    Ok(count) if count > 0 => heard.push_str(&String::from_utf8_lossy(&bytes[..count])),
                    _ => break,
                }
            }
        };
        tokio::time::timeout(PATIENCE, listen).await.unwrap_or_else(|_| panic!("no {text:?} within {PATIENCE:?}"));
        heard
    }
}

/// The status of the first answer; 0 when the connection was closed without one.
pub fn status(answer: &str) -> u16 {
    answer.strip_prefix("HTTP/1.1 ").map_or(0, |rest| rest[..3].parse().unwrap())
}

/// Refused, or closed without a word; nothing else.
#[track_caller]
pub fn refused(answer: &str, what: &str) {
    let status = status(answer);
    assert!(status == 0 || (400..500).contains(&status), "{what}: {answer}");
}
