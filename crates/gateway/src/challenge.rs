//! A proof of work before a token, in the format of ALTCHA: what its widget (version 3) and its server library (version
//! 2) call a challenge with a deterministic counter. Making one costs us one key derivation, checking a solution two
//! MACs and no derivation, so that a flood of wrong solutions is cheaper for us than for its senders.
//!
//! A challenge is bound to its buyer by its signature, to time by `expiresAt`, and is good for one token on each gateway:
//! what was solved is remembered by this process only. So a buyer may use one solution once with each gateway before it
//! expires, and nobody else ever. No unit can be won by that: what a buyer may hold is counted elsewhere.

use std::collections::HashSet;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use domain::ports::Entropy;
use domain::{BuyerId, Timestamp, TokenKeys};
use hmac::{Hmac, KeyInit as _, Mac as _};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use utoipa::ToSchema;

use crate::hex::{hex, unhex};

/// Keeps the MACs of challenges apart from those of tokens under the same key.
const CHALLENGE: &[u8] = b"seckill-challenge-v1\0";

/// And the MACs of solutions from those of challenges.
const SOLUTION: &[u8] = b"seckill-challenge-solution-v1\0";

/// Bytes of the derived key, and those of them that a solver is told: the other half has to be found.
const KEY_BYTES: usize = 32;
const PREFIX_BYTES: usize = 16;

/// Longest payload that is looked at, in base64 characters; an honest one has some 700.
const PAYLOAD_MAX: usize = 2_048;

/// Solved challenges remembered: twice this many, 8 bytes each. With more of them within `expires_s` the oldest are
/// forgotten, and could be used again by their buyer.
const SOLVED_MAX: usize = 500_000;

/// The `[challenge]` section: a proof of work that a buyer's device solves before it gets a token.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ChallengeSettings {
    /// Is it asked for? Off: it costs every buyer's device a moment of work, which only an attack is worth.
    pub enabled: bool,
    /// What is computed. `PBKDF2/SHA-256` is what the widget expects by default, and takes a browser about as long as
    /// any other program; `SHA-256` is cheaper for us to make and for a determined attacker to solve.
    pub algorithm: Algorithm,
    /// Iterations of each attempt, 1 to 100,000: what one attempt costs a solver, and making a challenge costs us
    /// (1,000: about a millisecond of one core).
    pub cost: u32,
    /// Attempts needed at most, 1 to 10,000,000; half as many on average. With the default cost a phone needs about a
    /// second.
    pub max_number: u32,
    /// Seconds in which it has to be solved and used, 10 to 3,600: enough for a slow device, and to solve it while the
    /// countdown runs.
    pub expires_s: u32,
}

impl Default for ChallengeSettings {
    fn default() -> Self {
        Self { enabled: false, algorithm: Algorithm::Pbkdf2, cost: 1_000, max_number: 1_000, expires_s: 300 }
    }
}

impl ChallengeSettings {
    /// Every number is in its range; otherwise a sentence that names the key.
    pub fn validate(&self) -> Result<(), String> {
        let ranges = [
            ("cost", self.cost, 1..=100_000),
            ("max_number", self.max_number, 1..=10_000_000),
            ("expires_s", self.expires_s, 10..=3_600),
        ];
        for (key, number, range) in ranges {
            if !range.contains(&number) {
                return Err(format!("challenge.{key}: has to be from {} to {}", range.start(), range.end()));
            }
        }
        Ok(())
    }
}

/// What a solver computes. Both are part of the widget as it comes.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, JsonSchema, ToSchema, PartialEq, Eq)]
pub enum Algorithm {
    /// PBKDF2 with HMAC-SHA-256.
    #[serde(rename = "PBKDF2/SHA-256")]
    Pbkdf2,
    /// SHA-256, iterated.
    #[serde(rename = "SHA-256")]
    Sha256,
}

/// A challenge, for ALTCHA's widget.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct Challenge {
    /// What has to be solved.
    parameters: Parameters,
    /// That it is ours, and for this buyer. Hex.
    signature: String,
}

/// What has to be solved: the counter with which the derived key begins with `keyPrefix`. In alphabetical order, which
/// is how they are signed.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = ChallengeParameters)]
struct Parameters {
    /// What is computed.
    algorithm: Algorithm,
    /// Iterations.
    cost: u32,
    /// Seconds since 1970.
    expires_at: i64,
    /// Bytes of the derived key.
    key_length: u32,
    /// How the derived key begins. Hex.
    key_prefix: String,
    /// The rest of it, for us alone to recognise. Hex.
    key_signature: String,
    /// First part of the password; the counter, as four bytes, is the second. Hex.
    nonce: String,
    /// Hex.
    salt: String,
}

/// What the widget sends: base64 of this JSON.
#[derive(Deserialize)]
struct Payload {
    challenge: Challenge,
    solution: Solution,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Solution {
    derived_key: String,
}

/// A solution is wrong, expired, used, or another buyer's. Says no more than that.
#[derive(Debug, PartialEq, Eq)]
pub struct ChallengeFailed;

/// A solution of a challenge that was this buyer's, and had not expired.
#[derive(Debug, PartialEq, Eq)]
pub struct Solved([u8; KEY_BYTES]);

/// Makes challenges and checks solutions.
pub struct Challenges {
    settings: ChallengeSettings,
    keys: TokenKeys,
    used: Mutex<Used>,
    hasher: RandomState,
}

/// Two generations: what is in neither was never solved here, or expired long ago.
#[derive(Default)]
struct Used {
    current: HashSet<u64>,
    previous: HashSet<u64>,
    since_s: i64,
}

impl Challenges {
    /// As configured; signed with keys derived from those of tokens, and valid as long as these rotate.
    pub fn new(settings: ChallengeSettings, keys: TokenKeys) -> Self {
        Self { settings, keys, used: Mutex::default(), hasher: RandomState::new() }
    }

