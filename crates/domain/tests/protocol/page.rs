//! `docs/PROTOCOL.md` says what was found here; it must not say anything else.

const PAGE: &str = include_str!("../../../../docs/PROTOCOL.md");

/// What the page should say and does not: all of it is told at the end.
#[derive(Default)]
pub struct Missing(Vec<String>);

impl Missing {
    /// The page should have this text.
    pub fn has(&mut self, text: &str) {
        if !PAGE.contains(text) {
            self.0.push(text.to_owned());
        }
    }

    /// Fails unless it has everything.
    pub fn none(&self) {
        assert!(self.0.is_empty(), "docs/PROTOCOL.md lacks:\n{}", self.0.join("\n"));
    }
}

/// 1234567 as `1,234,567`.
pub fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
