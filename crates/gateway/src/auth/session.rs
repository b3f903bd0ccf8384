//! An operator's session in a browser: a cookie that proves that its browser has known the admin key.
//!
//! Nothing is stored. The cookie is its end, a random part and a MAC over both, with a key that is made from the admin
//! key: any gateway knows it, a restart does not end it, another admin key does. Signing out makes the browser forget
//! it; whoever has copied it before may use it until its end. Browsers send cookies by themselves, so a write needs a
//! second word that no foreign page can read.

use actix_web::http::header::{self, HeaderMap, HeaderValue};
use chrono::TimeDelta;
use domain::Timestamp;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use subtle::ConstantTimeEq as _;

use crate::hex::hex;
use crate::settings::Secret;

/// The cookie's name.
const COOKIE: &str = "seckill_operator";

/// Carries the second word of a write.
pub const CSRF_HEADER: &str = "x-csrf-token";

/// How long a session lasts: a long working day.
const LASTS: TimeDelta = TimeDelta::hours(12);

/// A session that is good now.
pub struct Session {
    value: String,
    /// The second word.
    pub csrf_token: String,
    /// When it ends.
    pub expires_at: Timestamp,
}

impl Session {
    /// A new one; `random` makes it differ from others that begin at the same moment.
    pub fn begin(admin: &Secret, now: Timestamp, random: [u8; 6]) -> Self {
        let expires_at = domain::from_ms((now + LASTS).timestamp_millis());
        let said = format!("{}.{}", expires_at.timestamp_millis(), hex(&random));
        let value = format!("{said}.{}", mac(admin, "cookie", &said));
        Self { csrf_token: mac(admin, "csrf", &value), value, expires_at }
    }

    /// The session that a request shows, if it shows one that this admin key has begun and that has not ended. A page
    /// of another host of the domain may have set a cookie of the same name: any that is right is enough.
    pub fn of(headers: &HeaderMap, admin: &Secret, now: Timestamp) -> Option<Self> {
        let sent = headers.get_all(header::COOKIE).filter_map(|value| value.to_str().ok());
        let pairs = sent.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
        pairs.filter(|(name, _)| *name == COOKIE).find_map(|(_, value)| Self::read(value, admin, now))
    }

    fn read(value: &str, admin: &Secret, now: Timestamp) -> Option<Self> {
        let (said, proof) = value.rsplit_once('.')?;
        if admin.expose().is_empty() || !same(proof, &mac(admin, "cookie", said)) {
            return None;
        }
        let ends_ms = said.split_once('.')?.0.parse().ok()?;
        let expires_at = domain::from_ms(ends_ms);
        (now < expires_at).then(|| Self { csrf_token: mac(admin, "csrf", value), value: value.to_owned(), expires_at })
    }

    /// Does a write carry its second word?
    pub fn allows_write(&self, headers: &HeaderMap) -> bool {
        let sent = headers.get(CSRF_HEADER).and_then(|value| value.to_str().ok());
        sent.is_some_and(|sent| same(sent, &self.csrf_token))
    }

    /// Tells the browser to keep it. `secure`: only for TLS.
    pub fn set_cookie(&self, secure: bool) -> HeaderValue {
        cookie(&self.value, LASTS.num_seconds(), secure)
    }
}

/// Tells the browser to forget it.
pub fn clear_cookie(secure: bool) -> HeaderValue {
    cookie("", 0, secure)
}

fn cookie(value: &str, seconds: i64, secure: bool) -> HeaderValue {
    let secure = if secure { "; Secure" } else { "" };
    let text = format!("{COOKIE}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}");
    // Digits, dots and attributes of ours: always a header.
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static(""))
}

/// A MAC with a key that serves this purpose alone and does not lead back to the admin key.
fn mac(admin: &Secret, purpose: &str, text: &str) -> String {
    let key = tag(admin.expose().as_bytes(), &format!("seckill operator session v1: {purpose}"));
    hex(&tag(&key, text))
}

fn tag(key: &[u8], text: &str) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().into()
}

fn same(one: &str, other: &str) -> bool {
    one.as_bytes().ct_eq(other.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> Secret {
        text.to_owned().into()
    }

    fn shown(cookies: &str, admin: &str, now: Timestamp) -> Option<Session> {
        let mut headers = HeaderMap::new();
        headers.insert(header::COOKIE, HeaderValue::from_str(cookies).unwrap());
        Session::of(&headers, &secret(admin), now)
    }

    #[test]
    fn a_session_is_good_for_its_admin_key_until_its_end_and_only_as_it_was_made() {
        let now = domain::from_ms(1_700_000_000_000);
        let begun = Session::begin(&secret("a key"), now, [1; 6]);
        let cookie = format!("{COOKIE}={}", begun.value);
        let found = shown(&cookie, "a key", now).unwrap();
        assert_eq!((&found.csrf_token, found.expires_at), (&begun.csrf_token, now + LASTS));
        assert!(shown(&format!("{COOKIE}=forged; other=1; {cookie}"), "a key", now).is_some());
        assert!(shown(&cookie, "a key", now + LASTS - TimeDelta::milliseconds(1)).is_some());
        assert!(shown(&cookie, "a key", now + LASTS).is_none(), "it has ended");
        assert!(shown(&cookie, "another key", now).is_none(), "it was begun with another key");
        assert!(shown(&cookie, "", now).is_none());
        let ends = begun.expires_at.timestamp_millis();
        let later = cookie.replace(&ends.to_string(), &(ends + 1).to_string());
        for wrong in [later, format!("{cookie}0"), format!("x{cookie}"), format!("{COOKIE}="), format!("{COOKIE}=..")] {
            assert!(shown(&wrong, "a key", now).is_none(), "{wrong}");
        }
        let other = Session::begin(&secret("a key"), now, [2; 6]);
        assert!(other.value != begun.value && other.csrf_token != begun.csrf_token);
    }
}
