//! A broker of one's own inside a shared one: a random namespace, removed at the end; and a proxy that can cut, refuse
//! or freeze the way to it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use backends::rabbitmq::{RabbitMq, RabbitSettings};
use domain::ports::{Delivery, Lane, Outage, Queue};
use domain::{BuyerId, ItemIndex, JobId, Quantity, Reservation, Route, SaleNumber, Shard, from_ms};
use lapin::options::{ExchangeDeleteOptions, QueueDeleteOptions};
use lapin::{Channel, Connection, ConnectionProperties};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use uuid::Uuid;

/// Recovery takes a few seconds; a consumer that the broker has forgotten, ten; a busy test machine is given more.
pub const RECOVERY: Duration = Duration::from_secs(20);

pub fn shard() -> Shard {
    Shard::default()
}

fn url() -> String {
    std::env::var("AMQP_URL").expect("set AMQP_URL, or run cargo xtask test")
}

/// A namespace of its own and what is connected to it.
pub struct Bench {
    pub rabbit: Arc<RabbitMq>,
    pub namespace: String,
    pub proxy: Proxy,
    lanes: u8,
    connection: Connection,
}

impl Bench {
    /// Connects through the proxy and waits until the broker takes messages.
    pub async fn start(lanes: u8) -> Self {
        let namespace = format!("test-{}", Uuid::new_v4().simple());
        let proxy = Proxy::start(&url()).await;
        let settings =
            RabbitSettings { url: proxy.url.clone(), namespace: namespace.clone(), ..RabbitSettings::default() };
        let rabbit = RabbitMq::connect(settings, lanes).unwrap();
        let connection = Connection::connect(&url(), ConnectionProperties::default()).await.unwrap();
        let bench = Self { rabbit, namespace, proxy, lanes, connection };
        bench.opens().await;
        bench
    }

    pub async fn opens(&self) {
        self.becomes(true).await;
    }

    pub async fn shuts(&self) {
        self.becomes(false).await;
    }

    async fn becomes(&self, open: bool) {
        eventually(|| async { (self.rabbit.is_open() == open).then_some(()) }).await;
    }

    /// A channel that does not go through the proxy.
    pub async fn channel(&self) -> Channel {
        self.connection.create_channel().await.unwrap()
    }

    pub fn queue(&self, shard: Shard) -> String {
        format!("{}.orders.{}", self.namespace, shard.get())
    }

    pub async fn delete_queue(&self, queue: String) {
        self.channel().await.queue_delete(queue.into(), QueueDeleteOptions::default()).await.unwrap();
    }

    pub async fn depth_becomes(&self, depth: u64) {
        eventually(|| async { (self.rabbit.depth().await.ok()? == depth).then_some(()) }).await;
    }

    /// Removes everything of this namespace.
    pub async fn end(self) {
        let Self { rabbit, namespace, lanes, .. } = self;
        drop(rabbit);
        let connection = Connection::connect(&url(), ConnectionProperties::default()).await.unwrap();
        let channel = connection.create_channel().await.unwrap();
        for shard in (0..lanes).filter_map(Shard::new) {
            let queue = format!("{namespace}.orders.{}", shard.get());
            channel.queue_delete(queue.into(), QueueDeleteOptions::default()).await.unwrap();
        }
        let dead_letters = format!("{namespace}.dead-letters");
        channel.queue_delete(dead_letters.into(), QueueDeleteOptions::default()).await.unwrap();
        for exchange in ["orders", "dead", "events"] {
            let name = format!("{namespace}.{exchange}");
            channel.exchange_delete(name.into(), ExchangeDeleteOptions::default()).await.unwrap();
        }
    }
}

/// Asks until there is an answer, and fails after [`RECOVERY`].
pub async fn eventually<T, F: Future<Output = Option<T>>>(ask: impl Fn() -> F) -> T {
    let begun = Instant::now();
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(begun.elapsed() < RECOVERY, "not within {RECOVERY:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

pub fn job(n: u32, shard: Shard) -> JobId {
    let route = Route { sale: SaleNumber::new(1).unwrap(), shard };
    let [a, b, c, d] = n.to_be_bytes();
    JobId::new(1_795_000_000_000, route, [0, 0, a, b, c, d])
}

pub fn reservation(n: u32) -> Reservation {
    Reservation {
        job: job(n, shard()),
        buyer: format!("buyer-{n}").parse::<BuyerId>().unwrap(),
        item: ItemIndex::new(0),
        quantity: Quantity::ONE,
        admitted_at: from_ms(1_795_000_000_000),
    }
}

/// Takes, through outages, until `count` deliveries have come.
pub async fn take_all(lane: &mut Box<dyn Lane>, count: usize) -> Vec<Delivery> {
    let mut taken = Vec::new();
    let begun = Instant::now();
    while taken.len() < count {
        assert!(begun.elapsed() < RECOVERY, "{} of {count} deliveries within {RECOVERY:?}", taken.len());
        if let Ok(Ok(more)) = tokio::time::timeout(Duration::from_secs(5), lane.take(100)).await {
            taken.extend(more);
        }
    }
    taken
}

/// Nothing arrives for a while.
pub async fn nothing_comes(lane: &mut Box<dyn Lane>) {
    let taken: Result<Result<Vec<Delivery>, Outage>, _> =
        tokio::time::timeout(Duration::from_millis(500), lane.take(1)).await;
    assert!(taken.is_err(), "{taken:?}");
}

/// What the proxy does.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Way {
    Open,
    /// Connections stay, and nothing passes.
    Frozen,
    /// Connections are cut, new ones too.
    Cut,
}

/// Stands between us and the broker.
pub struct Proxy {
    pub url: String,
    way: watch::Sender<Way>,
}

impl Proxy {
    pub fn set(&self, way: Way) {
        self.way.send_replace(way);
    }

    async fn start(broker: &str) -> Self {
        let uri: lapin::uri::AMQPUri = broker.parse().unwrap();
        let target = format!("{}:{}", uri.authority.host, uri.authority.port);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let mut through = uri;
        through.authority.host = "127.0.0.1".into();
        through.authority.port = port;
        let (way, watched) = watch::channel(Way::Open);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(relay(client, target.clone(), watched.clone()));
            }
        });
        Self { url: through.to_string(), way }
    }
}

async fn relay(mut client: TcpStream, target: String, mut way: watch::Receiver<Way>) {
    if *way.borrow() == Way::Cut {
        return;
    }
    let Ok(mut server) = TcpStream::connect(target).await else { return };
    loop {
        let now = *way.borrow_and_update();
        match now {
            Way::Cut => return,
            Way::Frozen => {
                if way.changed().await.is_err() {
                    return;
                }
            }
            // A change drops the copy, which may lose bytes it had read; a frozen way is only ever followed by a cut.
            Way::Open => tokio::select! {
                _ = copy_bidirectional(&mut client, &mut server) => return,
                changed = way.changed() => if changed.is_err() { return },
            },
        }
    }
}
