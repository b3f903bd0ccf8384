//! `docs/PROTOCOL.md` says what was found here; it must not say anything else.

const PAGE: &str = include_str!("../../../../docs/PROTOCOL.md");

/// Fails unless the page has this text.
pub fn has(text: &str) {
    assert!(PAGE.contains(text), "docs/PROTOCOL.md lacks: {text}");
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
