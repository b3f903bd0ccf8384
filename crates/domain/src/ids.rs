//! Names of things. A value of one of these types is already valid; parsing is the only way in.

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A text was not an acceptable identifier.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what} {why}")]
pub struct InvalidId {
    what: &'static str,
    why: &'static str,
}

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident, $what:literal, $max:literal, $accepts:expr, $why:literal) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Box<str>);

        impl $name {
            /// The identifier as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;
            fn from_str(text: &str) -> Result<Self, InvalidId> {
                let accepts: fn(u8) -> bool = $accepts;
                if (1..=$max).contains(&text.len()) && text.bytes().all(accepts) {
                    Ok(Self(text.into()))
                } else {
                    Err(InvalidId { what: $what, why: $why })
                }
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;
            fn try_from(text: String) -> Result<Self, InvalidId> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0.into()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

const fn is_slug(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.')
}

text_id!(
    /// The operator's name of a sale, for example `s1`.
    SaleId, "a sale id", 64, is_slug, "has 1 to 64 letters, digits, '-', '_' or '.'"
);
text_id!(
    /// The operator's name of an item within its sale, for example `red-42`.
    ItemId, "an item id", 64, is_slug, "has 1 to 64 letters, digits, '-', '_' or '.'"
);
text_id!(
    /// Whoever the identity provider says is buying: the `sub` of the buyer's JWT.
    BuyerId, "a buyer id", 64, |byte| byte.is_ascii_graphic(), "has 1 to 64 visible ASCII characters"
);

text_id!(
    /// The operator's name of a restock within its sale.
    RestockId, "a restock id", 64, is_slug, "has 1 to 64 letters, digits, '-', '_' or '.'"
);
text_id!(
    /// The provider's name of a payment.
    PaymentId, "a payment id", 128, |byte| byte.is_ascii_graphic(), "has 1 to 128 visible ASCII characters"
);
text_id!(
    /// The id of a webhook: the same for each delivery of it.
    EventId, "a webhook id", 128, |byte| byte.is_ascii_graphic(), "has 1 to 128 visible ASCII characters"
);

/// Starts like no name that an operator would choose by chance.
const OF_DRY_RUNS: &str = "seckill-dry-run";

impl SaleId {
    /// The sale that dry runs buy from. Not for operators to create, and shoppers are not shown it.
    pub fn of_dry_runs() -> Self {
        Self(OF_DRY_RUNS.into())
    }

    /// Is it the sale that dry runs buy from?
    pub fn is_of_dry_runs(&self) -> bool {
        self.as_str() == OF_DRY_RUNS
    }
}

/// The number Postgres gave a sale; it is part of every job id, so it fits 20 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SaleNumber(u32);

impl SaleNumber {
    /// The largest number that a job id can carry.
    pub const MAX: u32 = (1 << 20) - 1;

    /// `None` above [`SaleNumber::MAX`].
    pub fn new(number: u32) -> Option<Self> {
        (number <= Self::MAX).then_some(Self(number))
    }

    /// The number itself.
    pub fn get(self) -> u32 {
        self.0
    }
}

/// Which part of a sale's stock and buyers: 0 until sales are split over a cluster. Fixed at warm-up, 6 bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Shard(u8);

impl Shard {
    /// The largest shard that a job id can carry.
    pub const MAX: u8 = 63;

    /// `None` above [`Shard::MAX`].
    pub fn new(shard: u8) -> Option<Self> {
        (shard <= Self::MAX).then_some(Self(shard))
    }

    /// The shard itself.
    pub fn get(self) -> u8 {
        self.0
    }
}

/// Where a job lives: the sale and the shard of it. A job id alone says this.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Route {
    /// The sale's number.
    pub sale: SaleNumber,
    /// The shard of the sale.
    pub shard: Shard,
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.sale.0, self.shard.0)
    }
}

/// `token id = job id = order id`: a UUIDv8 of 48 bits of milliseconds, the route, and 48 random bits.
///
/// ```text
/// mmmmmmmm-mmmm-8sss-vsSS-rrrrrrrrrrrr     m  milliseconds since 1970      48 bits
///               │└┬┘ │├┘                   s  sale number                  12 + 8 bits
///         version 8  variant + shard       S  shard                         6 bits
///                                          r  random                       48 bits
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "Uuid", into = "Uuid")]
pub struct JobId(Uuid);

