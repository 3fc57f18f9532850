//! Tests the published vectors, the edges of validity, and mutations: a changed code is never accepted.

use proptest::prelude::*;
use serde::Deserialize;
use uuid::Uuid;

use super::mutation::{any_text, well_formed};
use super::{
    BadPublicKey, CODE_BYTES, CODE_CHARACTERS, CodeError, KeyId, TicketClaims, TicketKeys, TicketSigner, VERSION,
    scanned,
};
use crate::ids::{EventId, TicketId};
use crate::scanning::base45;
use crate::scanning::entry::ScanReason;
use crate::time::Timestamp;

mod keys;

const DOCUMENT: &str = include_str!("../../../../../docs/ticket-code.md");

#[derive(Deserialize)]
struct Vectors {
    keys: Vec<Key>,
    accepted: Vec<Accepted>,
    refused: Vec<Refused>,
}

#[derive(Deserialize)]
struct Key {
    key: u32,
    seed: String,
    public: String,
}

#[derive(Deserialize)]
struct Accepted {
    key: u32,
    event: Uuid,
    ticket: Uuid,
    valid_from: u32,
    valid_until: u32,
    bytes: String,
    code: String,
}

#[derive(Deserialize)]
struct Refused {
    why: String,
    code: String,
    event: Uuid,
    at: i64,
    reason: String,
}

fn vectors() -> Vectors {
    let json = DOCUMENT.split("```json").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    serde_json::from_str(json).unwrap()
}

fn unhex<const N: usize>(text: &str) -> [u8; N] {
    let byte = |at: usize| u8::from_str_radix(&text[at..at + 2], 16).unwrap();
    (0..text.len()).step_by(2).map(byte).collect::<Vec<_>>().try_into().unwrap()
}

fn seconds(seconds: i64) -> Timestamp {
    Timestamp::from_micros(seconds * 1_000_000)
}

fn published() -> (Vec<TicketSigner>, TicketKeys) {
    let mut keys = TicketKeys::new();
    let signers = vectors()
        .keys
        .iter()
        .map(|key| {
            let signer = TicketSigner::new(KeyId(key.key), &unhex(&key.seed));
            assert_eq!(signer.public_key(), unhex(&key.public));
            keys.add(signer.id(), &signer.public_key()).unwrap();
            signer
        })
        .collect();
    (signers, keys)
}

#[test]
fn accepted_vectors_verify_and_sign() {
    let (signers, keys) = published();
    let accepted = vectors().accepted;
    assert_eq!(accepted.len(), 3);
    for vector in accepted {
        let claims = TicketClaims {
            event: EventId::from_uuid(vector.event),
            ticket: TicketId::from_uuid(vector.ticket),
            valid_from: vector.valid_from,
            valid_until: vector.valid_until,
        };
        assert_eq!(keys.verify(&vector.code), Ok(claims));
        assert_eq!(base45::decode(&vector.code), Ok(unhex::<CODE_BYTES>(&vector.bytes).to_vec()));
        let signer = signers.iter().find(|signer| signer.id() == KeyId(vector.key)).unwrap();
        assert_eq!(signer.sign(&claims), vector.code);
        assert_eq!(vector.code.len(), CODE_CHARACTERS);
    }
}

#[test]
fn refused_vectors_are_refused_with_their_reason() {
    let (_, keys) = published();
    let refused = vectors().refused;
    assert_eq!(refused.len(), 16);
    for vector in refused {
        let error = keys.read(&vector.code, EventId::from_uuid(vector.event), seconds(vector.at)).unwrap_err();
        assert_eq!(error.reason().as_str(), vector.reason, "{}: {error}", vector.why);
    }
}

fn signer() -> TicketSigner {
    TicketSigner::new(KeyId(7), &[42; 32])
}

fn keys() -> TicketKeys {
    let mut keys = TicketKeys::new();
    keys.add(KeyId(7), &signer().public_key()).unwrap();
    keys
}

fn claims() -> TicketClaims {
    TicketClaims {
        event: EventId::from_uuid(Uuid::from_u128(1)),
        ticket: TicketId::from_uuid(Uuid::from_u128(2)),
        valid_from: 1_000,
        valid_until: 2_000,
    }
}