    /// Is one asked for?
    pub fn enabled(&self) -> bool {
        self.settings.enabled
    }

    /// A fresh challenge for this buyer.
    pub fn make(&self, buyer: &BuyerId, entropy: &dyn Entropy, now: Timestamp) -> Challenge {
        let ChallengeSettings { algorithm, cost, max_number, expires_s, .. } = self.settings;
        let twelve = || [entropy.six(), entropy.six()].concat();
        let (nonce, salt, drawn) = (twelve(), twelve(), entropy.six());
        let drawn = drawn.iter().fold(0_u64, |number, byte| (number << 8) | u64::from(*byte));
        let counter = (drawn % (u64::from(max_number) + 1)) as u32; // below 2^24
        let key = derive(algorithm, &nonce, &salt, counter, cost);
        let parameters = Parameters {
            algorithm,
            cost,
            expires_at: now.timestamp() + i64::from(expires_s),
            key_length: KEY_BYTES as u32,
            key_prefix: hex(&key[..PREFIX_BYTES]),
            key_signature: hex(&self.keys.seal(SOLUTION, &[&key])),
            nonce: hex(&nonce),
            salt: hex(&salt),
        };
        let signature = hex(&self.keys.seal(CHALLENGE, &[&canonical(&parameters), buyer.as_str().as_bytes()]));
        Challenge { parameters, signature }
    }

    /// Is this a solution of a challenge that this buyer got from us? It is not used up by that.
    pub fn check(&self, payload: &str, buyer: &BuyerId, now: Timestamp) -> Result<Solved, ChallengeFailed> {
        if payload.len() > PAYLOAD_MAX {
            return Err(ChallengeFailed);
        }
        let json = BASE64.decode(payload).map_err(|_| ChallengeFailed)?;
        let Payload { challenge, solution } = serde_json::from_slice(&json).map_err(|_| ChallengeFailed)?;
        let Challenge { parameters, signature } = challenge;
        let signed = key_bytes(&signature).ok_or(ChallengeFailed)?;
        let parts: [&[u8]; 2] = [&canonical(&parameters), buyer.as_str().as_bytes()];
        let key = key_bytes(&solution.derived_key).ok_or(ChallengeFailed)?;
        let solves = key_bytes(&parameters.key_signature).is_some_and(|mac| self.keys.sealed(SOLUTION, &[&key], &mac));
        let ours = self.keys.sealed(CHALLENGE, &parts, &signed);
        if !(ours && solves) || parameters.expires_at <= now.timestamp() {
            return Err(ChallengeFailed);
        }
        Ok(Solved(signed))
    }

    /// Uses it up; an error where it was used here before.
    pub fn use_up(&self, solved: &Solved, now: Timestamp) -> Result<(), ChallengeFailed> {
        let (key, now_s) = (self.hasher.hash_one(solved.0), now.timestamp());
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        if now_s - used.since_s >= i64::from(self.settings.expires_s) || used.current.len() >= SOLVED_MAX {
            used.previous = std::mem::take(&mut used.current);
            used.since_s = now_s;
        }
        if used.previous.contains(&key) || !used.current.insert(key) {
            return Err(ChallengeFailed);
        }
        Ok(())
    }
}

/// What is signed.
fn canonical(parameters: &Parameters) -> Vec<u8> {
    serde_json::to_vec(parameters).unwrap_or_default()
}

/// The key that belongs to a counter.
fn derive(algorithm: Algorithm, nonce: &[u8], salt: &[u8], counter: u32, cost: u32) -> [u8; KEY_BYTES] {
    let password = [nonce, &counter.to_be_bytes()].concat();
    match algorithm {
        Algorithm::Sha256 => {
            let first = Sha256::new().chain_update(salt).chain_update(&password).finalize();
            (1..cost).fold(first, |key, _| Sha256::digest(key)).into()
        }
        Algorithm::Pbkdf2 => {
            // One block of RFC 8018: the key is as long as the hash.
            let Ok(mac) = Hmac::<Sha256>::new_from_slice(&password) else { return [0; KEY_BYTES] };
            let once =
                |data: &[u8]| -> [u8; KEY_BYTES] { mac.clone().chain_update(data).finalize().into_bytes().into() };
            let first = once(&[salt, &1_u32.to_be_bytes()].concat());
            let (mut key, mut last) = (first, first);
            for _ in 1..cost {
                last = once(&last);
                key.iter_mut().zip(last).for_each(|(byte, other)| *byte ^= other);
            }
            key
        }
    }
}

/// Bytes of hex digits, of a key's length.
fn key_bytes(text: &str) -> Option<[u8; KEY_BYTES]> {
    unhex(text)?.try_into().ok()
}

#[cfg(test)]
#[path = "challenge_tests.rs"]
mod tests;
