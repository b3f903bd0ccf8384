//! A way to Redis that hears what is asked, command by command.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use redis::{Parser, Value};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// All that was said in one direction of one connection.
type Said = Arc<Mutex<Vec<u8>>>;

/// Questions and answers, connection by connection.
pub struct Tap {
    /// The way to take.
    pub url: String,
    talks: Arc<Mutex<Vec<(Said, Said)>>>,
}

/// One command that was sent.
#[derive(Debug)]
pub struct Call {
    /// `HGET`; of a script its own name, `admit`.
    pub name: String,
    /// All of its words.
    pub words: Vec<Vec<u8>>,
}

impl Tap {
    /// In front of the Redis at this address.
    pub async fn on(url: &str) -> Self {
        let at = url.rfind('@').map_or("redis://".len(), |at| at + 1);
        let (server, path) = url[at..].split_once('/').unwrap_or((&url[at..], "0"));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let here = format!("{}{}/{path}", &url[..at], listener.local_addr().unwrap());
        let talks: Arc<Mutex<Vec<(Said, Said)>>> = Arc::default();
        let (heard, server) = (talks.clone(), server.to_owned());
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let redis = TcpStream::connect(&server).await.unwrap();
                let _ = (client.set_nodelay(true), redis.set_nodelay(true));
                let (asked, answered) = (Said::default(), Said::default());
                heard.lock().unwrap().push((asked.clone(), answered.clone()));
                let ((from_client, to_client), (from_redis, to_redis)) = (client.into_split(), redis.into_split());
                tokio::spawn(pass_on(from_client, to_redis, asked));
                tokio::spawn(pass_on(from_redis, to_client, answered));
            }
        });
        Self { url: here, talks }
    }

    /// Every command so far.
    pub fn calls(&self) -> Vec<Call> {
        let talks = self.talks.lock().unwrap();
        let mut names: HashMap<String, String> = HashMap::new();
        let mut all = Vec::new();
        for (asked, answered) in talks.iter() {
            let commands: Vec<Vec<Vec<u8>>> = values(&asked.lock().unwrap()).into_iter().map(words).collect();
            let answers = values(&answered.lock().unwrap());
            for (command, answer) in commands.iter().zip(answers) {
                if let ([script, load, text], Value::BulkString(hash)) = (command.as_slice(), answer)
                    && (script.as_slice(), load.as_slice()) == (b"SCRIPT", b"LOAD")
                {
                    names.insert(lossy(&hash), own_name(&lossy(text)));
                }
            }
            all.extend(commands);
        }
        let call = |words: Vec<Vec<u8>>| {
            let command = lossy(words.first()?).to_uppercase();
            let script = words.get(1).filter(|_| command == "EVALSHA").and_then(|hash| names.get(&lossy(hash)));
            Some(Call { name: script.cloned().unwrap_or(command), words })
        };
        all.into_iter().filter_map(call).collect()
    }

    /// The names of the commands that have named this job, alone or at the beginning of an argument, in alphabetical order.
    pub fn about(&self, job: &[u8]) -> Vec<String> {
        let names_it = |call: &Call| call.words.iter().any(|word| word.starts_with(job));
        let mut names: Vec<String> = self.calls().into_iter().filter(names_it).map(|call| call.name).collect();
        names.sort();
        names
    }
}

/// Each script opens with its name, and is loaded behind what all of them share.
fn own_name(text: &str) -> String {
    let after = text.rsplit("--[[ ").next().unwrap();
    after.split(':').next().unwrap().to_owned()
}

fn values(said: &[u8]) -> Vec<Value> {
    let (mut parser, mut rest) = (Parser::new(), said);
    std::iter::from_fn(|| parser.parse_value(&mut rest).ok()).collect()
}

fn words(command: Value) -> Vec<Vec<u8>> {
    let Value::Array(parts) = command else { return Vec::new() };
    let word = |part| match part {
        Value::BulkString(bytes) => bytes,
        _ => Vec::new(),
    };
    parts.into_iter().map(word).collect()
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

async fn pass_on(mut from: impl AsyncRead + Unpin, mut to: impl AsyncWrite + Unpin, said: Said) {
    let mut bytes = vec![0; 64 * 1024];
    while let Ok(count) = from.read(&mut bytes).await {
        said.lock().unwrap().extend(&bytes[..count]);
        if count == 0 || to.write_all(&bytes[..count]).await.is_err() {
            return;
        }
    }
}
