//! Tests the keys of ticket codes: what a printed signer shows, which key verifies a code, and that a number has one key.

use super::*;

#[test]
fn printed_signer_shows_its_number_and_no_secret() {
    assert_eq!(format!("{:?}", signer()), "TicketSigner { id: KeyId(7), .. }");
    assert_eq!(signer().id(), KeyId(7));
}

#[test]
fn later_key_replaces_the_one_of_the_same_number() {
    let (old, new) = (signer(), TicketSigner::new(KeyId(7), &[43; 32]));
    let mut keys = keys();
    assert_eq!(keys.verify(&old.sign(&claims())), Ok(claims()));
    assert_eq!(keys.add(KeyId(7), &new.public_key()), Ok(()));
    assert_eq!(keys.verify(&new.sign(&claims())), Ok(claims()));
    assert_eq!(keys.verify(&old.sign(&claims())), Err(CodeError::Signature));
}

#[test]
fn code_without_a_bound_is_valid_at_any_time() {
    let bounded = claims();
    let unbounded = TicketClaims::unbounded(bounded.event, bounded.ticket);
    let code = signer().sign(&unbounded);
    for now in [0, 1, 1_500, 4_294_967_294] {
        assert_eq!(keys().read(&code, bounded.event, seconds(now)), Ok(unbounded), "{now}");
    }
    let window = unbounded.signed_window();
    assert_eq!((window.from, window.until), (seconds(0), seconds(4_294_967_295)));
    let window = bounded.signed_window();
    assert_eq!((window.from, window.until), (seconds(1_000), seconds(2_000)));
}
