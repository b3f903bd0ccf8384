//! The way from our processes to one server, which can be made worse: cut, half open, slow, narrow.
//!
//! Bytes are never changed on it: TCP's checksums keep that from programs, and what a Redis makes of other bytes than it
//! was sent is nobody's promise. Bodies of messages that are damaged are tested elsewhere (`it::input`).

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};

/// What becomes of bytes on the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    Open,
    /// No connection gets through, and none that was there lives.
    Cut,
    /// What the server says is lost; a connection that lost something is reset when this ends.
    Mute,
    /// Each piece of what the server says is so much late.
    Slow(Duration),
    /// So many bytes a second in each direction of each connection.
    Narrow(u64),
}

/// Between two looks at a connection that says nothing.
const LOOK: Duration = Duration::from_millis(100);

/// One piece that is passed on.
const PIECE_BYTES: usize = 64 * 1024;

/// Listens on a port of its own until the process ends.
pub struct Way {
    pub port: u16,
    shared: Arc<Shared>,
}

struct Shared {
    server: SocketAddr,
    now: Mutex<Now>,
}

struct Now {
    state: State,
    /// Those that live, to be cut.
    connections: Vec<TcpStream>,
}

impl Way {
    /// In front of a port of this machine.
    pub fn to(server: u16) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no port for a proxy")?;
        let port = listener.local_addr()?.port();
        let now = Mutex::new(Now { state: State::Open, connections: Vec::new() });
        let shared = Arc::new(Shared { server: SocketAddr::from((Ipv4Addr::LOCALHOST, server)), now });
        let here = Arc::clone(&shared);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let shared = Arc::clone(&here);
                thread::spawn(move || shared.carry(client));
            }
        });
        Ok(Self { port, shared })
    }

    pub fn make(&self, state: State) {
        let mut now = self.shared.now();
        now.state = state;
        if state == State::Cut {
            for connection in now.connections.drain(..) {
                // One that has just ended is what was wanted.
                let _ = connection.shutdown(Shutdown::Both);
            }
        }
    }
}

impl Shared {
    fn now(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn state(&self) -> State {
        self.now().state
    }

    /// Until either side ends.
    fn carry(self: Arc<Self>, client: TcpStream) {
        if self.state() == State::Cut {
            return;
        }
        let Ok(server) = TcpStream::connect_timeout(&self.server, Duration::from_secs(2)) else { return };
        let _ = (client.set_nodelay(true), server.set_nodelay(true));
        let (Ok(client_too), Ok(server_too)) = (client.try_clone(), server.try_clone()) else { return };
        {
            let mut now = self.now();
            now.connections.retain(|one| one.peer_addr().is_ok());
            now.connections.extend([client.try_clone(), server.try_clone()].into_iter().flatten());
        }
        let (there, back) = (Arc::clone(&self), self);
        let up = thread::spawn(move || there.pass(&client, &server, false));
        back.pass(&server_too, &client_too, true);
        let _ = up.join();
    }

    /// One direction, to its end; then both end.
    fn pass(&self, mut from: &TcpStream, mut to: &TcpStream, is_answer: bool) {
        let mut piece = vec![0; PIECE_BYTES];
        let mut has_lost = false;
        let _ = from.set_read_timeout(Some(LOOK));
        loop {
            let bytes = match from.read(&mut piece) {
                Ok(0) => break,
                Ok(bytes) => bytes,
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                    if has_lost && self.state() != State::Mute {
                        break;
                    }
                    continue;
                }
                Err(_) => break,
            };
            match self.state() {
                State::Cut => break,
                State::Mute if is_answer => {
                    has_lost = true;
                    continue;
                }
                _ if has_lost => break,
                State::Slow(late) if is_answer => thread::sleep(late),
                State::Narrow(per_second) => {
                    thread::sleep(Duration::from_secs_f64(bytes as f64 / per_second as f64));
                }
                State::Open | State::Mute | State::Slow(_) => {}
            }
            if to.write_all(&piece[..bytes]).is_err() {
                break;
            }
        }
        let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    /// A server that says back what it hears, and a connection to it through a way.
    fn echo() -> (Way, TcpStream) {
        let server = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let way = Way::to(server.local_addr().unwrap().port()).unwrap();
        thread::spawn(move || {
            for stream in server.incoming().flatten() {
                thread::spawn(move || {
                    let (mut stream, mut piece) = (stream, [0; 1024]);
                    while let Ok(bytes @ 1..) = stream.read(&mut piece) {
                        stream.write_all(&piece[..bytes]).unwrap();
                    }
                });
            }
        });
        let client = connect(&way);
        (way, client)
    }

    fn connect(way: &Way) -> TcpStream {
        let client = TcpStream::connect((Ipv4Addr::LOCALHOST, way.port)).unwrap();
        client.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        client
    }

    fn says_back(mut client: &TcpStream) -> bool {
        let mut back = [0; 2];
        client.write_all(b"hi").is_ok() && client.read_exact(&mut back).is_ok() && &back == b"hi"
    }

    #[test]
    fn a_way_that_is_cut_ends_what_is_there_and_lets_nothing_through_until_it_is_healed() {
        let (way, client) = echo();
        assert!(says_back(&client));
        way.make(State::Cut);
        assert!(!says_back(&client) && !says_back(&connect(&way)));
        way.make(State::Open);
        assert!(says_back(&connect(&way)));
    }

    #[test]
    fn answers_are_lost_on_a_mute_way_and_the_connection_does_not_outlive_it() {
        let (way, mut client) = echo();
        way.make(State::Mute);
        client.write_all(b"hi").unwrap();
        client.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
        let error = client.read(&mut [0; 2]).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut), "it is silent: {error}");
        way.make(State::Open);
        client.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        assert_eq!(client.read(&mut [0; 2]).unwrap_or(0), 0, "what was lost is not made up for");
    }

    #[test]
    fn a_slow_way_is_slow() {
        let (way, client) = echo();
        way.make(State::Slow(Duration::from_millis(200)));
        let started = Instant::now();
        assert!(says_back(&client) && started.elapsed() >= Duration::from_millis(200));
    }
}
