//! Buyers: the JWT that an identity provider has given them. Algorithms, expiry, issuer and audience are ours to
//! choose, never the token's.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use domain::BuyerId;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, JwkSet};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, decode_header};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::hex::unhex;
use crate::problem::Problem;
use crate::settings::Secret;

/// How long a demo buyer stays logged in, in seconds.
const DEMO_LOGIN: u64 = 12 * 3_600;

/// Longest JWT that is looked at: a verifier's work is bounded.
const JWT_MAX: usize = 4_096;

/// Shortest shared secret, in bytes: the length of the MAC.
const SECRET_MIN: usize = 32;

const RSA: &[Algorithm] =
    &[Algorithm::RS256, Algorithm::RS384, Algorithm::RS512, Algorithm::PS256, Algorithm::PS384, Algorithm::PS512];

/// The `[buyers]` section. At least one key is needed.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct BuyerSettings {
    /// A secret shared with the identity provider, as hex digits of at least 32 bytes. Needed by the demo, which
    /// is its own provider.
    pub hs256_secret: Option<String>,
    /// The provider's public keys as a JWK set.
    pub jwks_file: Option<PathBuf>,
    /// One public key as PEM: RSA, EC or Ed25519.
    pub public_key_file: Option<PathBuf>,
    /// Required `iss`.
    pub issuer: Option<String>,
    /// Required `aud`.
    pub audience: Option<String>,
    /// Seconds by which the provider's clock may differ from ours. At most 300.
    pub leeway_s: u32,
    /// The claim that names the sales channel, if there is one.
    pub channel_claim: Option<String>,
}

/// Whoever sent a valid JWT.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Buyer {
    /// Its `sub`.
    pub id: BuyerId,
    /// Its sales channel, where the JWT names one.
    pub channel: Option<String>,
    /// The API client that acts for it, where the JWT names one: its `client_id` (RFC 9068).
    pub client: Option<String>,
}

/// The keys that buyers' JWTs are checked with.
#[derive(Clone)]
pub struct BuyerKeys(Arc<Keys>);

struct Keys {
    /// Each with the rules for what it has signed.
    keys: Vec<(Key, Validation)>,
    signing: Option<EncodingKey>,
    issuer: Option<String>,
    audience: Option<String>,
    channel_claim: Option<String>,
}

struct Key {
    id: Option<String>,
    algorithms: Vec<Algorithm>,
    key: DecodingKey,
}

impl std::fmt::Debug for BuyerKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "BuyerKeys({})", self.0.keys.len())
    }
}

impl BuyerKeys {
    /// Reads the keys. The error is a sentence that names the setting.
    pub fn from_settings(settings: &BuyerSettings) -> Result<Self, String> {
        if settings.leeway_s > 300 {
            return Err("leeway_s: has to be at most 300".to_owned());
        }
        let mut keys = Vec::new();
        let mut signing = None;
        if let Some(hex) = &settings.hs256_secret {
            let secret = unhex(hex).filter(|secret| secret.len() >= SECRET_MIN);
            let secret = secret.ok_or(format!("hs256_secret: has to be hex digits of at least {SECRET_MIN} bytes"))?;
            signing = Some(EncodingKey::from_secret(&secret));
            keys.push(Key { id: None, algorithms: vec![Algorithm::HS256], key: DecodingKey::from_secret(&secret) });
        }
        if let Some(path) = &settings.jwks_file {
            keys.extend(jwks(&read("jwks_file", path)?)?);
        }
        if let Some(path) = &settings.public_key_file {
            keys.push(pem(&read("public_key_file", path)?)?);
        }
        if keys.is_empty() {
            return Err("one of hs256_secret, jwks_file and public_key_file is needed".to_owned());
        }
        let rules = rules(settings);
        let with_rules = |key: Key| {
            let rules = Validation { algorithms: key.algorithms.clone(), ..rules.clone() };
            (key, rules)
        };
        Ok(Self(Arc::new(Keys {
            keys: keys.into_iter().map(with_rules).collect(),
            signing,
            issuer: settings.issuer.clone(),
            audience: settings.audience.clone(),
            channel_claim: settings.channel_claim.clone(),
        })))
    }

    /// Whoever this JWT names, if one of the keys signed it and its time is right.
    pub fn verify(&self, jwt: &str) -> Result<Buyer, Problem> {
        let refused = || {
            Problem::unauthenticated("The login is not valid, or not any more.", &["Bearer error=\"invalid_token\""])
        };
        if jwt.len() > JWT_MAX {
            return Err(refused());
        }
        let header = decode_header(jwt).map_err(|_| refused())?;
        let fits = |(key, _): &&(Key, Validation)| {
            let named = match (&key.id, &header.kid) {
                (Some(ours), Some(theirs)) => ours == theirs,
                _ => true,
            };
            named && key.algorithms.contains(&header.alg)
        };
        let decoded = |(key, rules): &(Key, Validation)| decode::<Map<String, Value>>(jwt, &key.key, rules).ok();
        let claims = self.0.keys.iter().filter(fits).find_map(decoded);
        let claims = claims.ok_or_else(refused)?.claims;
        let id = claims.get("sub").and_then(Value::as_str).and_then(|sub| sub.parse().ok()).ok_or_else(refused)?;
        let channel = match self.0.channel_claim.as_ref().and_then(|claim| claims.get(claim)) {
            None | Some(Value::Null) => None,
            // A channel that we cannot carry must not be replaced by one that the buyer chooses.
            Some(channel) => Some(channel.as_str().filter(|text| is_channel(text)).ok_or_else(refused)?.to_owned()),
        };
        let client = match claims.get("client_id") {
            None | Some(Value::Null) => None,
            // A client that we cannot count must not be one that is not counted.
            Some(client) => Some(client.as_str().filter(|text| is_client(text)).ok_or_else(refused)?.to_owned()),
        };
        Ok(Buyer { id, channel, client })
    }

