//! PKCE, S256 only (RFC 7636 §4.2, §4.6). «plain» is refused: RFC 9700 §2.1.1.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// A `code_challenge` is base64url of SHA-256, without padding: 43 characters (RFC 7636 §4.2).
pub(crate) fn is_challenge(text: &str) -> bool {
    text.len() == 43 && URL_SAFE_NO_PAD.decode(text).is_ok_and(|hash| hash.len() == 32)
}

/// Whether `verifier` is well-formed (43 to 128 unreserved characters, RFC 7636 §4.1) and hashes to `challenge`.
pub(crate) fn verify(verifier: &str, challenge: &str) -> bool {
    let unreserved = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
    let well_formed = (43..=128).contains(&verifier.len()) && verifier.bytes().all(unreserved);
    let hash = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()));
    well_formed && bool::from(hash.as_bytes().ct_eq(challenge.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    // RFC 7636 appendix B.
    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    #[test]
    fn the_example_of_rfc_7636_verifies() {
        assert!(is_challenge(CHALLENGE));
        assert!(verify(VERIFIER, CHALLENGE));
    }

    #[test]
    fn a_wrong_or_plain_verifier_fails() {
        assert!(!verify(&VERIFIER.replace('d', "e"), CHALLENGE));
        assert!(!verify(CHALLENGE, CHALLENGE));
        assert!(!verify(VERIFIER, ""));
    }

    #[test]
    fn short_long_and_strange_verifiers_fail_even_when_the_hash_fits() {
        for verifier in
            ["short".to_owned(), "a".repeat(42), "a".repeat(129), format!("{}é", "a".repeat(50)), "a b".repeat(20)]
        {
            let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()));
            assert!(!verify(&verifier, &challenge), "{verifier}");
        }
    }

    #[test]
    fn a_challenge_has_43_base64url_characters() {
        assert!(
            !is_challenge(&CHALLENGE[1..])
                && !is_challenge(&format!("{CHALLENGE}="))
                && !is_challenge(&CHALLENGE.replace('E', "+"))
        );
    }
}
