//! Worlds that take minutes and gigabytes.

use super::{ONE_BUYER, TWO_BUYERS};
use crate::shop::Shop;

pub fn worlds() -> Vec<Shop> {
    let two = |name| Shop::new(name, TWO_BUYERS, &[1], 1);
    vec![
        Shop { copies: 1, losses: 2, rebuilds: 2, ..two("two buyers, one unit, two losses").one_loss() },
        Shop { copies: 1, losses: 2, rebuilds: 2, keepers: 2, ..two("… two losses, two keepers race").one_loss() },
        Shop {
            copies: 1,
            keepers: 2,
            rebuilds: 2,
            cancels: true,
            ..two("… one loss, two keepers, orders end").one_loss()
        },
        Shop { copies: 1, cancels: true, echoes: 1, ..two("… one loss, effects arrive late, orders end").one_loss() },
        Shop {
            copies: 1,
            cancels: true,
            presses: 2,
            ..two("… one loss, orders end, tokens are sent twice").one_loss()
        },
        Shop { copies: 1, expiries: true, payments: vec![0], ..two("… one loss, a late payment").one_loss() },
        Shop {
            copies: 1,
            expiries: true,
            payments: vec![0, 0],
            cashiers: 2,
            ..two("… two payments for one order, two cashiers")
        },
        Shop {
            copies: 1,
            expiries: true,
            payments: vec![0, 1],
            cashiers: 2,
            ..two("… a payment for each, two cashiers")
        },
        Shop {
            copies: 1,
            restocks: vec![(0, 1)],
            keepers: 2,
            rebuilds: 2,
            ..two("… one is added, two keepers, one loss").one_loss()
        },
        Shop {
            copies: 1,
            restocks: vec![(0, -1)],
            porters: 2,
            ..Shop::new("two buyers, two units, one is taken out, two porters, one loss", TWO_BUYERS, &[2], 1)
                .one_loss()
        },
        Shop {
            copies: 1,
            restocks: vec![(0, -1), (0, -1)],
            porters: 2,
            ..Shop::new("… both are taken out, two porters", TWO_BUYERS, &[2], 1)
        },
        Shop {
            copies: 1,
            expiries: true,
            payments: vec![0],
            restocks: vec![(0, -1)],
            ..Shop::new("… one is taken out, a late payment", TWO_BUYERS, &[2], 1)
        },
        Shop {
            copies: 1,
            restocks: vec![(0, -1), (0, 1)],
            porters: 2,
            repairs: true,
            ..Shop::new("one buyer, one unit, one is taken out, one added, one loss or repair", ONE_BUYER, &[1], 1)
                .one_loss()
        },
        Shop {
            copies: 1,
            restocks: vec![(0, -1)],
            porters: 2,
            keepers: 2,
            rebuilds: 2,
            ..Shop::new("… the unit is taken out, two keepers, one loss", ONE_BUYER, &[1], 1).one_loss()
        },
        Shop {
            copies: 1,
            expiries: true,
            payments: vec![0, 0],
            cashiers: 2,
            ..Shop::new("… two payments for one order, two cashiers, one loss", ONE_BUYER, &[1], 1).one_loss()
        },
    ]
}
