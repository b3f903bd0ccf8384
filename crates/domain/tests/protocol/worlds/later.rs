//! What becomes of an order after it was placed, and of the stock.

use super::{ONE_BUYER, TWO_BUYERS};
use crate::shop::Shop;

/// Payments, cancels and deadlines meet.
pub fn paying_worlds() -> Vec<Shop> {
    let two = |name| Shop { copies: 1, ..Shop::new(name, TWO_BUYERS, &[1], 1) };
    let one = |name| Shop { copies: 1, ..Shop::new(name, ONE_BUYER, &[1], 1) };
    vec![
        Shop { expiries: true, payments: vec![0], ..two("two buyers, one unit, late payments are rebooked") },
        Shop {
            expiries: true,
            cancels: true,
            discards: true,
            payments: vec![0],
            refunds: true,
            ..two("… payment, cancel, deadline and operator meet")
        },
        Shop {
            expiries: true,
            cancels: true,
            payments: vec![0, 0],
            cashiers: 2,
            refunds: true,
            ..one("one buyer, one unit, two payments for it, two cashiers")
        },
        Shop {
            expiries: true,
            payments: vec![0],
            cashiers: 2,
            ..one("… one loss, a late payment, two cashiers").one_loss()
        },
    ]
}

/// Units are added and taken out.
pub fn restocking_worlds() -> Vec<Shop> {
    let two = |name| Shop { copies: 1, porters: 2, ..Shop::new(name, TWO_BUYERS, &[1], 1) };
    let one = |name, stock| Shop { copies: 1, porters: 2, ..Shop::new(name, ONE_BUYER, &[stock], 1) };
    vec![
        Shop {
            restocks: vec![(0, 1)],
            repairs: true,
            ..two("two buyers, one unit, one is added, one loss or repair").one_loss()
        },
        Shop { restocks: vec![(0, -1)], ..two("… the unit is taken out, two porters") },
        Shop { restocks: vec![(0, -1), (0, 1)], ..two("… one is taken out, one added, two porters") },
        Shop { restocks: vec![(0, -1), (0, -1)], ..one("one buyer, two units, both are taken out, two porters", 2) },
        Shop {
            restocks: vec![(0, -1)],
            repairs: true,
            ..one("… one is taken out, two porters, one loss or repair", 2).one_loss()
        },
        Shop {
            restocks: vec![(0, 1)],
            keepers: 2,
            rebuilds: 2,
            ..one("one buyer, one unit, one is added, two keepers, one loss", 1).one_loss()
        },
        Shop {
            restocks: vec![(0, -1)],
            cancels: true,
            ..one("… the unit is taken out, orders end, one loss", 1).one_loss()
        },
        Shop {
            restocks: vec![(0, -1)],
            losses: 2,
            rebuilds: 2,
            ..one("… the unit is taken out, two losses", 1).one_loss()
        },
        Shop {
            restocks: vec![(0, -1)],
            payments: vec![0],
            expiries: true,
            porters: 1,
            ..one("… the unit is taken out, a late payment, one loss", 1).one_loss()
        },
        Shop {
            restocks: vec![(0, -1)],
            payments: vec![0],
            expiries: true,
            cancels: true,
            discards: true,
            ..one("… the unit is taken out, payment, cancel, deadline and operator meet", 1)
        },
    ]
}
