//! States as 32 bytes. One function says the layout, for writing and for reading.

use crate::state::{Keeper, Redis, State, Word};

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

fn redis(redis: &mut Redis, bits: &mut impl Bits) {
    bits.flag(&mut redis.present);
    bits.flag(&mut redis.same_run);
    bits.flag(&mut redis.loading);
    bits.number(&mut redis.epoch, 3);
    redis.free.iter_mut().for_each(|free| bits.balance(free));
    redis.held.iter_mut().for_each(|held| bits.balance(held));
    for record in &mut redis.records {
        bits.word(&mut record.state, 3);
        bits.number(&mut record.rev, 2);
        bits.number(&mut record.units, 2);
    }
}

fn keeper(keeper: &mut Keeper, bits: &mut impl Bits) {
    bits.word(&mut keeper.step, 2);
    bits.number(&mut keeper.epoch, 3);
    bits.number(&mut keeper.next, 2);
    keeper.read.iter_mut().for_each(|row| bits.word(row, 3));
}

fn all(state: &mut State, bits: &mut impl Bits) {
    redis(&mut state.redis, bits);
    let mut has_snapshot = state.snapshot.is_some();
    bits.flag(&mut has_snapshot);
    let mut snapshot = state.snapshot.unwrap_or_default();
    redis(&mut snapshot, bits);
    state.snapshot = has_snapshot.then_some(snapshot);
    state.queue.iter_mut().for_each(|copies| bits.number(copies, 2));
    state.unacked.iter_mut().for_each(|unacked| bits.flag(unacked));
    bits.number(&mut state.postgres.epoch, 3);
    state.postgres.sold.iter_mut().for_each(|sold| bits.number(sold, 3));
    state.postgres.rows.iter_mut().for_each(|row| bits.word(row, 3));
    state.postgres.late.iter_mut().for_each(|late| bits.word(late, 2));
    state.postgres.outbox.iter_mut().for_each(|revs| bits.number(revs, 3));
    state.clients.iter_mut().for_each(|client| bits.word(client, 3));
    state.desks.iter_mut().for_each(|desk| bits.word(desk, 2));
    state.presses_left.iter_mut().for_each(|presses| bits.number(presses, 2));
    state.marks.iter_mut().for_each(|mark| bits.flag(mark));
    state.keepers.iter_mut().for_each(|one| keeper(one, bits));
    let mut has_echo = state.echo.is_some();
    bits.flag(&mut has_echo);
    let (mut job, mut rev) = state.echo.unwrap_or_default();
    bits.number(&mut job, 2);
    bits.number(&mut rev, 2);
    state.echo = has_echo.then_some((job, rev));
    bits.number(&mut state.losses_left, 2);
    bits.number(&mut state.queue_losses_left, 1);
    bits.number(&mut state.effect_losses_left, 1);
    bits.number(&mut state.echoes_left, 2);
    bits.number(&mut state.rebuilds_left, 2);
}

pub fn pack(state: &State) -> Packed {
    let mut writer = Writer(Cursor::default());
    all(&mut state.clone(), &mut writer);
    writer.0.words
}

pub fn unpack(words: Packed) -> State {
    let mut state = State::default();
    all(&mut state, &mut Reader(Cursor { words, at: 0 }));
    state
}
