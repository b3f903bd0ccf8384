//! Signatures of webhooks, as the Standard Webhooks specification has them:
//! HMAC-SHA-256 over `id.timestamp.body`, base64, in a list that may hold several.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::Timestamp;

/// A webhook signed longer ago than this, or that far in the future, is a replay or comes from a wrong clock.
pub const TOLERANCE: chrono::TimeDelta = chrono::TimeDelta::minutes(5);

/// Shortest secret, in bytes: the specification's.
const SECRET_MIN: usize = 24;
/// Signatures in one header that are looked at: one for each secret while they rotate, and some to spare.
const SIGNATURES_MAX: usize = 16;
/// Longest secret, in bytes: the specification's.
const SECRET_MAX: usize = 64;

/// A shared secret, written `whsec_` and base64.
#[derive(Clone)]
pub struct WebhookSecret(Vec<u8>);

/// The text is no secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a webhook secret is \"whsec_\" and the base64 of 24 to 64 bytes")]
pub struct InvalidSecret;

/// Why a webhook is not believed. It says nothing about the secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotSigned {
    /// A header is missing or is not what the specification says.
    #[error("the headers webhook-id, webhook-timestamp and webhook-signature are needed")]
    Headers,
    /// Too old, or from the future.
    #[error("the webhook was signed more than five minutes from now")]
    Time,
    /// No signature is ours.
    #[error("no signature fits")]
    Signature,
}

/// The three headers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed<'w> {
    /// `webhook-id`
    pub id: &'w str,
    /// `webhook-timestamp`: seconds since 1970.
    pub timestamp: &'w str,
    /// `webhook-signature`: `v1,…`, several with spaces between.
    pub signature: &'w str,
}

impl std::str::FromStr for WebhookSecret {
    type Err = InvalidSecret;
    fn from_str(text: &str) -> Result<Self, InvalidSecret> {
        let bytes = text.strip_prefix("whsec_").and_then(|text| STANDARD.decode(text).ok()).ok_or(InvalidSecret)?;
        bytes.try_into()
    }
}

impl TryFrom<Vec<u8>> for WebhookSecret {
    type Error = InvalidSecret;
    fn try_from(bytes: Vec<u8>) -> Result<Self, InvalidSecret> {
        if (SECRET_MIN..=SECRET_MAX).contains(&bytes.len()) { Ok(Self(bytes)) } else { Err(InvalidSecret) }
    }
}

impl std::fmt::Debug for WebhookSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("WebhookSecret(***)")
    }
}

impl WebhookSecret {
    fn mac(&self, id: &str, timestamp: &str, body: &[u8]) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes keys of any length");
        for part in [id.as_bytes(), b".", timestamp.as_bytes(), b".", body] {
            mac.update(part);
        }
        mac
    }

    /// The value of `webhook-signature`.
    pub fn sign(&self, id: &str, timestamp_s: i64, body: &[u8]) -> String {
        let signature = self.mac(id, &timestamp_s.to_string(), body).finalize().into_bytes();
        format!("v1,{}", STANDARD.encode(signature))
    }
}

/// Believes a webhook whose raw body fits one of its signatures under one of the secrets, in constant time.
pub fn verify(secrets: &[WebhookSecret], headers: &Signed<'_>, body: &[u8], now: Timestamp) -> Result<(), NotSigned> {
    let Signed { id, timestamp, signature } = *headers;
    let signed_s: i64 = timestamp.parse().map_err(|_| NotSigned::Headers)?;
    if id.is_empty() || signature.is_empty() {
        return Err(NotSigned::Headers);
    }
    if now.timestamp().abs_diff(signed_s) > TOLERANCE.num_seconds().unsigned_abs() {
        return Err(NotSigned::Time);
    }
    // The body is hashed once for each secret, however many signatures a stranger sends.
    let macs: Vec<Hmac<Sha256>> = secrets.iter().map(|secret| secret.mac(id, timestamp, body)).collect();
    let given = signature.split(' ').take(SIGNATURES_MAX);
    let given = given.filter_map(|one| STANDARD.decode(one.strip_prefix("v1,")?).ok());
    let fits = given
        .fold(false, |fits, one| macs.iter().fold(fits, |fits, mac| mac.clone().verify_slice(&one).is_ok() | fits));
    if fits { Ok(()) } else { Err(NotSigned::Signature) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;

    // The example of the specification's reference implementations.
    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    const AT: i64 = 1_614_265_330;
    const BODY: &[u8] = br#"{"test": 2432232314}"#;
    const SIGNATURE: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

    fn verified(signature: &str, at: i64, body: &[u8]) -> Result<(), NotSigned> {
        let timestamp = AT.to_string();
        let headers = Signed { id: ID, timestamp: &timestamp, signature };
        verify(&[SECRET.parse().unwrap()], &headers, body, crate::from_ms(at * 1_000))
    }

    #[test]
    fn the_known_example_is_signed_and_believed() {
        let secret: WebhookSecret = SECRET.parse().unwrap();
        assert_eq!(secret.sign(ID, AT, BODY), SIGNATURE);
        assert_eq!(verified(SIGNATURE, AT + 299, BODY), Ok(()));
        assert_eq!(verified(&format!("v1,AAAA v2,x {SIGNATURE}"), AT, BODY), Ok(()), "one of several fits");
    }

    #[test]
    fn another_body_another_time_and_another_signature_are_not() {
        assert_eq!(verified(SIGNATURE, AT, b"{}"), Err(NotSigned::Signature));
        for late in [301, -301] {
            assert_eq!(verified(SIGNATURE, AT + late, BODY), Err(NotSigned::Time));
        }
        for at in 0..SIGNATURE.len() {
            let mut changed = SIGNATURE.as_bytes().to_vec();
            changed[at] ^= 4;
            let changed = String::from_utf8_lossy(&changed).into_owned();
            assert!(verified(&changed, AT, BODY).is_err(), "{changed}");
        }
        assert_eq!(verified("", AT, BODY), Err(NotSigned::Headers));
        let many = format!("{}{SIGNATURE}", "v1, ".repeat(SIGNATURES_MAX));
        assert_eq!(verified(&many, AT, BODY), Err(NotSigned::Signature), "only so many are looked at");
    }

    #[test]
    fn two_secrets_live_side_by_side_while_they_rotate() {
        let new: WebhookSecret = format!("whsec_{}", STANDARD.encode([7; 32])).parse().unwrap();
        let old: WebhookSecret = SECRET.parse().unwrap();
        let timestamp = AT.to_string();
        let headers = Signed { id: ID, timestamp: &timestamp, signature: SIGNATURE };
        assert_eq!(verify(&[new.clone(), old], &headers, BODY, crate::from_ms(AT * 1_000)), Ok(()));
        assert_eq!(verify(&[new], &headers, BODY, crate::from_ms(AT * 1_000)), Err(NotSigned::Signature));
        for wrong in ["whsec_AAAA", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_!", ""] {
            assert!(wrong.parse::<WebhookSecret>().is_err());
        }
    }
}
