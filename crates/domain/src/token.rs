//! The sale token: a single-use wish to buy, bound to buyer and sale, that only we can write.
//!
//! ```text
//! v1.<key id>.<base64url payload>.<base64url HMAC-SHA-256 of everything before, first 16 bytes>
//!
//! payload, big-endian:  16 job id (sale and shard are in it) · 6 not before, ms · 6 expires, ms
//!                       1 length + buyer · 1 length + channel
//! ```
//! Its own small format instead of a JWT: one algorithm, one layout, nothing to negotiate.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::{BuyerId, JobId, Timestamp, from_ms};

/// Longest accepted text, so that a verifier's work is bounded.
const TEXT_MAX: usize = 320;
/// 128 bits: more than anyone can guess online, and half the bytes on the wire.
const MAC_BYTES: usize = 16;
/// Longest sales channel.
const CHANNEL_MAX: usize = 32;
/// Keeps these MACs apart from any other use of the same secret.
const DOMAIN: &[u8] = b"seckill-token-v1\0";

/// What a verified token says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SaleToken {
    /// The job that a purchase with it becomes.
    pub job: JobId,
    /// The only buyer it is good for.
    pub buyer: BuyerId,
    /// The sales channel it was issued to (app, web, mini-program …); empty where there is none.
    pub channel: String,
    /// Not usable before.
    pub not_before: Timestamp,
    /// Not usable from then on, unless it was admitted before.
    pub expires_at: Timestamp,
}

/// A text is not a token of ours. Says no more than that: an oracle helps nobody but a forger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a token that this shop has issued")]
pub struct TokenError;

/// One signing key. Its secret appears in no output.
#[derive(Clone)]
pub struct TokenKey {
    id: String,
    mac: Hmac<Sha256>,
    /// The same secret without a domain, for [`TokenKeys::seal`].
    plain: Hmac<Sha256>,
}

impl std::fmt::Debug for TokenKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "TokenKey({})", self.id)
    }
}

impl TokenKey {
    /// A key from its id (1 to 16 letters or digits) and at least 32 secret bytes.
    pub fn new(id: &str, secret: &[u8]) -> Result<Self, String> {
        if !(1..=16).contains(&id.len()) || !id.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(format!("a token key id is 1 to 16 letters or digits, not {id:?}"));
        }
        if secret.len() < 32 {
            return Err(format!("token key {id} needs at least 32 secret bytes"));
        }
        let plain = Hmac::<Sha256>::new_from_slice(secret).map_err(|_| format!("token key {id} is unusable"))?;
        let mac = plain.clone().chain_update(DOMAIN);
        Ok(Self { id: id.to_owned(), mac, plain })
    }
}

/// The keys in use: the first signs, all verify, so that keys rotate without a moment of refusals.
#[derive(Clone, Debug)]
pub struct TokenKeys(Vec<TokenKey>);

impl TokenKeys {
    /// The first key signs. At least one.
    pub fn new(keys: Vec<TokenKey>) -> Result<Self, String> {
        if keys.is_empty() {
            return Err("at least one token key is needed".to_owned());
        }
        Ok(Self(keys))
    }

    /// The HMAC-SHA-256 of `parts` under the first key, for another purpose than tokens. `domain` ends with a zero byte
    /// and is used by that purpose alone, so that one purpose's MAC is worth nothing to another.
    pub fn seal(&self, domain: &'static [u8], parts: &[&[u8]]) -> [u8; 32] {
        sealing(&self.0[0], domain, parts).finalize().into_bytes().into()
    }

    /// Did one of these keys [seal](Self::seal) these parts? In constant time for each key.
    pub fn sealed(&self, domain: &'static [u8], parts: &[&[u8]], mac: &[u8]) -> bool {
        self.0.iter().any(|key| sealing(key, domain, parts).verify_slice(mac).is_ok())
    }

    /// The text of a token.
    pub fn sign(&self, token: &SaleToken) -> String {
        let key = &self.0[0];
        let (buyer, channel) = (token.buyer.as_str().as_bytes(), token.channel.as_bytes());
        let mut payload = Vec::with_capacity(30 + buyer.len() + channel.len());
        payload.extend_from_slice(token.job.as_bytes());
        payload.extend_from_slice(&ms(token.not_before));
        payload.extend_from_slice(&ms(token.expires_at));
        for text in [buyer, &channel[..channel.len().min(CHANNEL_MAX)]] {
            payload.push(text.len() as u8); // buyer ids and channels are at most 64 and 32 bytes
            payload.extend_from_slice(text);
        }
        let mut text = format!("v1.{}.", key.id);
        BASE64.encode_string(&payload, &mut text);
        let mac = key.mac.clone().chain_update(text.as_bytes()).finalize().into_bytes();
        text.push('.');
        BASE64.encode_string(&mac[..MAC_BYTES], &mut text);
        text
    }

    /// What the text says, if one of these keys signed it. Whether its time has come is the caller's question.
    pub fn verify(&self, text: &str) -> Result<SaleToken, TokenError> {
        if text.len() > TEXT_MAX {
            return Err(TokenError);
        }
        let (signed, mac) = text.rsplit_once('.').ok_or(TokenError)?;
        let mut parts = signed.split('.');
        let (Some("v1"), Some(key_id), Some(payload), None) = (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(TokenError);
        };
        let key = self.0.iter().find(|key| key.id == key_id).ok_or(TokenError)?;
        let mut mac_bytes = [0; MAC_BYTES + 2];
        let mac_len = BASE64.decode_slice(mac, &mut mac_bytes).map_err(|_| TokenError)?;
        if mac_len != MAC_BYTES {
            return Err(TokenError);
        }
        let expected = key.mac.clone().chain_update(signed.as_bytes());
        expected.verify_truncated_left(&mac_bytes[..MAC_BYTES]).map_err(|_| TokenError)?;
        let mut bytes = [0; TEXT_MAX];
        let length = BASE64.decode_slice(payload, &mut bytes).map_err(|_| TokenError)?;
        parse(&bytes[..length]).ok_or(TokenError)
    }
}

