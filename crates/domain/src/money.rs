//! Money in minor units. No floats, no conversion, no arithmetic that can overflow in silence.

use serde::{Deserialize, Serialize};

/// An ISO 4217 code: three capital letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Currency([u8; 3]);

impl Currency {
    /// The three letters.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("XXX")
    }
}

impl TryFrom<String> for Currency {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        match <[u8; 3]>::try_from(text.as_bytes()) {
            Ok(code) if code.iter().all(u8::is_ascii_uppercase) => Ok(Self(code)),
            _ => Err(format!("a currency is three capital letters, not {text:?}")),
        }
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> String {
        currency.as_str().to_owned()
    }
}

/// An amount in the currency's minor unit: `{"amount": 1999, "currency": "CNY"}` is 19.99 yuan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Money {
    /// Minor units, never negative for a price.
    pub amount: i64,
    /// The currency.
    pub currency: Currency,
}

impl Money {
    /// The price of `units` at this price each; `None` when it does not fit.
    pub fn times(self, units: u16) -> Option<Self> {
        Some(Self { amount: self.amount.checked_mul(i64::from(units))?, ..self })
    }
}
