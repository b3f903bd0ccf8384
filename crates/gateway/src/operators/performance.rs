//! How this gateway is doing: operations, process, connections, locks, tasks.

use std::collections::BTreeMap;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Data;
use control::{Figures, LockStats, PoolCounts, ProcessFigures};
use serde::Serialize;
use utoipa::ToSchema;

use crate::edge::Edge;
use crate::health::{Check, Status};
use crate::problem::Problem;
use crate::views::json;

/// This process in figures.
#[derive(Serialize, ToSchema)]
#[schema(as = Performance)]
struct PerformanceBody {
    /// Each that was called: routes, tasks.
    operations: Vec<OperationBody>,
    /// What it takes of the machine.
    process: ProcessBody,
    /// Its dependencies as they were last looked at, with their connections.
    pools: Vec<Check>,
    /// Locks that all processes agree on.
    locks: LocksBody,
    /// Work in the background, by kind.
    tasks: Vec<TasksBody>,
}

/// One kind of call since the start. Times are those of the last calls, 5,000 over all operations.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Operation)]
struct OperationBody {
    /// A route, or `task` and its kind.
    name: String,
    /// Calls.
    count: u64,
    /// Those of them that ended well. A refusal is an answer: only 500 and above have failed.
    succeeded: u64,
    /// `succeeded` of `count`, from 0 to 1.
    success_rate: f64,
    /// The others, by kind.
    errors: BTreeMap<&'static str, u64>,
    /// Calls that the times are from.
    recorded: usize,
    /// The quickest, in milliseconds.
    min_ms: f64,
    /// All of them on average.
    mean_ms: f64,
    /// The slowest.
    max_ms: f64,
    /// Half of them took no longer.
    p50_ms: f64,
    /// Nine of ten took no longer.
    p90_ms: f64,
    /// 99 of 100 took no longer.
    p99_ms: f64,
}

impl From<Figures> for OperationBody {
    fn from(of: Figures) -> Self {
        Self {
            name: of.name,
            count: of.count,
            succeeded: of.succeeded,
            success_rate: of.success_rate,
            errors: of.errors,
            recorded: of.recorded,
            min_ms: of.min_ms,
            mean_ms: of.mean_ms,
            max_ms: of.max_ms,
            p50_ms: of.p50_ms,
            p90_ms: of.p90_ms,
            p99_ms: of.p99_ms,
        }
    }
}

/// What the process takes of its machine; `null` where the system does not say.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Process)]
struct ProcessBody {
    /// Memory in use.
    memory_bytes: Option<u64>,
    /// Processor time since the start, over all threads.
    cpu_seconds: Option<f64>,
    /// Share of one processor since the last look; above 100 on several.
    cpu_percent: Option<f64>,
    /// In use on the disk of the data directory.
    disk_used_bytes: Option<u64>,
    /// Left on it.
    disk_free_bytes: Option<u64>,
}

impl From<ProcessFigures> for ProcessBody {
    fn from(of: ProcessFigures) -> Self {
        let ProcessFigures { memory_bytes, cpu_seconds, cpu_percent, disk_used_bytes, disk_free_bytes } = of;
        Self { memory_bytes, cpu_seconds, cpu_percent, disk_used_bytes, disk_free_bytes }
    }
}

/// Locks, over all processes and in this one.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Locks)]
struct LocksBody {
    /// Held now by all processes; `null` while nobody can be asked.
    active: Option<u64>,
    /// Held by this one.
    held_here: usize,
    /// Tasks of this process that wait for one.
    waiting: usize,
    /// Waits that ended without the lock, since the start.
    timeouts: u64,
    /// Locks that were lost while they were needed.
    lost: u64,
    /// Times that the database was asked for one because Redis was away.
    fallbacks: u64,
    /// Is that so now?
    fallback: bool,
    /// Names that this process remembers.
    remembered: usize,
    /// How many different callers this gateway has refused for a limit of their own within a minute, to about two percent.
    limited_users: u64,
    /// Seconds after which a lock that is not renewed is anybody's.
    lock_timeout_s: u32,
}

impl LocksBody {
    fn new(of: LockStats, limited_users: u64) -> Self {
        Self {
            active: of.active,
            held_here: of.held_here,
            waiting: of.waiting,
            timeouts: of.timeouts,
            lost: of.lost,
            fallbacks: of.fallbacks,
            fallback: of.fallback,
            remembered: of.remembered,
            limited_users,
            lock_timeout_s: of.timeout_s,
        }
    }
}

/// One kind of background work.
#[derive(Serialize, ToSchema)]
#[schema(as = Tasks)]
struct TasksBody {
    /// Its kind.
    name: &'static str,
    /// At once.
    max: usize,
    /// Now.
    running: usize,
    /// For their turn.
    waiting: usize,
    /// Since the start.
    succeeded: u64,
    /// With an error.
    failed: u64,
    /// By a bug.
    panicked: u64,
}

impl From<PoolCounts> for TasksBody {
    fn from(of: PoolCounts) -> Self {
        let PoolCounts { name, max, running, waiting, succeeded, failed, panicked } = of;
        Self { name, max, running, waiting, succeeded, failed, panicked }
    }
}

/// How this gateway is doing, since its start.
#[utoipa::path(get, path = "/admin/v1/performance", tag = "operators", security(("adminKey" = [])),
    extensions(("x-problems" = json!(["unauthenticated"]))),
    responses((status = 200, description = "The figures.", body = PerformanceBody)))]
pub async fn get(edge: Data<Edge>, status: Data<Status>) -> Result<HttpResponse, Problem> {
    let works = &edge.works;
    let locks = edge.within(works.locks.stats()).await;
    let body = PerformanceBody {
        operations: works.monitor.figures().into_iter().map(OperationBody::from).collect(),
        process: works.process.figures().into(),
        pools: status.checks().into_iter().filter(Check::is_dependency).collect(),
        locks: LocksBody::new(locks, edge.limits.limited_callers()),
        tasks: works.pools.counts().into_iter().map(TasksBody::from).collect(),
    };
    Ok(json(StatusCode::OK, &body))
}
