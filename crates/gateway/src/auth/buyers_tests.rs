//! What a login has to be.

use base64::Engine as _;

use super::*;

const SECRET: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

/// An Ed25519 key pair made for these tests: PKCS #8 in base64, and the public half as a JWK has it.
const ED25519: &str = "MC4CAQAwBQYDK2VwBCIEIMtZ95raw8E3ht3UXdu1fTEr7ZMXzXBpJXwBlI/x7kP7";
const ED25519_X: &str = "GaTEHF6v2tS0yhT27J1YbQ6uZr3tCOVUJvo54IW_wv0";

fn now_s() -> u64 {
    jsonwebtoken::get_current_timestamp()
}

fn keys(settings: BuyerSettings) -> BuyerKeys {
    BuyerKeys::from_settings(&BuyerSettings { hs256_secret: Some(SECRET.to_owned()), ..settings }).unwrap()
}

fn signed(algorithm: Algorithm, secret: &[u8], claims: &Value) -> String {
    jsonwebtoken::encode(&Header::new(algorithm), claims, &EncodingKey::from_secret(secret)).unwrap()
}

fn jwt(claims: &Value) -> String {
    signed(Algorithm::HS256, &unhex(SECRET).unwrap(), claims)
}

#[test]
fn a_login_names_its_buyer() {
    let keys = keys(BuyerSettings::default());
    let ann = keys.verify(&jwt(&json!({ "sub": "ann", "exp": now_s() + 60, "aud": "anyone" }))).unwrap();
    assert_eq!(ann, Buyer { id: "ann".parse().unwrap(), channel: None, client: None });
    let bob = keys.issue(&"bob".parse().unwrap(), now_s()).unwrap();
    assert_eq!(keys.verify(bob.expose()).unwrap().id.as_str(), "bob");
}

#[test]
fn expired_early_anonymous_and_foreign_logins_are_refused() {
    let keys = keys(BuyerSettings::default());
    let now = now_s();
    let good = json!({ "sub": "ann", "exp": now + 60 });
    let forged = signed(Algorithm::HS256, &[7; 32], &good);
    let other = signed(Algorithm::HS512, &unhex(SECRET).unwrap(), &good);
    let unsigned = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbm4iLCJleHAiOjk5OTk5OTk5OTl9.";
    let truncated = &jwt(&good)[..40];
    for wrong in [
        jwt(&json!({ "sub": "ann" })).as_str(),
        &jwt(&json!({ "sub": "ann", "exp": now - 1 })),
        &jwt(&json!({ "sub": "ann", "exp": "never" })),
        &jwt(&json!({ "sub": "ann", "exp": now + 60, "nbf": now + 30 })),
        &jwt(&json!({ "exp": now + 60 })),
        &jwt(&json!({ "sub": "", "exp": now + 60 })),
        &jwt(&json!({ "sub": "a b", "exp": now + 60 })),
        &jwt(&json!({ "sub": 7, "exp": now + 60 })),
        &forged,
        &other,
        unsigned,
        truncated,
        "",
        "a.b.c",
        &"x".repeat(100_000),
    ] {
        let problem = keys.verify(wrong).expect_err(wrong);
        assert_eq!(problem.code().as_str(), "unauthenticated");
    }
}

#[test]
fn issuer_and_audience_are_required_once_they_are_configured() {
    let keys = keys(BuyerSettings {
        issuer: Some("https://id.example".to_owned()),
        audience: Some("shop".to_owned()),
        leeway_s: 5,
        ..BuyerSettings::default()
    });
    let login = |extra: Value| {
        let mut claims = json!({ "sub": "ann", "exp": now_s() - 1 });
        claims.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        keys.verify(&jwt(&claims)).is_ok()
    };
    assert!(login(json!({ "iss": "https://id.example", "aud": "shop" })), "one second late is within the leeway");
    assert!(!login(json!({ "iss": "https://id.example", "aud": "bank" })));
    assert!(!login(json!({ "iss": "https://evil.example", "aud": "shop" })));
    assert!(!login(json!({ "aud": "shop" })));
    assert!(!login(json!({ "iss": "https://id.example" })));
    let own = keys.issue(&"bob".parse().unwrap(), now_s()).unwrap();
    assert!(keys.verify(own.expose()).is_ok());
}

#[test]
fn the_channel_comes_from_the_claim_and_has_to_be_a_word() {
    let keys = keys(BuyerSettings { channel_claim: Some("ch".to_owned()), ..BuyerSettings::default() });
    let login = |channel: Value| keys.verify(&jwt(&json!({ "sub": "ann", "exp": now_s() + 60, "ch": channel })));
    assert_eq!(login(json!("mini-program")).unwrap().channel.as_deref(), Some("mini-program"));
    assert_eq!(login(Value::Null).unwrap().channel, None);
    for wrong in [json!("Web"), json!(""), json!(3), json!("x".repeat(33))] {
        assert!(login(wrong.clone()).is_err(), "{wrong}");
    }
}

#[test]
fn a_public_key_verifies_and_cannot_be_used_as_a_secret() {
    let dir = std::env::temp_dir().join(format!("seckill-jwks-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    let path = dir.join("jwks.json");
    let set = json!({ "keys": [
        { "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "kid": "k1", "x": ED25519_X },
        { "kty": "oct", "kid": "k2", "k": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8" },
    ]});
    std::fs::write(&path, set.to_string()).unwrap();
    let keys =
        BuyerKeys::from_settings(&BuyerSettings { jwks_file: Some(path.clone()), ..Default::default() }).unwrap();
    std::fs::remove_dir_all(&dir).unwrap();
    assert!(!keys.can_issue());

    let claims = json!({ "sub": "ann", "exp": now_s() + 60 });
    let private = EncodingKey::from_ed_der(&base64::engine::general_purpose::STANDARD.decode(ED25519).unwrap());
    let sign = |kid: &str| {
        let header = Header { kid: Some(kid.to_owned()), ..Header::new(Algorithm::EdDSA) };
        jsonwebtoken::encode(&header, &claims, &private).unwrap()
    };
    assert_eq!(keys.verify(&sign("k1")).unwrap().id.as_str(), "ann");
    assert!(keys.verify(&sign("k9")).is_err(), "a key that is not in the set");
    assert!(keys.verify(&jwt(&claims)).is_err(), "the shared secret of the set is not taken");
    assert!(keys.verify(&signed(Algorithm::HS256, ED25519_X.as_bytes(), &claims)).is_err());
}

#[test]
fn settings_without_a_usable_key_are_refused_by_name() {
    let refused = |settings: BuyerSettings| BuyerKeys::from_settings(&settings).unwrap_err();
    let none = BuyerSettings::default();
    assert!(refused(none.clone()).contains("is needed"));
    assert!(refused(BuyerSettings { hs256_secret: Some("abcd".to_owned()), ..none.clone() }).contains("hs256_secret"));
    assert!(refused(BuyerSettings { jwks_file: Some("/nowhere".into()), ..none.clone() }).contains("jwks_file"));
    assert!(refused(BuyerSettings { leeway_s: 3600, ..none }).contains("leeway_s"));
}