/// Each part with its length, so that no two lists of parts are the same bytes.
fn sealing(key: &TokenKey, domain: &'static [u8], parts: &[&[u8]]) -> Hmac<Sha256> {
    parts.iter().fold(key.plain.clone().chain_update(domain), |mac, part| {
        mac.chain_update((part.len() as u64).to_be_bytes()).chain_update(part)
    })
}

fn ms(time: Timestamp) -> [u8; 6] {
    let bytes = time.timestamp_millis().max(0).to_be_bytes();
    [bytes[2], bytes[3], bytes[4], bytes[5], bytes[6], bytes[7]]
}

fn parse(payload: &[u8]) -> Option<SaleToken> {
    let (job, rest) = payload.split_at_checked(16)?;
    let (not_before, rest) = rest.split_at_checked(6)?;
    let (expires_at, rest) = rest.split_at_checked(6)?;
    let (buyer, rest) = text(rest)?;
    let (channel, rest) = text(rest)?;
    if !rest.is_empty() {
        return None;
    }
    let time = |bytes: &[u8]| bytes.iter().fold(0_i64, |ms, byte| (ms << 8) | i64::from(*byte));
    Some(SaleToken {
        job: JobId::from_bytes(job).ok()?,
        buyer: buyer.parse().ok()?,
        channel: channel.to_owned(),
        not_before: from_ms(time(not_before)),
        expires_at: from_ms(time(expires_at)),
    })
}

fn text(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let (length, rest) = bytes.split_first()?;
    let (text, rest) = rest.split_at_checked(usize::from(*length))?;
    Some((std::str::from_utf8(text).ok()?, rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Route, SaleNumber, Shard};

    fn keys(ids: &[&str]) -> TokenKeys {
        let key = |id: &&str| TokenKey::new(id, format!("{id:-<32}").as_bytes()).unwrap();
        TokenKeys::new(ids.iter().map(key).collect()).unwrap()
    }

    fn token() -> SaleToken {
        let route = Route { sale: SaleNumber::new(3).unwrap(), shard: Shard::default() };
        SaleToken {
            job: JobId::new(1_795_000_000_000, route, [1, 2, 3, 4, 5, 6]),
            buyer: "ann".parse().unwrap(),
            channel: "web".to_owned(),
            not_before: from_ms(1_795_000_000_000),
            expires_at: from_ms(1_795_000_120_000),
        }
    }

    #[test]
    fn what_was_signed_is_verified_and_the_layout_is_stable() {
        let keys = keys(&["a"]);
        let text = keys.sign(&token());
        assert_eq!(keys.verify(&text), Ok(token()));
        assert_eq!(text, "v1.a.AaHuVl4AgACAwAECAwQFBgGh7lZeAAGh7lgywANhbm4Dd2Vi.q94E09x3bIgib-mLjaF8mw");
    }

    #[test]
    fn every_flipped_bit_truncation_and_extension_is_refused() {
        let keys = keys(&["a"]);
        let text = keys.sign(&token());
        for at in 0..text.len() * 8 {
            let mut bytes = text.clone().into_bytes();
            bytes[at / 8] ^= 1 << (at % 8);
            if let Ok(forged) = String::from_utf8(bytes) {
                assert_eq!(keys.verify(&forged), Err(TokenError), "bit {at}");
            }
        }
        for cut in 0..text.len() {
            assert_eq!(keys.verify(&text[..cut]), Err(TokenError), "cut at {cut}");
        }
        for extra in ["A", ".", "=", " ", "\0", ".AAAA"] {
            assert_eq!(keys.verify(&format!("{text}{extra}")), Err(TokenError), "{extra:?}");
        }
        assert_eq!(keys.verify(&"v".repeat(1_000_000)), Err(TokenError));
    }

    #[test]
    fn keys_rotate_without_a_moment_of_refusals() {
        let (old, both, new) = (keys(&["a"]), keys(&["b", "a"]), keys(&["b"]));
        assert!(both.verify(&old.sign(&token())).is_ok());
        assert!(new.verify(&both.sign(&token())).is_ok());
        assert_eq!(new.verify(&old.sign(&token())), Err(TokenError));
    }

    #[test]
    fn a_seal_is_of_one_purpose_and_of_one_list_of_parts_and_survives_rotation() {
        let (old, both, new) = (keys(&["a"]), keys(&["b", "a"]), keys(&["b"]));
        let mac = old.seal(b"x\0", &[b"ab", b"c"]);
        assert!(old.sealed(b"x\0", &[b"ab", b"c"], &mac) && both.sealed(b"x\0", &[b"ab", b"c"], &mac));
        assert!(!old.sealed(b"y\0", &[b"ab", b"c"], &mac) && !old.sealed(b"x\0", &[b"a", b"bc"], &mac));
        assert!(!new.sealed(b"x\0", &[b"ab", b"c"], &mac) && !old.sealed(b"x\0", &[b"ab", b"c"], &mac[..16]));
    }

    #[test]
    fn a_weak_key_is_refused_and_no_key_is_printed() {
        assert!(TokenKey::new("a", b"short").is_err());
        assert!(TokenKey::new("a.b", &[7; 32]).is_err());
        assert_eq!(format!("{:?}", keys(&["a"])), "TokenKeys([TokenKey(a)])");
    }
}
