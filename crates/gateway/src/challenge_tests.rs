//! What a solution has to be, with keys that ALTCHA's own library (altcha-lib 2.8.0) has derived.

use std::sync::atomic::{AtomicU64, Ordering};

use domain::{TokenKey, from_ms};
use serde_json::{Value, json};

use super::*;

#[derive(Default)]
struct Counting(AtomicU64);

impl Entropy for Counting {
    fn six(&self) -> [u8; 6] {
        let bytes = (self.0.fetch_add(1, Ordering::SeqCst) + 11).to_be_bytes();
        [bytes[2], bytes[3], bytes[4], bytes[5], bytes[6], bytes[7]]
    }
}

fn keys(ids: &[&str]) -> TokenKeys {
    let key = |id: &&str| TokenKey::new(id, format!("{id:-<32}").as_bytes()).unwrap();
    TokenKeys::new(ids.iter().map(key).collect()).unwrap()
}

fn challenges(ids: &[&str]) -> Challenges {
    let settings = ChallengeSettings { enabled: true, cost: 2, max_number: 50, ..ChallengeSettings::default() };
    Challenges::new(settings, keys(ids))
}

/// Checks a solution, and uses it up.
fn take(all: &Challenges, payload: &str, buyer: &BuyerId, now: Timestamp) -> Result<(), ChallengeFailed> {
    let solved = all.check(payload, buyer, now)?;
    assert_eq!(all.check(payload, buyer, now).as_ref(), Ok(&solved), "to look at it uses nothing up");
    all.use_up(&solved, now)
}

fn ann() -> BuyerId {
    "ann".parse().unwrap()
}

fn at(seconds: i64) -> Timestamp {
    from_ms(1_795_000_000_000 + seconds * 1_000)
}

