//! Settings that operators change, and the log of all they do.

use domain::ports::{AuditNote, Operator};
use serde_json::json;

use super::bench::{Bench, operator};

pub(super) async fn a_setting_is_changed_by_whoever_has_seen_it(bench: Bench) {
    let by = operator();
    assert_eq!(bench.settings.setting("limits").await.unwrap(), Default::default());
    assert_eq!(bench.settings.set("limits", 0, &json!({"a": 1}), &by).await.unwrap(), Some(1));
    assert_eq!(bench.settings.set("limits", 0, &json!({"a": 2}), &by).await.unwrap(), None, "somebody was first");
    assert_eq!(bench.settings.set("limits", 1, &json!({"a": 3}), &by).await.unwrap(), Some(2));
    assert_eq!(bench.settings.set("limits", 1, &json!({"a": 4}), &by).await.unwrap(), None);
    let setting = bench.settings.setting("limits").await.unwrap();
    assert_eq!((setting.version, setting.value), (2, json!({"a": 3})));
    assert_eq!(bench.settings.setting("concurrency").await.unwrap().version, 0);

    let racing = (0..10).map(|n| {
        let settings = bench.settings.clone();
        async move { settings.set("concurrency", 0, &json!(n), &operator()).await.unwrap().is_some() }
    });
    let won = futures_util::future::join_all(racing).await.into_iter().filter(|won| *won).count();
    assert_eq!(won, 1);

    let log = bench.audit.entries(None, None, 10).await.unwrap();
    let lines: Vec<_> = log.iter().map(|line| (line.note.action.as_str(), line.note.before.clone())).collect();
    assert_eq!(lines, [("set-concurrency", None), ("set-limits", Some(json!({"a": 1}))), ("set-limits", None)]);
    assert!(log.iter().all(|line| line.by == by && line.note.sale.is_none()));
}

pub(super) async fn the_audit_log_is_read_newest_first_page_by_page_and_by_sale(bench: Bench) {
    let sale = bench.open("s", &[5], 1).await;
    let by = Operator { via: "cli".to_owned(), reason: None };
    let note = AuditNote {
        action: "replay-dead-letters".to_owned(),
        sale: None,
        before: None,
        after: json!({"letters": ["m1"]}),
    };
    bench.audit.note(&note, &by).await.unwrap();
    let all = bench.audit.entries(None, None, 100).await.unwrap();
    assert_eq!((&all[0].note, &all[0].by), (&note, &by));
    assert!(all.windows(2).all(|pair| pair[0].id > pair[1].id && pair[0].at >= pair[1].at));
    assert!(all.len() > 2);
    let mut paged = Vec::new();
    while let page = bench.audit.entries(None, paged.last().map(|line: &domain::ports::AuditEntry| line.id), 2).await
        && let page = page.unwrap()
        && !page.is_empty()
    {
        paged.extend(page);
    }
    assert_eq!(paged, all);
    let of_sale = bench.audit.entries(Some(&sale.id), None, 100).await.unwrap();
    assert_eq!(of_sale, all[1..], "what was done to no sale is not among them");
    assert_eq!(of_sale.last().unwrap().note.action, "create");
    let noted = |times: u8| AuditNote {
        action: "dry-run".to_owned(),
        sale: Some(sale.id.clone()),
        before: None,
        after: json!(times),
    };
    assert_eq!(bench.audit.latest(&sale.id, "dry-run").await.unwrap(), None);
    for times in 1..=2 {
        bench.audit.note(&noted(times), &by).await.unwrap();
    }
    bench.audit.note(&note, &by).await.unwrap();
    let latest = bench.audit.latest(&sale.id, "dry-run").await.unwrap().unwrap();
    assert_eq!((latest.note, latest.by), (noted(2), by));
    assert_eq!(bench.audit.latest(&"t".parse().unwrap(), "dry-run").await.unwrap(), None);
    assert_eq!(bench.audit.latest(&sale.id, "create").await.unwrap().as_ref(), of_sale.last());
}
