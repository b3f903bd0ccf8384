//! Nothing is lost on the way into 48 bytes and back.

use crate::packing::Size;
use crate::shop::Shop;
use crate::state::{
    Aside, Carry, Cashier, Client, Desk, Keeper, Known, Paying, Payment, Porter, Postgres, Record, Redis, Restocking,
    Row, Stage, State, Status, Step, Stock, Till,
};

#[test]
fn a_state_is_unpacked_as_it_was_packed() {
    let wishes = [(0, 0, 1), (1, 1, 2), (2, 0, 1)];
    let shop = Shop {
        messages: vec![1, 2, 4, 3],
        keepers: 2,
        payments: vec![0, 2],
        cashiers: 2,
        restocks: vec![(0, -1), (1, 1)],
        porters: 2,
        ..Shop::new("all lists in use", &wishes, &[1, 2], 2)
    };
    let rows = [Row { status: Status::Paid, rev: 4 }, Row::default(), Row { status: Status::Discarded, rev: 1 }];
    let stock = [Stock { units: 7, rev: 3 }, Stock { units: 2, rev: 1 }];
    let keeper = Keeper { step: Step::Loading, epoch: 5, next: 2, read: rows, stock };
    let record = Record { state: Known::Refused, rev: 3, units: 2 };
    let redis = Redis {
        present: true,
        same_run: true,
        loading: true,
        epoch: 7,
        free: [-8, 7],
        held: [3, -1, 2],
        records: [record, Record { state: Known::Again, ..record }, record],
        stock,
        aside: [Aside::Set, Aside::Ended],
    };
    let state = State {
        redis,
        snapshot: Some(Redis { same_run: false, ..redis }),
        queue: [2, 0, 1, 2],
        unacked: [true, false, true, true],
        postgres: Postgres {
            epoch: 6,
            sold: [1, 2],
            rows,
            outbox: [31, 1, 5],
            payments: [
                Payment { state: Paying::Refunded, given_back: 2, in_hand: true },
                Payment { state: Paying::Open, given_back: 1, in_hand: false },
            ],
            stock,
            restocks: [
                Restocking { stage: Stage::Refused, stock: stock[0], in_outbox: true },
                Restocking { stage: Stage::Withdrawing, stock: stock[1], in_outbox: false },
            ],
        },
        clients: [Client::Contradicted, Client::Accepted, Client::Unknown],
        desks: [Desk::Sent, Desk::Empty, Desk::Admitted],
        presses_left: [2, 0, 1],
        marks: [true, false, true],
        keepers: [keeper, Keeper { step: Step::Decided, ..Keeper::default() }],
        cashiers: [Cashier { step: Till::Reserved, payment: 1, rev: 4 }, Cashier::default()],
        porters: [Porter::default(), Porter { step: Carry::TooMany, restock: 1, rev: 3 }],
        echo: Some((2, 3)),
        losses_left: 2,
        queue_losses_left: 1,
        effect_losses_left: 1,
        echoes_left: 1,
        rebuilds_left: 3,
    };
    let size = Size::of(&shop);
    assert_eq!(size.unpack(size.pack(&state)), state);
}