impl JobId {
    /// A new id from the issue time, the route and 48 bits that nobody can guess.
    pub fn new(issued_ms: u64, route: Route, random: [u8; 6]) -> Self {
        let route_bits = (u64::from(route.sale.0) << 6) | u64::from(route.shard.0); // 26 bits: 12 above, 14 below
        let high = (issued_ms << 16) | 0x8000 | (route_bits >> 14);
        let mut tail = [0; 8];
        tail[2..].copy_from_slice(&random);
        let low = (0b10 << 62) | ((route_bits & 0x3fff) << 48) | u64::from_be_bytes(tail);
        Self(Uuid::from_u64_pair(high, low))
    }

    /// Where this job lives.
    pub fn route(self) -> Route {
        let (high, low) = self.0.as_u64_pair();
        let route_bits = ((high & 0xfff) << 14) | ((low >> 48) & 0x3fff);
        Route { sale: SaleNumber((route_bits >> 6) as u32), shard: Shard((route_bits & 0x3f) as u8) }
    }

    /// When the token was issued, in milliseconds since 1970.
    pub fn issued_ms(self) -> u64 {
        self.0.as_u64_pair().0 >> 16
    }

    /// The 16 bytes that Redis keys records by.
    pub fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }

    /// The id of 16 bytes that were written by [`JobId::as_bytes`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, InvalidId> {
        Uuid::from_slice(bytes).ok().and_then(|uuid| uuid.try_into().ok()).ok_or(INVALID_JOB)
    }

    /// As the database knows it.
    pub fn uuid(self) -> Uuid {
        self.0
    }
}

const INVALID_JOB: InvalidId = InvalidId { what: "a job id", why: "is a UUID of version 8 that this system issued" };

impl TryFrom<Uuid> for JobId {
    type Error = InvalidId;
    fn try_from(uuid: Uuid) -> Result<Self, InvalidId> {
        if uuid.get_version_num() == 8 && uuid.get_variant() == uuid::Variant::RFC4122 {
            Ok(Self(uuid))
        } else {
            Err(INVALID_JOB)
        }
    }
}

impl From<JobId> for Uuid {
    fn from(job: JobId) -> Uuid {
        job.0
    }
}

impl FromStr for JobId {
    type Err = InvalidId;
    fn from_str(text: &str) -> Result<Self, InvalidId> {
        // Only the canonical form: a second spelling of an id would be a second key.
        if text.len() != 36 {
            return Err(INVALID_JOB);
        }
        Uuid::try_parse(text).map_err(|_| INVALID_JOB)?.try_into()
    }
}

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_id_says_where_its_job_lives_and_when_its_token_was_issued() {
        for (sale, shard) in [(0, 0), (1, 0), (0xabcde, 0x2a), (SaleNumber::MAX, Shard::MAX)] {
            let route = Route { sale: SaleNumber(sale), shard: Shard(shard) };
            let job = JobId::new(1_795_000_000_123, route, [0xff; 6]);
            assert_eq!(job.route(), route);
            assert_eq!(job.issued_ms(), 1_795_000_000_123);
            assert_eq!(job.to_string().parse::<JobId>(), Ok(job));
            assert_eq!(JobId::from_bytes(job.as_bytes()), Ok(job));
        }
    }

    #[test]
    fn foreign_uuids_and_other_spellings_are_not_job_ids() {
        let job = JobId::new(1, Route { sale: SaleNumber(1), shard: Shard(0) }, [7; 6]).to_string();
        for text in
            ["", "x", &job[1..], &job.replace('-', ""), &format!("{{{job}}}"), "6ba7b810-9dad-11d1-80b4-00c04fd430c8"]
        {
            assert!(text.parse::<JobId>().is_err(), "{text}");
        }
    }

    #[test]
    fn ids_refuse_what_could_break_a_key_a_path_or_a_log_line() {
        for text in ["", "a b", "a/b", "a\nb", "{a}", "é", &"x".repeat(65)] {
            assert!(text.parse::<SaleId>().is_err(), "{text:?}");
        }
        assert!("s1".parse::<SaleId>().is_ok());
        assert!("auth0|5f7c".parse::<BuyerId>().is_ok());
        assert!("a\u{1b}[31m".parse::<BuyerId>().is_err());
    }
}