#[test]
fn event_and_validity_are_checked_at_their_edges() {
    let (code, here) = (signer().sign(&claims()), claims().event);
    let elsewhere = EventId::from_uuid(Uuid::from_u128(3));
    let micro = |micros| Timestamp::from_micros(micros);
    for (event, now, expected) in [
        (here, seconds(1_000), Ok(claims())),
        (here, micro(999_999_999), Err(CodeError::NotYet)),
        (here, seconds(-5), Err(CodeError::NotYet)),
        (here, micro(1_999_999_999), Ok(claims())),
        (here, seconds(2_000), Err(CodeError::Expired)),
        (here, micro(i64::MAX), Err(CodeError::Expired)),
        (elsewhere, seconds(1_500), Err(CodeError::WrongEvent)),
        (elsewhere, seconds(1), Err(CodeError::WrongEvent)),
    ] {
        assert_eq!(keys().read(&code, event, now), expected, "{now}");
    }
}

#[test]
fn validity_is_widened_to_seconds_and_clamped() {
    let (event, ticket) = (claims().event, claims().ticket);
    for (from, until, expected) in [
        (1_000_000, 2_000_000, (1, 2)),
        (1_999_999, 2_000_001, (1, 3)),
        (-1, -1, (0, 0)),
        (i64::MIN, i64::MAX, (0, u32::MAX)),
        (0, 0, (0, 0)),
    ] {
        let claims = TicketClaims::new(event, ticket, Timestamp::from_micros(from), Timestamp::from_micros(until));
        assert_eq!((claims.valid_from, claims.valid_until), expected, "{from} {until}");
    }
}

#[test]
fn each_fault_has_its_error_and_reason() {
    let code = signer().sign(&claims());
    let other = TicketSigner::new(KeyId(8), &[42; 32]).sign(&claims());
    let forged = TicketSigner::new(KeyId(7), &[43; 32]).sign(&claims());
    let mut versioned = base45::decode(&code).unwrap();
    versioned[0] = VERSION + 1;
    for (text, expected) in [
        (String::new(), CodeError::Length),
        (code[..161].to_owned(), CodeError::Length),
        (format!("{code}0"), CodeError::Length),
        (format!(" {code}"), CodeError::Length),
        (code.to_lowercase(), CodeError::Text(base45::Base45Error::Character(0))),
        (format!(":::{}", &code[3..]), CodeError::Text(base45::Base45Error::Range(0))),
        (base45::encode(&versioned), CodeError::Version(2)),
        (other, CodeError::UnknownKey(8)),
        (forged, CodeError::Signature),
    ] {
        assert_eq!(keys().verify(&text), Err(expected), "{text}");
    }
    assert_eq!(TicketKeys::new().verify(&code), Err(CodeError::UnknownKey(7)));
    let reasons = [
        (CodeError::Length, ScanReason::Invalid),
        (CodeError::Version(0), ScanReason::Invalid),
        (CodeError::Signature, ScanReason::Invalid),
        (CodeError::UnknownKey(1), ScanReason::UnknownKey),
        (CodeError::WrongEvent, ScanReason::WrongEvent),
        (CodeError::NotYet, ScanReason::NotYet),
        (CodeError::Expired, ScanReason::Expired),
    ];
    for (error, reason) in reasons {
        assert_eq!(error.reason(), reason, "{error}");
    }
}

#[test]
fn codes_of_issued_keys_have_no_blank_at_either_end() {
    for id in [0, 1, 7, 0x00ff_ffff] {
        let code = TicketSigner::new(KeyId(id), &[42; 32]).sign(&claims());
        assert!(code.starts_with("V50") && !code.ends_with(' '), "{code:?}");
    }
}

#[test]
fn weak_and_malformed_keys_are_refused() {
    // The neutral point: some signature verifies any message.
    let neutral = unhex("0100000000000000000000000000000000000000000000000000000000000000");
    let no_point = unhex("0200000000000000000000000000000000000000000000000000000000000000");
    for bytes in [neutral, no_point, [0; 32]] {
        assert_eq!(TicketKeys::new().add(KeyId(1), &bytes), Err(BadPublicKey));
    }
}

#[test]
fn signature_of_other_claims_is_refused() {
    let first = base45::decode(&signer().sign(&claims())).unwrap();
    let later = TicketClaims { valid_until: 3_000, ..claims() };
    let second = base45::decode(&signer().sign(&later)).unwrap();
    let swapped = base45::encode(&[&second[..45], &first[45..]].concat());
    assert_eq!(keys().verify(&swapped), Err(CodeError::Signature));
}