    /// Can we write logins ourselves? Only with a shared secret, and only the demo does.
    pub fn can_issue(&self) -> bool {
        self.0.signing.is_some()
    }

    /// A login for `buyer` that was issued at `now_s` (seconds since 1970); `None` without a shared secret.
    pub fn issue(&self, buyer: &BuyerId, now_s: u64) -> Option<Secret> {
        let Keys { signing, issuer, audience, .. } = &*self.0;
        let mut claims = json!({ "sub": buyer, "iat": now_s, "exp": now_s + DEMO_LOGIN });
        for (name, value) in [("iss", issuer), ("aud", audience)] {
            if let Some(value) = value {
                claims[name] = value.as_str().into();
            }
        }
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, signing.as_ref()?).ok().map(Secret::from)
    }
}

/// Is this the name of a sales channel: 1 to 32 of a-z, 0-9 and `-`?
pub fn is_channel(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=32).contains(&text.len()) && text.bytes().all(plain)
}

/// Is this the name of an API client: 1 to 128 visible ASCII characters?
pub fn is_client(text: &str) -> bool {
    (1..=128).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

fn rules(settings: &BuyerSettings) -> Validation {
    let mut rules = Validation::new(Algorithm::HS256); // replaced by each key's own
    let mut required = vec!["exp", "sub"];
    rules.leeway = u64::from(settings.leeway_s);
    rules.validate_nbf = true;
    rules.validate_aud = settings.audience.is_some();
    if let Some(audience) = &settings.audience {
        rules.set_audience(&[audience]);
        required.push("aud");
    }
    if let Some(issuer) = &settings.issuer {
        rules.set_issuer(&[issuer]);
        required.push("iss");
    }
    rules.set_required_spec_claims(&required);
    rules
}

fn read(key: &str, path: &Path) -> Result<Vec<u8>, String> {
    std::fs::read(path).map_err(|why| format!("{key}: {}: {why}", path.display()))
}

fn jwks(text: &[u8]) -> Result<Vec<Key>, String> {
    let set: JwkSet = serde_json::from_slice(text).map_err(|why| format!("jwks_file: is not a JWK set: {why}"))?;
    let keys: Vec<Key> = set.keys.iter().filter_map(jwk).collect();
    if keys.is_empty() {
        return Err("jwks_file: has no public RSA, EC or Ed25519 key for signatures".to_owned());
    }
    Ok(keys)
}

/// Public keys only: a shared secret has no place in a published set.
fn jwk(jwk: &Jwk) -> Option<Key> {
    let family: &[Algorithm] = match &jwk.algorithm {
        AlgorithmParameters::RSA(_) => RSA,
        AlgorithmParameters::EllipticCurve(curve) if curve.curve == EllipticCurve::P256 => &[Algorithm::ES256],
        AlgorithmParameters::EllipticCurve(curve) if curve.curve == EllipticCurve::P384 => &[Algorithm::ES384],
        AlgorithmParameters::OctetKeyPair(pair) if pair.curve == EllipticCurve::Ed25519 => &[Algorithm::EdDSA],
        _ => return None,
    };
    let named = jwk.common.key_algorithm.and_then(|name| name.to_string().parse::<Algorithm>().ok());
    let algorithms = match (jwk.common.key_algorithm, named) {
        (None, _) => family.to_vec(),
        (Some(_), Some(one)) if family.contains(&one) => vec![one],
        _ => return None,
    };
    Some(Key { id: jwk.common.key_id.clone(), algorithms, key: DecodingKey::from_jwk(jwk).ok()? })
}

fn pem(text: &[u8]) -> Result<Key, String> {
    let key = DecodingKey::from_rsa_pem(text)
        .map(|key| (key, RSA))
        .or_else(|_| DecodingKey::from_ec_pem(text).map(|key| (key, &[Algorithm::ES256, Algorithm::ES384][..])))
        .or_else(|_| DecodingKey::from_ed_pem(text).map(|key| (key, &[Algorithm::EdDSA][..])));
    let (key, algorithms) = key.map_err(|_| "public_key_file: is not a public key as PEM".to_owned())?;
    Ok(Key { id: None, algorithms: algorithms.to_vec(), key })
}

#[cfg(test)]
#[path = "buyers_tests.rs"]
mod tests;
