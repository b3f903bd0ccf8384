//! The port `Outbox`: hands waiting rows on, one relay at a time per sink among all processes.
//!
//! A row is marked in the transaction that took it, after it was delivered: a crash in between delivers it again. So does
//! a crash of the server that loses the last marks, which is why their commits do not wait for the disk.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use domain::ports::{Deliver, Outage, Outbox, OutboxRow, Relayed, Sink};
use domain::{Route, SaleNumber, Shard};
use futures_util::FutureExt as _;

use super::Postgres;
use super::failure::Failure;
use super::rows::{item_index, sale_id};
use super::session::Session;

/// A delivery that takes longer is given up and made again: the server ends a transaction that idles for 5 s.
const DELIVER_MAX: Duration = Duration::from_secs(4);

/// First half of the lock's key, so that nobody else's advisory locks are ours.
const LOCK_SPACE: i32 = 0x5ec_c111;

/// Whoever waits for its turn reads after that what the one before has marked.
const TURN: &str = "select pg_advisory_xact_lock($1, $2)";

/// The statement of a sink. The sink stands in its text, so that every plan, also one for any values, is made for its
/// index: read by its key, the table would be read from the oldest delivered row on.
macro_rules! of_sink {
    ($sink:expr, $before:literal, $after:literal) => {
        match $sink {
            Sink::Gate => concat!($before, "'gate'", $after),
            Sink::Events => concat!($before, "'events'", $after),
        }
    };
}

pub(super) fn waiting(sink: Sink) -> &'static str {
    of_sink!(
        sink,
        "select id, sale_id, sale_number, shard, item_position, version, body
         from outbox
         where published_at is null and sink = ",
        " order by id limit $1"
    )
}

pub(super) const MARK: &str = "update outbox set published_at = now() where id = any($1) and published_at is null";

pub(super) fn backlog(sink: Sink) -> &'static str {
    of_sink!(
        sink,
        "select count(*), coalesce(extract(epoch from now() - min(created_at)), 0)::double precision
         from outbox
         where published_at is null and sink = ",
        ""
    )
}

pub(super) const SWEEP: &str = "
    delete from outbox
    where id in (select id from outbox
                 where published_at < now() - make_interval(secs => $1::double precision)
                 order by published_at
                 limit 10000)";

#[derive(sqlx::FromRow)]
struct Line {
    id: i64,
    sale_id: String,
    sale_number: i32,
    shard: i16,
    item_position: Option<i16>,
    version: Option<i64>,
    body: String,
}

impl TryFrom<Line> for OutboxRow {
    type Error = Failure;

    fn try_from(line: Line) -> Result<Self, Failure> {
        let sale = u32::try_from(line.sale_number).ok().and_then(SaleNumber::new);
        let shard = u8::try_from(line.shard).ok().and_then(Shard::new);
        let (Some(number), Some(shard)) = (sale, shard) else {
            return Err(Failure::unreadable(format_args!("the route of outbox row {}", line.id)));
        };
        Ok(Self {
            id: line.id,
            route: Route { sale: number, shard },
            sale: sale_id(line.sale_id)?,
            version: line.item_position.map(item_index).transpose()?.zip(line.version),
            body: line.body,
        })
    }
}

/// How a turn ended.
enum Turn {
    Relayed(Relayed),
    /// Nothing could be delivered; the rows stay as they are.
    Failed(Outage),
}

async fn turn(mut session: Session<'_>, sink: Sink, limit: usize, to: Arc<dyn Deliver>) -> Result<Turn, Failure> {
    let key = match sink {
        Sink::Gate => 1,
        Sink::Events => 2,
    };
    session.write("relay_turn", sqlx::query(TURN).bind(LOCK_SPACE).bind(key)).await?;
    let asked = i64::try_from(limit).unwrap_or(i64::MAX);
    let lines: Vec<Line> = session.all("relay_take", sqlx::query_as(waiting(sink)).bind(asked)).await?;
    let rows = lines.into_iter().map(OutboxRow::try_from).collect::<Result<Vec<_>, _>>()?;
    if rows.is_empty() {
        return Ok(Turn::Relayed(Relayed { rows: 0, more: false }));
    }
    let delivered = match tokio::time::timeout(DELIVER_MAX, to.deliver(&rows)).await {
        Ok(Ok(delivered)) => delivered,
        Ok(Err(outage)) => return Ok(Turn::Failed(outage)),
        Err(_) => {
            let why = format!("{} rows were not delivered within {} s", rows.len(), DELIVER_MAX.as_secs());
            return Ok(Turn::Failed(Outage::Unknown(why)));
        }
    };
    let marked = session.write("relay_mark", sqlx::query(MARK).bind(&delivered)).await?;
    Ok(Turn::Relayed(Relayed { rows: usize::try_from(marked).unwrap_or(usize::MAX), more: rows.len() >= limit }))
}

#[async_trait]
impl Outbox for Postgres {
    async fn relay(&self, sink: Sink, limit: usize, to: Arc<dyn Deliver>) -> Result<Relayed, Outage> {
        let work = self.database.repeatable("relay", move |session| turn(session, sink, limit, to).boxed());
        match work.await {
            Ok(Turn::Relayed(relayed)) => Ok(relayed),
            Ok(Turn::Failed(outage)) => Err(outage),
            // Another process is at it for longer than a lock may be waited for; it may leave something for us.
            Err(Failure::Raced(_)) => Ok(Relayed { rows: 0, more: true }),
            Err(failure) => Err(failure.into()),
        }
    }

    async fn wait(&self, sink: Sink, timeout: Duration) {
        self.wake.wait(sink, timeout).await;
    }

    async fn backlog(&self, sink: Sink) -> Result<(u64, f64), Outage> {
        let query = sqlx::query_as(backlog(sink));
        let line: Option<(i64, f64)> =
            self.database.read(|mut session| async move { session.one("backlog", query).await }.boxed()).await?;
        let (rows, oldest_s) = line.unwrap_or_default();
        Ok((u64::try_from(rows).unwrap_or_default(), oldest_s.max(0.0)))
    }

    async fn sweep(&self, older_than_s: u32) -> Result<u64, Outage> {
        let query = sqlx::query(SWEEP).bind(f64::from(older_than_s));
        let swept = self.database.read(|mut session| async move { session.write("sweep", query).await }.boxed());
        Ok(swept.await?)
    }
}
