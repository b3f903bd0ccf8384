//! The worlds in which the protocol, as it is, has to hold.

use crate::explorer::explore;
use crate::shop::Shop;

const TWO: &[(usize, usize, u8)] = &[(0, 0, 1), (1, 0, 1)];

fn experiments() -> Vec<Shop> {
    let base = || Shop::new("two buyers, one unit", TWO, &[1], 1);
    vec![
        base(),
        Shop { presses: 2, ..base() },
        Shop { presses: 1, copies: 1, cancels: true, late_payments: true, ..base() },
        Shop { presses: 2, ..base().one_loss() },
        Shop { presses: 1, ..base().one_loss() },
        Shop { presses: 2, copies: 1, ..base().one_loss() },
        Shop { presses: 1, copies: 1, cancels: true, ..base().one_loss() },
        Shop { presses: 1, copies: 1, keepers: 2, rebuilds: 2, ..base().one_loss() },
    ]
}

#[test]
fn sizes() {
    for shop in experiments() {
        let explored = explore(&shop, 4_000_000);
        println!("{:9} states {:6.1} s complete {} {:?}", explored.states, explored.seconds, explored.complete, shop);
        if let Some(broken) = explored.broken {
            let way: Vec<String> = broken.way.iter().map(|a| a.to_string()).collect();
            let then: Vec<String> = broken.then.iter().map(|a| a.to_string()).collect();
            println!("   {}: {}\n   then {}", broken.violation, way.join(" → "), then.join(" → "));
        }
    }
}
