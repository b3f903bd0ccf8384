//! Stands between a gate and its Redis, and remembers what was said.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use redis::{ConnectionAddr, IntoConnectionInfo as _, Parser, Value};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// All that was said in one direction of one connection.
type Said = Arc<Mutex<Vec<u8>>>;

/// A way to a Redis server that hears everything.
pub(super) struct Tap {
    /// The way to take.
    pub(super) url: String,
    talks: Arc<Mutex<Vec<(Said, Said)>>>,
    /// Where the server sees each connection come from.
    seen_from: Arc<Mutex<Vec<SocketAddr>>>,
}

impl Tap {
    pub(super) async fn on(url: &str) -> Self {
        let info = url.into_connection_info().unwrap();
        let ConnectionAddr::Tcp(host, port) = info.addr().clone() else { panic!("{url} is not plain TCP") };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let here: SocketAddr = listener.local_addr().unwrap();
        let talks: Arc<Mutex<Vec<(Said, Said)>>> = Arc::default();
        let heard = Arc::clone(&talks);
        let seen_from: Arc<Mutex<Vec<SocketAddr>>> = Arc::default();
        let seen = Arc::clone(&seen_from);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect((host.as_str(), port)).await.unwrap();
                seen.lock().unwrap().push(server.local_addr().unwrap());
                let (asked, answered) = (Said::default(), Said::default());
                heard.lock().unwrap().push((Arc::clone(&asked), Arc::clone(&answered)));
                let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
                tokio::spawn(pass_on(from_client, to_server, asked));
                tokio::spawn(pass_on(from_server, to_client, answered));
            }
        });
        Self { url: url.replace(&format!("{}:{port}", info_host(url)), &here.to_string()), talks, seen_from }
    }

    /// Where the server sees our connections come from, in the order in which they were opened.
    pub(super) fn seen_from(&self) -> Vec<SocketAddr> {
        self.seen_from.lock().unwrap().clone()
    }

    /// The text of each script that was called and has answered, with its answer, connection by connection.
    pub(super) fn calls(&self) -> Vec<(String, Value)> {
        let talks = self.talks.lock().unwrap();
        let exchanges: Vec<(Vec<String>, Value)> = talks
            .iter()
            .flat_map(|(asked, answered)| {
                let asked = values(&asked.lock().unwrap()).into_iter().map(words);
                asked.zip(values(&answered.lock().unwrap())).collect::<Vec<_>>()
            })
            .collect();
        let loaded = |(command, answer): &(Vec<String>, Value)| match command.as_slice() {
            [script, load, text] if script == "SCRIPT" && load == "LOAD" => Some((word(answer.clone()), text.clone())),
            _ => None,
        };
        let texts: HashMap<String, String> = exchanges.iter().filter_map(loaded).collect();
        let called = |(command, answer): (Vec<String>, Value)| match command.as_slice() {
            [evalsha, hash, ..] if evalsha == "EVALSHA" => Some((texts.get(hash)?.clone(), answer)),
            _ => None,
        };
        exchanges.into_iter().filter_map(called).collect()
    }
}

fn info_host(url: &str) -> String {
    let after = url.rsplit('@').next().unwrap().trim_start_matches("redis://");
    after.split(':').next().unwrap().to_owned()
}

async fn pass_on(mut from: impl AsyncRead + Unpin, mut to: impl AsyncWrite + Unpin, said: Said) {
    let mut bytes = vec![0; 16 * 1024];
    while let Ok(count) = from.read(&mut bytes).await {
        said.lock().unwrap().extend(&bytes[..count]);
        if count == 0 || to.write_all(&bytes[..count]).await.is_err() {
            return;
        }
    }
}

fn values(said: &[u8]) -> Vec<Value> {
    let (mut parser, mut rest) = (Parser::new(), said);
    std::iter::from_fn(|| parser.parse_value(&mut rest).ok()).collect()
}

fn words(command: Value) -> Vec<String> {
    let Value::Array(parts) = command else { return Vec::new() };
    parts.into_iter().map(word).collect()
}

/// A value as text, where it is one.
pub(super) fn word(value: Value) -> String {
    match value {
        Value::BulkString(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Value::SimpleString(text) => text,
        Value::Int(number) => number.to_string(),
        _ => String::new(),
    }
}