/// One of the ways in which a keyboard may type a character of a code.
fn typed(character: char, way: u8) -> String {
    let wide = |c: char| char::from_u32(u32::from(c) - 0x21 + 0xff01).filter(|_| c.is_ascii_graphic());
    match (way % 6, character) {
        (0, _) => character.to_lowercase().to_string(),
        (1, ' ') => "\u{3000}".to_owned(),
        (2, ' ') => "\u{a0}".to_owned(),
        (1, _) => wide(character).unwrap_or(character).to_string(),
        (2, _) => wide(character.to_ascii_lowercase()).unwrap_or(character).to_string(),
        (3, _) => format!("\r\n{character}"),
        (4, _) => format!("{character}\u{2028}"),
        _ => character.to_string(),
    }
}

#[test]
fn characters_added_by_a_scanner_are_removed() {
    let code = signer().sign(&claims());
    for text in [
        code.to_lowercase(),
        format!("\u{2}{code}\r\n"),
        format!(" \t{}\n{}\t\r", &code[..82], &code[82..]),
        format!("\u{feff}{code}\u{3000}"),
    ] {
        assert_eq!(scanned(&text), code, "{text:?}");
    }
    for damaged in [format!("{} {}", &code[..20], &code[20..]), code[1..].to_owned(), code.replacen('0', "O", 1)] {
        assert!(keys().verify(&scanned(&damaged)).is_err(), "{damaged:?}");
    }
}

proptest! {
    #[test]
    fn any_typed_spelling_reads_as_the_code(
        ticket in any::<u128>(),
        ways in prop::collection::vec(any::<u8>(), CODE_CHARACTERS),
        before in "[ \t\r\n\u{2}\u{a0}\u{3000}\u{feff}]{0,5}",
        after in "[ \t\r\n\u{3}\u{a0}\u{3000}\u{2029}]{0,5}",
    ) {
        let claims = TicketClaims { ticket: TicketId::from_uuid(Uuid::from_u128(ticket)), ..claims() };
        let code = signer().sign(&claims);
        let typed: String = code.chars().zip(ways).map(|(character, way)| typed(character, way)).collect();
        prop_assert_eq!(keys().verify(&scanned(&format!("{before}{typed}{after}"))), Ok(claims));
    }

    #[test]
    fn damaged_code_is_refused_in_every_spelling(random in any::<u64>()) {
        let code = signer().sign(&claims());
        let text = any_text(&code, random);
        let read = scanned(&text.to_lowercase());
        prop_assert!(read == code || keys().verify(&read).is_err(), "{}", text);
    }

    #[test]
    fn claims_round_trip(event in any::<u128>(), ticket in any::<u128>(), valid_from in any::<u32>(), valid_until in any::<u32>()) {
        let claims = TicketClaims {
            event: EventId::from_uuid(Uuid::from_u128(event)),
            ticket: TicketId::from_uuid(Uuid::from_u128(ticket)),
            valid_from,
            valid_until,
        };
        let code = signer().sign(&claims);
        prop_assert_eq!(code.len(), CODE_CHARACTERS);
        prop_assert_eq!(keys().verify(&code), Ok(claims));
    }

    #[test]
    fn changed_code_is_never_accepted(random in any::<u64>()) {
        let code = signer().sign(&claims());
        let changed = well_formed(&code, random).unwrap();
        prop_assert_ne!(&changed, &code);
        prop_assert!(base45::decode(&changed).is_ok_and(|bytes| bytes.len() == CODE_BYTES));
        prop_assert!(keys().verify(&changed).is_err(), "{}", changed);
        let text = any_text(&code, random);
        prop_assert_ne!(&text, &code);
        prop_assert!(keys().verify(&text).is_err(), "{}", text);
    }

    #[test]
    fn verifying_any_text_never_panics(text in any::<String>()) {
        prop_assert!(keys().verify(&text).is_err());
        prop_assert_eq!(well_formed(&text, 1), None);
    }
}

#[test]
fn well_formed_mutations_mostly_reach_the_signature() {
    let code = signer().sign(&claims());
    let reached = (0..1_000)
        .filter(|random| keys().verify(&well_formed(&code, *random).unwrap()) == Err(CodeError::Signature))
        .count();
    // The other mutations hit the five bytes of version and key number.
    assert!(reached > 800, "{reached}");
}