fn bytes(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

/// As the widget does: every counter from 0, until the key begins as it should.
fn solve(challenge: &Challenge) -> Value {
    let parameters = &challenge.parameters;
    let (nonce, salt) = (bytes(&parameters.nonce), bytes(&parameters.salt));
    let found = (0..=1_000).find_map(|counter| {
        let key = hex(&derive(parameters.algorithm, &nonce, &salt, counter, parameters.cost));
        key.starts_with(&parameters.key_prefix).then_some((counter, key))
    });
    let (counter, key) = found.expect("a counter up to max_number solves it");
    json!({ "challenge": challenge, "solution": { "counter": counter, "derivedKey": key, "time": 1.5 } })
}

fn sent(payload: &Value) -> String {
    BASE64.encode(payload.to_string())
}

#[test]
fn keys_are_derived_as_altcha_does_it() {
    let (nonce, salt) = (bytes("000102030405060708090a0b0c0d0e0f"), bytes("101112131415161718191a1b1c1d1e1f"));
    for (counter, pbkdf2, sha) in [
        (
            0,
            "bf27120112e728b0d2a97c662d4a9ab4ea071c3c1f9aa492b6ecebc9183c741e",
            "e84e5725a7380da509faece574c860eb89c1012aa1c00e546d4a765a25602965",
        ),
        (
            77,
            "59980c8f7573e98de9aff1eeee0e8b9aeb42c6ca55481042a0fd3032c2b1d247",
            "3a27851070e3239a36aa12befa4c45f9c1c1d60e0cffee687833991df98958c3",
        ),
        (
            70_000,
            "34cb7b1b5afbd1881c34db7fd7bc04062056f507db29402abeac38ec1ca474c1",
            "0e285bbe5889f234c74bc31204c32f08617f81c90a7df4f633a46640d3ad8708",
        ),
    ] {
        assert_eq!(hex(&derive(Algorithm::Pbkdf2, &nonce, &salt, counter, 3)), pbkdf2);
        assert_eq!(hex(&derive(Algorithm::Sha256, &nonce, &salt, counter, 2)), sha);
    }
}

#[test]
fn a_solution_is_good_once_for_its_buyer_and_in_its_time() {
    let all = challenges(&["a"]);
    let payload = sent(&solve(&all.make(&ann(), &Counting::default(), at(0))));
    assert_eq!(take(&all, &payload, &"bob".parse().unwrap(), at(1)), Err(ChallengeFailed), "another buyer's");
    assert_eq!(take(&all, &payload, &ann(), at(300)), Err(ChallengeFailed), "too late");
    assert_eq!(take(&all, &payload, &ann(), at(299)), Ok(()));
    assert_eq!(take(&all, &payload, &ann(), at(299)), Err(ChallengeFailed), "used");
    let sha = ChallengeSettings { algorithm: Algorithm::Sha256, max_number: 200, ..all.settings.clone() };
    let all = Challenges::new(sha, keys(&["a"]));
    assert_eq!(take(&all, &sent(&solve(&all.make(&ann(), &Counting::default(), at(0)))), &ann(), at(1)), Ok(()));
}

#[test]
fn what_was_used_is_remembered_until_it_has_expired() {
    let all = challenges(&["a"]);
    let entropy = Counting::default();
    let early = sent(&solve(&all.make(&ann(), &entropy, at(0))));
    let late = sent(&solve(&all.make(&ann(), &entropy, at(290))));
    assert_eq!(take(&all, &early, &ann(), at(1)), Ok(()));
    assert_eq!(take(&all, &late, &ann(), at(295)), Ok(()));
    for now in [299, 310, 400, 589] {
        assert_eq!(take(&all, &late, &ann(), at(now)), Err(ChallengeFailed), "at {now}");
    }
    let remembered = all.used.lock().unwrap();
    assert!(remembered.current.len() + remembered.previous.len() <= 2);
}

#[test]
fn nothing_about_a_challenge_can_be_changed_and_no_solution_be_guessed() {
    let all = challenges(&["a"]);
    let good = solve(&all.make(&ann(), &Counting::default(), at(0)));
    let mut wrong = Vec::new();
    for (name, value) in [
        ("cost", json!(1)),
        ("expiresAt", json!(9_999_999_999_i64)),
        ("keyLength", json!(1)),
        ("keyPrefix", json!("")),
        ("keySignature", json!("0".repeat(64))),
        ("algorithm", json!("SHA-256")),
        ("nonce", json!("00")),
        ("salt", json!("")),
        ("data", json!({ "more": 1 })),
    ] {
        let mut changed = good.clone();
        changed["challenge"]["parameters"][name] = value;
        wrong.push(sent(&changed));
    }
    for key in ["", "00", &"0".repeat(64), &"A".repeat(64), &"é".repeat(32)] {
        let mut changed = good.clone();
        changed["solution"]["derivedKey"] = json!(key);
        wrong.push(sent(&changed));
    }
    let mut unsigned = good.clone();
    unsigned["challenge"]["signature"] = json!("0".repeat(64));
    wrong.extend([sent(&unsigned), String::new(), "!".to_owned(), BASE64.encode("{}"), "A".repeat(1_000_000)]);
    for payload in wrong {
        assert_eq!(take(&all, &payload, &ann(), at(1)), Err(ChallengeFailed), "{payload:.200}");
    }
    assert_eq!(take(&all, &sent(&good), &ann(), at(1)), Ok(()), "none of that has used it up");
}

#[test]
fn challenges_survive_the_rotation_of_keys() {
    let (old, both, new) = (challenges(&["a"]), challenges(&["b", "a"]), challenges(&["b"]));
    let payload = sent(&solve(&old.make(&ann(), &Counting::default(), at(0))));
    assert_eq!(take(&both, &payload, &ann(), at(1)), Ok(()));
    assert_eq!(take(&new, &payload, &ann(), at(1)), Err(ChallengeFailed));
}

#[test]
fn a_setting_out_of_its_range_is_named() {
    let wrong = ChallengeSettings { max_number: 0, ..ChallengeSettings::default() };
    assert!(wrong.validate().unwrap_err().starts_with("challenge.max_number"));
    assert!(ChallengeSettings::default().validate().is_ok());
}
