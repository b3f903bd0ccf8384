//! Explains a difference in the ledger, unit by unit: every record of the gate is held against the row it should have.
//!
//! Nothing is changed here. The repair is a rebuild from Postgres, which is always right; overwriting a counter would
//! lose what is in flight.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::time::Duration;

use domain::ports::{Gate, HOLD_MAX, JobLookup, OrderStore, Outage, SaleStore};
use domain::{GateCounters, Hold, ItemBooks, ItemId, ItemIndex, JobId, JobRecord, JobState, Sale, Timestamp};

use crate::books::books;

/// Records in one page of the gate's.
const PAGE: usize = 1_000;

/// Findings that are listed; of more, the count is enough.
const FINDINGS_MAX: usize = 1_000;

/// Jobs that are looked at a second time; a difference of more is worth a rebuild, not a list.
const LOOKED_AT_MAX: usize = 10_000;

/// What differs is looked at again after this long: an effect that was on its way has arrived by then.
const SECOND_LOOK: Duration = Duration::from_secs(1);

/// A reservation that waits longer than this is worth a line.
const SLOW_S: i64 = 60;

/// What was found.
#[derive(Clone, Debug)]
pub struct Reconciliation {
    /// The gate's counters at the end.
    pub counters: GateCounters,
    /// The ledger at the end.
    pub books: Vec<ItemBooks>,
    /// Records of the gate that were looked at.
    pub records: usize,
    /// Orders that they were held against.
    pub orders: usize,
    /// What explains the differences, and what is odd without making one; at most 1,000.
    pub findings: Vec<Finding>,
    /// Findings that are not listed.
    pub more: usize,
}

/// One thing that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The item, where known.
    pub item: Option<ItemId>,
    /// The job, where it is about one.
    pub job: Option<JobId>,
    /// What it adds to the item's difference, in units: above 0, units are missing.
    pub units: i64,
    /// In a sentence.
    pub what: String,
}

/// What the gate has of one job, as far as units go.
#[derive(Clone, Copy)]
struct Known {
    item: Option<ItemIndex>,
    rev: u32,
    units: u16,
    state: JobState,
    admitted_at: Timestamp,
}

impl From<&JobRecord> for Known {
    fn from(record: &JobRecord) -> Self {
        let JobRecord { item, rev, units, state, admitted_at, .. } = *record;
        Self { item, rev, units, state, admitted_at }
    }
}

impl Known {
    /// Is it counted as unpublished or queued?
    fn is_in_flight(&self) -> bool {
        matches!(self.state, JobState::Unpublished | JobState::Queued | JobState::ReservedAgain)
    }
}

/// Looks at every record and every order of a sale; `None` while the gate is not ready. Takes seconds for a large sale,
/// and some 100 bytes for each of its jobs.
pub async fn reconcile(
    gate: &dyn Gate,
    orders: &dyn OrderStore,
    sales: &dyn SaleStore,
    sale: &Sale,
) -> Result<Option<Reconciliation>, Outage> {
    let Some(known) = records(gate, sale).await? else { return Ok(None) };
    let (suspects, rows) = compare(sales, sale, &known).await?;
    let mut findings = Vec::new();
    if !suspects.is_empty() {
        tokio::time::sleep(SECOND_LOOK).await;
        findings = second_look(gate, sales, sale, &suspects).await?;
    }
    let Some((counters, lines)) = books(gate, orders, sale).await? else { return Ok(None) };
    findings.extend(slow(sale, &known, counters.now));
    findings.extend(unexplained(&lines, &findings));
    let more = findings.len().saturating_sub(FINDINGS_MAX);
    findings.truncate(FINDINGS_MAX);
    Ok(Some(Reconciliation { counters, books: lines, records: known.len(), orders: rows, findings, more }))
}

async fn records(gate: &dyn Gate, sale: &Sale) -> Result<Option<HashMap<JobId, Known>>, Outage> {
    let mut known = HashMap::new();
    let mut next = Some(0);
    while let Some(from) = next {
        let Some(page) = gate.records(sale.route(), from, PAGE).await? else { return Ok(None) };
        known.extend(page.records.iter().map(|record| (record.job, Known::from(record))));
        next = page.next;
    }
    Ok(Some(known))
}

/// The jobs whose record and row do not agree, and how many rows there are.
async fn compare(
    sales: &dyn SaleStore,
    sale: &Sale,
    known: &HashMap<JobId, Known>,
) -> Result<(BTreeSet<JobId>, usize), Outage> {
    let mut suspects = BTreeSet::new();
    let mut without_row: HashSet<JobId> =
        known.iter().filter(|(_, known)| !known.is_in_flight()).map(|(job, _)| *job).collect();
    let count = each_row(sales, sale, |hold| {
        without_row.remove(&hold.job);
        if explain(known.get(&hold.job), Some(hold)).is_some() {
            suspects.insert(hold.job);
        }
    });
    let rows = count.await?;
    suspects.extend(without_row);
    Ok((suspects, rows))
}

