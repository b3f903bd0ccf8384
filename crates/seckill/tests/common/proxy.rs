//! A way between our processes and a server that a test can make worse.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// What becomes of bytes on the way.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Way {
    /// Both directions flow.
    Open,
    /// What clients send arrives; what the server answers is lost. A connection that lost bytes is cut when this ends.
    Mute,
    /// What the server answers arrives so much later, or up to twice that.
    Slow(Duration),
}

/// Listens on a port of its own. Dropped: gone, with every connection.
pub struct Proxy {
    pub port: u16,
    way: watch::Sender<Way>,
    listening: JoinHandle<()>,
}

impl Proxy {
    /// In front of a port of 127.0.0.1.
    pub async fn start(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (way, seen) = watch::channel(Way::Open);
        let listening = tokio::spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                connections.spawn(carry(client, server, seen.clone()));
                while connections.try_join_next().is_some() {}
            }
        });
        Self { port, way, listening }
    }

    pub fn make(&self, way: Way) {
        self.way.send_replace(way);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

/// Until either side ends.
async fn carry(client: TcpStream, server: u16, way: watch::Receiver<Way>) {
    let Ok(server) = TcpStream::connect(("127.0.0.1", server)).await else { return };
    let (_, _) = (client.set_nodelay(true), server.set_nodelay(true));
    let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
    tokio::select! {
        () = forward(from_client, to_server) => {}
        () = answer(from_server, to_client, way) => {}
    }
}

async fn forward(mut from: OwnedReadHalf, mut to: OwnedWriteHalf) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(bytes @ 1..) = from.read(&mut buffer).await {
        if to.write_all(&buffer[..bytes]).await.is_err() {
            return;
        }
    }
}

async fn answer(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut way: watch::Receiver<Way>) {
    let mut buffer = vec![0; 64 * 1024];
    let mut lost = false;
    loop {
        let bytes = tokio::select! {
            read = from.read(&mut buffer) => match read {
                Ok(bytes @ 1..) => bytes,
                Ok(0) | Err(_) => return,
            },
            changed = way.changed() => match changed {
                Ok(()) if !lost => continue,
                Ok(()) | Err(_) => return,
            },
        };
        let now = *way.borrow();
        match now {
            Way::Mute => {
                lost = true;
                continue;
            }
            _ if lost => return,
            Way::Open => {}
            Way::Slow(delay) => tokio::time::sleep(delay).await,
        }
        if to.write_all(&buffer[..bytes]).await.is_err() {
            return;
        }
    }
}
