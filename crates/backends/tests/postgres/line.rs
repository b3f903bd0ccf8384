//! A line to the server that can be absent, cut, or go silent.

use std::sync::Arc;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// What happens to bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Line {
    /// They pass.
    Open,
    /// They are kept, and nobody is told.
    Silent,
    /// Connections are closed, and new ones too.
    Cut,
}

pub(crate) struct Proxy {
    port: u16,
    state: Arc<watch::Sender<Line>>,
}

impl Proxy {
    /// In front of the server of this URL.
    pub(crate) async fn before(url: &str) -> Self {
        let target = address(url);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (state, line) = watch::channel(Line::Open);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                if *line.borrow() == Line::Cut {
                    continue;
                }
                let Ok(server) = TcpStream::connect(&target).await else { continue };
                let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
                tokio::spawn(carry(from_client, to_server, line.clone()));
                tokio::spawn(carry(from_server, to_client, line.clone()));
            }
        });
        Self { port, state: Arc::new(state) }
    }

    pub(crate) fn becomes(&self, line: Line) {
        self.state.send_replace(line);
    }

    /// The URL, through this line.
    pub(crate) fn url(&self, url: &str) -> String {
        url.replacen(&address(url), &format!("127.0.0.1:{}", self.port), 1)
    }
}

/// `host:port` of a URL.
pub(crate) fn address(url: &str) -> String {
    let rest = url.split_once("://").unwrap().1;
    let authority = rest.split_once('/').map_or(rest, |(authority, _)| authority);
    authority.rsplit_once('@').map_or(authority, |(_, address)| address).to_owned()
}

async fn carry(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut line: watch::Receiver<Line>) {
    let mut bytes = [0; 16_384];
    loop {
        tokio::select! {
            read = from.read(&mut bytes) => {
                let Ok(length @ 1..) = read else { return };
                if line.wait_for(|line| *line != Line::Silent).await.is_err() || *line.borrow() == Line::Cut {
                    return;
                }
                if to.write_all(&bytes[..length]).await.is_err() {
                    return;
                }
            }
            changed = line.changed() => {
                if changed.is_err() || *line.borrow() == Line::Cut {
                    return;
                }
            }
        }
    }
}
