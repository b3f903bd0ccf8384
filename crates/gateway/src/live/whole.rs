//! All activity of a sale, read page by page.

use std::collections::HashSet;

use domain::SaleNumber;
use domain::activity::MINUTE;
use domain::ports::{ActivityStore, NotedActivity, Outage};

/// Rows in one answer.
pub const PAGE: usize = 2_000;

/// Every row. Where seconds became a minute between two pages, and so would be counted twice, it is read again.
pub async fn whole(store: &dyn ActivityStore, sale: SaleNumber) -> Result<Vec<NotedActivity>, Outage> {
    loop {
        let (mut rows, mut after) = (Vec::new(), 0);
        loop {
            let mut page = store.activity(sale, after, PAGE).await?;
            let full = page.len() == PAGE;
            after = page.last().map_or(after, |last| last.id);
            rows.append(&mut page);
            if !full {
                break;
            }
        }
        if !is_torn(&rows) {
            return Ok(rows);
        }
    }
}

/// Is there a minute, and before it one of the seconds that it was made of? A second that came late comes after it.
fn is_torn(rows: &[NotedActivity]) -> bool {
    let minute = |noted: &NotedActivity| noted.row.at.timestamp().div_euclid(i64::from(MINUTE));
    let mut seconds = HashSet::new();
    rows.iter().any(|noted| match noted.row.seconds {
        MINUTE => seconds.contains(&minute(noted)),
        _ => {
            seconds.insert(minute(noted));
            false
        }
    })
}

#[cfg(test)]
mod tests {
    use domain::{Activity, ActivityRow, from_ms};

    use super::*;

    #[test]
    fn a_minute_after_its_seconds_is_torn_and_a_second_after_its_minute_is_late() {
        let noted = |id: i64, second: i64, seconds| {
            let (sale, at) = (SaleNumber::new(1).unwrap(), from_ms(second * 1_000));
            let (instance, activity) = (String::new(), Activity::default());
            NotedActivity { id, row: ActivityRow { sale, at, seconds, instance, activity } }
        };
        assert!(is_torn(&[noted(1, 61, 1), noted(2, 130, 1), noted(3, 60, MINUTE)]));
        assert!(!is_torn(&[noted(1, 60, MINUTE), noted(2, 61, 1), noted(3, 130, 1)]));
    }
}
