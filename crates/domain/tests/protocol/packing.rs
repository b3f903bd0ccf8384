//! States as 48 bytes. One function says the layout, for writing and for reading.

use crate::shop::Shop;
use crate::state::{ITEMS, Keeper, Redis, Row, State, Step, Stock, Word};

pub type Packed = [u64; 6];

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
        bits.number(&mut record.rev, 3);
        bits.number(&mut record.units, 2);
    }
    if size.restocks > 0 {
        stocks(&mut redis.stock, size, bits);
        redis.aside[..size.restocks].iter_mut().for_each(|aside| bits.word(aside, 2));
    }
}

fn stocks(stocks: &mut [Stock; ITEMS], size: &Size, bits: &mut impl Bits) {
    stocks[..size.items].iter_mut().for_each(|one| stock(one, bits));
}

fn stock(stock: &mut Stock, bits: &mut impl Bits) {
    bits.number(&mut stock.units, 3);
    bits.number(&mut stock.rev, 2);
}

fn row(row: &mut Row, bits: &mut impl Bits) {
    bits.word(&mut row.status, 3);
    bits.number(&mut row.rev, 3);
}

fn keeper(keeper: &mut Keeper, size: &Size, bits: &mut impl Bits) {
    bits.word(&mut keeper.step, 3);
    if keeper.step == Step::Idle {
        return;
    }
    bits.number(&mut keeper.epoch, 3);
    bits.number(&mut keeper.next, 2);
    keeper.read[..size.jobs].iter_mut().for_each(|read| row(read, bits));
    if size.restocks > 0 {
        stocks(&mut keeper.stock, size, bits);
    } else {
        keeper.stock = size.stock;
    }
}

/// Payments, where the world has any, and who works on them.
fn paying(state: &mut State, size: &Size, bits: &mut impl Bits) {
    for payment in &mut state.postgres.payments[..size.payments] {
        bits.word(&mut payment.state, 3);
        bits.number(&mut payment.given_back, 2);
        bits.flag(&mut payment.in_hand);
    }
    for cashier in &mut state.cashiers[..size.cashiers] {
        bits.word(&mut cashier.step, 2);
        bits.number(&mut cashier.payment, 1);
        bits.number(&mut cashier.rev, 3);
    }
}

/// The stock and its changes, where the world has any; where it has none, the stock is what it always was.
fn restocking(state: &mut State, size: &Size, bits: &mut impl Bits) {
    if size.restocks == 0 {
        state.postgres.stock = size.stock;
        return;
    }
    stocks(&mut state.postgres.stock, size, bits);
    for restock in &mut state.postgres.restocks[..size.restocks] {
        bits.word(&mut restock.stage, 2);
        stock(&mut restock.stock, bits);
        bits.flag(&mut restock.in_outbox);
    }
    for porter in &mut state.porters[..size.porters] {
        bits.word(&mut porter.step, 2);
        bits.number(&mut porter.restock, 1);
        bits.number(&mut porter.rev, 2);
    }
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
        row(&mut state.postgres.rows[job], bits);
        bits.number(&mut state.postgres.outbox[job], 5);
        bits.word(&mut state.clients[job], 3);
        bits.word(&mut state.desks[job], 2);
        bits.number(&mut state.presses_left[job], 2);
        bits.flag(&mut state.marks[job]);
    }
    state.keepers[..size.keepers].iter_mut().for_each(|one| keeper(one, size, bits));
    paying(state, size, bits);
    restocking(state, size, bits);
    option(&mut state.echo, bits, |(job, rev), bits| {
        bits.number(job, 2);
        bits.number(rev, 3);
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
    payments: usize,
    cashiers: usize,
    restocks: usize,
    porters: usize,
    /// As it is before any change.
    stock: [Stock; ITEMS],
}

impl Size {
    pub fn of(shop: &Shop) -> Self {
        Self {
            jobs: shop.wishes.len(),
            buyers: shop.wishes.iter().map(|wish| wish.buyer + 1).max().unwrap_or(0),
            items: shop.stock.len(),
            messages: shop.messages.len(),
            keepers: shop.keepers,
            payments: shop.payments.len(),
            cashiers: if shop.payments.is_empty() { 0 } else { shop.cashiers },
            restocks: shop.restocks.len(),
            porters: if shop.restocks.is_empty() { 0 } else { shop.porters },
            stock: shop.first_stock(),
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