/// Shows every row of the sale, page by page; answers how many there were.
async fn each_row(sales: &dyn SaleStore, sale: &Sale, mut show: impl FnMut(&Hold)) -> Result<usize, Outage> {
    let (mut rows, mut after) = (0, None);
    loop {
        let page = sales.holds(sale.number, after, HOLD_MAX).await?;
        let Some(last) = page.last() else { return Ok(rows) };
        after = Some(last.job);
        rows += page.len();
        page.iter().for_each(&mut show);
    }
}

async fn second_look(
    gate: &dyn Gate,
    sales: &dyn SaleStore,
    sale: &Sale,
    suspects: &BTreeSet<JobId>,
) -> Result<Vec<Finding>, Outage> {
    let mut rows = HashMap::new();
    each_row(sales, sale, |hold| {
        if suspects.contains(&hold.job) {
            rows.insert(hold.job, hold.clone());
        }
    })
    .await?;
    let mut findings = Vec::new();
    for job in suspects.iter().take(LOOKED_AT_MAX) {
        let record = match gate.job(*job).await? {
            JobLookup::Found(record) => Some(Known::from(&record)),
            JobLookup::Absent | JobLookup::NotReady => None,
        };
        let row = rows.get(job);
        if let Some((units, what)) = explain(record.as_ref(), row) {
            let item = row.and_then(|row| row.item).or(record.and_then(|record| record.item));
            let item = item.and_then(|item| sale.item_at(item)).map(|item| item.id.clone());
            findings.push(Finding { item, job: Some(*job), units, what });
        }
    }
    Ok(findings)
}

/// What a record and a row that do not agree add to the difference, and in words; `None` when they agree.
fn explain(record: Option<&Known>, row: Option<&Hold>) -> Option<(i64, String)> {
    let held = |row: &Hold| i64::from(row.units);
    match (record, row) {
        (None, None) => None,
        (None, Some(row)) if row.units == 0 => None,
        (None, Some(row)) => {
            Some((-held(row), format!("The order holds {} units that the gate has never heard of.", row.units)))
        }
        (Some(record), None) if record.is_in_flight() || record.units == 0 => None,
        (Some(record), None) => {
            let units = i64::from(record.units);
            Some((units, format!("The gate counts {units} units for an order that does not exist.")))
        }
        (Some(record), Some(row)) if record.state == JobState::ReservedAgain && record.rev == row.rev => None,
        (Some(record), Some(row)) if record.is_in_flight() => Some((
            -held(row),
            format!("The gate still waits for this order; its effect (revision {}) has not arrived.", row.rev),
        )),
        (Some(record), Some(row)) if record.units == row.units => None,
        (Some(record), Some(row)) => Some((
            i64::from(record.units) - held(row),
            format!(
                "The gate counts {} units (revision {}), the order holds {} (revision {}).",
                record.units, record.rev, row.units, row.rev
            ),
        )),
    }
}

/// Reservations that have waited for long. They are no difference: they are counted.
fn slow(sale: &Sale, known: &HashMap<JobId, Known>, now: Timestamp) -> Vec<Finding> {
    let mut slow: Vec<Finding> = known
        .iter()
        .filter(|(_, known)| known.is_in_flight() && (now - known.admitted_at).num_seconds() > SLOW_S)
        .filter(|(_, known)| known.state != JobState::ReservedAgain)
        .map(|(job, known)| Finding {
            item: known.item.and_then(|item| sale.item_at(item)).map(|item| item.id.clone()),
            job: Some(*job),
            units: 0,
            what: format!(
                "Accepted {} s ago and not placed yet; it is published again until it is.",
                (now - known.admitted_at).num_seconds()
            ),
        })
        .collect();
    slow.sort_unstable_by_key(|finding| finding.job);
    slow
}

/// What no job explains: the counters themselves are wrong.
fn unexplained(books: &[ItemBooks], findings: &[Finding]) -> Vec<Finding> {
    let rest = |line: &ItemBooks| {
        let explained: i64 = findings
            .iter()
            .filter(|finding| finding.item.as_ref() == Some(&line.item))
            .map(|finding| finding.units)
            .sum();
        line.difference - explained
    };
    books
        .iter()
        .map(|line| (line, rest(line)))
        .filter(|(_, units)| *units != 0)
        .map(|(line, units)| {
            let many = units.unsigned_abs();
            let what = if units > 0 {
                format!("The gate's counters lack {many} units that no job explains: they were lost in Redis.")
            } else {
                format!(
                    "The gate's counters have {many} units too many that no job explains: they were invented in Redis."
                )
            };
            Finding { item: Some(line.item.clone()), job: None, units, what }
        })
        .collect()
}
