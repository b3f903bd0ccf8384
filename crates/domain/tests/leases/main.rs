//! The sold-out answer from memory, explored state by state: see `docs/PROTOCOL.md`, which says what is found here.

mod model;

use model::{Without, explore};

const PAGE: &str = include_str!("../../../../docs/PROTOCOL.md");

/// In the order of the page.
const VARIANTS: [Without; 8] = [
    Without::Lease,
    Without::Filter,
    Without::Completeness,
    Without::Epochs,
    Without::MeasuringFromBefore,
    Without::WaitAfterLoading,
    Without::IssueTime,
    Without::RefusalWhileFree,
];

#[test]
fn nobody_who_was_admitted_is_denied_from_memory_and_no_unit_waits_for_longer_than_a_lease() {
    let states = explore(Without::Nothing).unwrap();
    println!("{states} states");
    assert!(PAGE.contains(&format!("explores {states} states")), "docs/PROTOCOL.md lacks: explores {states} states");
}

#[test]
fn each_part_of_it_is_needed() {
    let mut missing = Vec::new();
    for without in VARIANTS {
        let row = format!("| `{without:?}` | {} |", explore(without).unwrap_err());
        println!("{row}");
        if !PAGE.contains(&row) {
            missing.push(row);
        }
    }
    assert!(missing.is_empty(), "docs/PROTOCOL.md lacks:\n{}", missing.join("\n"));
}
