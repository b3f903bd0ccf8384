//! States as 32 bytes. One function says the layout, for writing and for reading.

use crate::shop::Shop;
use crate::state::{Client, Desk, Keeper, Known, Late, Postgres, Record, Redis, Row, State, Step, Word};

pub type Packed = [u64; 4];

/// Writes or reads fields, one after the other.
trait Bits {
    fn number(&mut self, value: &mut u8, width: u32);

    fn flag(&mut self, value: &mut bool) {
        let mut number = u8::from(*value);
        self.number(&mut number, 1);
        *value = number == 1;
    }

    fn word<W: Word>(&mut self, value: &mut W, width: u32) {
        let mut code = value.code();
        self.number(&mut code, width);
        *value = W::of(code);
    }

    /// From −8 to 7.
    fn balance(&mut self, value: &mut i8) {
        let mut shifted = u8::try_from(*value + 8).expect("a balance stays within the size of the world");
        self.number(&mut shifted, 4);
        *value = shifted.cast_signed() - 8;
    }
}

#[derive(Default)]
struct Cursor {
    words: Packed,
    at: u32,
}

impl Cursor {
    /// No field is split over two words.
    fn place(&mut self, width: u32) -> (usize, u32) {
        if self.at % 64 + width > 64 {
            self.at = self.at.next_multiple_of(64);
        }
        let place = ((self.at / 64) as usize, self.at % 64);
        self.at += width;
        place
    }
}

struct Writer(Cursor);

impl Bits for Writer {
    fn number(&mut self, value: &mut u8, width: u32) {
        assert!(*value < 1 << width, "{value} does not fit {width} bits");
        let (word, shift) = self.0.place(width);
        self.0.words[word] |= u64::from(*value) << shift;
    }
}

struct Reader(Cursor);

impl Bits for Reader {
    fn number(&mut self, value: &mut u8, width: u32) {
        let (word, shift) = self.0.place(width);
        *value = (self.0.words[word] >> shift) as u8 & ((1 << width) - 1);
    }
}

fn redis(redis: &mut Redis, size: &Size, bits: &mut impl Bits) {
    bits.flag(&mut redis.present);
    if !redis.present {
        return; // then there is nothing else
    }
    bits.flag(&mut redis.same_run);
    bits.flag(&mut redis.loading);
    bits.number(&mut redis.epoch, 3);
    redis.free[..size.items].iter_mut().for_each(|free| bits.balance(free));
    redis.held[..size.buyers].iter_mut().for_each(|held| bits.balance(held));
    for record in &mut redis.records[..size.jobs] {
        bits.word(&mut record.state, 3);
        bits.number(&mut record.rev, 2);
        bits.number(&mut record.units, 2);
    }
}

fn keeper(keeper: &mut Keeper, size: &Size, bits: &mut impl Bits) {
    bits.word(&mut keeper.step, 2);
    if keeper.step == Step::Idle {
        return;
    }
    bits.number(&mut keeper.epoch, 3);
    bits.number(&mut keeper.next, 2);
    keeper.read[..size.jobs].iter_mut().for_each(|row| bits.word(row, 3));
}

fn all(state: &mut State, size: &Size, bits: &mut impl Bits) {
    redis(&mut state.redis, size, bits);
    for message in 0..size.messages {
        bits.number(&mut state.queue[message], 2);
        bits.flag(&mut state.unacked[message]);
    }
    bits.number(&mut state.postgres.epoch, 3);
    state.postgres.sold[..size.items].iter_mut().for_each(|sold| bits.number(sold, 3));
    for job in 0..size.jobs {
        bits.word(&mut state.postgres.rows[job], 3);
        bits.word(&mut state.postgres.late[job], 2);
        bits.number(&mut state.postgres.outbox[job], 3);
        bits.word(&mut state.clients[job], 3);
        bits.word(&mut state.desks[job], 2);
        bits.number(&mut state.presses_left[job], 2);
        bits.flag(&mut state.marks[job]);
    }
    state.keepers[..size.keepers].iter_mut().for_each(|one| keeper(one, size, bits));
    option(&mut state.echo, bits, |(job, rev), bits| {
        bits.number(job, 2);
        bits.number(rev, 2);
    });
    bits.number(&mut state.losses_left, 2);
    bits.number(&mut state.queue_losses_left, 1);
    bits.number(&mut state.effect_losses_left, 1);
    bits.number(&mut state.echoes_left, 2);
    bits.number(&mut state.rebuilds_left, 2);
    option(&mut state.snapshot, bits, |snapshot, bits| redis(snapshot, size, bits));
}

fn option<T: Copy + Default, B: Bits>(value: &mut Option<T>, bits: &mut B, some: impl FnOnce(&mut T, &mut B)) {
    let mut is_some = value.is_some();
    bits.flag(&mut is_some);
    if is_some {
        some(value.get_or_insert_default(), bits);
    }
}

/// How much of each list a world uses; the rest of it stays empty.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    jobs: usize,
    buyers: usize,
    items: usize,
    messages: usize,
    keepers: usize,
}

impl Size {
    pub fn of(shop: &Shop) -> Self {
        Self {
            jobs: shop.wishes.len(),
            buyers: shop.wishes.iter().map(|wish| wish.buyer + 1).max().unwrap_or(0),
            items: shop.stock.len(),
            messages: shop.messages.len(),
            keepers: shop.keepers,
        }
    }

    pub fn pack(&self, state: &State) -> Packed {
        let mut writer = Writer(Cursor::default());
        all(&mut state.clone(), self, &mut writer);
        writer.0.words
    }

    pub fn unpack(&self, words: Packed) -> State {
        let mut state = State::default();
        all(&mut state, self, &mut Reader(Cursor { words, at: 0 }));
        state
    }
}

#[test]
fn a_state_is_unpacked_as_it_was_packed() {
    let wishes = [(0, 0, 1), (1, 1, 2), (2, 0, 1)];
    let shop = Shop { messages: vec![1, 2, 4, 3], keepers: 2, ..Shop::new("all lists in use", &wishes, &[1, 2], 2) };
    let keeper = Keeper { step: Step::Loading, epoch: 5, next: 2, read: [Row::Live, Row::Absent, Row::Refunded] };
    let record = Record { state: Known::Refused, rev: 3, units: 2 };
    let redis = Redis {
        present: true,
        same_run: true,
        loading: true,
        epoch: 7,
        free: [-8, 7],
        held: [3, -1, 2],
        records: [record, Record::default(), record],
    };
    let state = State {
        redis,
        snapshot: Some(Redis { same_run: false, ..redis }),
        queue: [2, 0, 1, 2],
        unacked: [true, false, true, true],
        postgres: Postgres {
            epoch: 6,
            sold: [1, 2],
            rows: [Row::Rebooked, Row::Rejected, Row::Cancelled],
            late: [Late::Reserved, Late::None, Late::Noted],
            outbox: [7, 1, 5],
        },
        clients: [Client::Contradicted, Client::Accepted, Client::Unknown],
        desks: [Desk::Sent, Desk::Empty, Desk::Admitted],
        presses_left: [2, 0, 1],
        marks: [true, false, true],
        keepers: [keeper, Keeper { step: Step::Decided, ..Keeper::default() }],
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
