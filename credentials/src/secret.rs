//! Bearer secrets that say what they are and that they are whole, in the manner that GitHub published for its tokens
//! (<https://github.blog/engineering/platform-security/behind-githubs-new-authentication-token-formats/>): a prefix that a
//! leak scanner finds, random characters, and a checksum that tells a secret from a text that looks like one.
//!
//! The form is a prefix of [`PREFIXES`], then 43 random letters and digits (256 bits), then 6 more that are the CRC-32 (IEEE)
//! of all before them. The checksum is no protection: it spares a look-up for what was mistyped, cut or made up.
//!
//! This module never stores, hashes or compares secrets.

/// API keys of live companies.
pub const API_KEY_LIVE: &str = "ck_live_";
/// API keys of test twins.
pub const API_KEY_TEST: &str = "ck_test_";
/// Sessions of people.
pub const SESSION: &str = "cs_";
/// Secrets of OAuth clients.
pub const CLIENT_SECRET: &str = "co_";
/// Refresh tokens.
pub const REFRESH_TOKEN: &str = "cr_";

/// Every prefix there is.
pub const PREFIXES: [&str; 5] = [API_KEY_LIVE, API_KEY_TEST, SESSION, CLIENT_SECRET, REFRESH_TOKEN];

/// What a leak scanner looks for (in the syntax of most of them). What it finds is ours when [`is_well_formed`] says so.
pub const PATTERN: &str = r"\b(ck_live|ck_test|cs|co|cr)_[0-9A-Za-z]{49}\b";

/// Prefixes that were once followed by 43 characters of base64url and no checksum. Such secrets go on working.
const ONCE_PLAIN: [&str; 2] = [API_KEY_LIVE, SESSION];

const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// 62^43 > 2^256.
const RANDOM: usize = 43;
/// 62^6 > 2^32.
const CHECKSUM: usize = 6;
/// Random bytes from here on are drawn again: the 62 digits fit four times below, and each is then as likely.
const FAIR: u8 = 248;

/// A new secret with a prefix of [`PREFIXES`], e.g. `ck_live_…`.
pub fn generate(prefix: &str) -> String {
    let mut secret = String::with_capacity(prefix.len() + RANDOM + CHECKSUM);
    secret.push_str(prefix);
    let whole = prefix.len() + RANDOM;
    while secret.len() < whole {
        let fair = rand::random::<[u8; RANDOM]>().into_iter().filter(|byte| *byte < FAIR);
        secret.extend(fair.take(whole - secret.len()).map(|byte| char::from(DIGITS[usize::from(byte % 62)])));
    }
    let sum = checksum(&secret);
    secret.extend(sum.map(char::from));
    secret
}

/// Whether a text has the form of a secret that was made here. What has not need not be looked up.
pub fn is_well_formed(text: &str) -> bool {
    let Some((prefix, rest)) = PREFIXES.iter().find_map(|prefix| Some((*prefix, text.strip_prefix(prefix)?)))
    else {
        return false;
    };
    match rest.len() {
        RANDOM => {
            let of_base64 = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
            ONCE_PLAIN.contains(&prefix) && rest.bytes().all(of_base64)
        }
        49 => {
            let (Some(before), Some(sum)) =
                (text.get(..text.len() - CHECKSUM), text.as_bytes().last_chunk::<CHECKSUM>())
            else {
                return false;
            };
            rest.bytes().all(|byte| byte.is_ascii_alphanumeric()) && checksum(before) == *sum
        }
        _ => false,
    }
}

/// The CRC-32 of a text in six digits of base 62, the highest first.
fn checksum(text: &str) -> [u8; CHECKSUM] {
    let mut rest = crc32fast::hash(text.as_bytes());
    let mut digits = [b'0'; CHECKSUM];
    for place in digits.iter_mut().rev() {
        *place = DIGITS[usize::try_from(rest % 62).unwrap_or_default()];
        rest /= 62;
    }
    digits
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn a_secret_is_well_formed_and_nothing_near_it_is() {
        for prefix in PREFIXES {
            let secret = generate(prefix);
            assert_eq!(secret.len(), prefix.len() + 49);
            assert!(is_well_formed(&secret), "{prefix}");
            for place in prefix.len()..secret.len() {
                let mut wrong = secret.clone().into_bytes();
                wrong[place] = if wrong[place] == b'x' { b'y' } else { b'x' };
                assert!(!is_well_formed(&String::from_utf8(wrong).expect("ASCII")), "changed at {place}");
                // Cut to 43 it has the form of an old one; so it is looked up, and not found.
                let old = place == prefix.len() + RANDOM && ONCE_PLAIN.contains(&prefix);
                assert_eq!(is_well_formed(&secret[..place]), old, "{prefix} cut at {place}");
            }
            assert!(!is_well_formed(&format!("{secret}x")));
            let other = if prefix == API_KEY_LIVE { API_KEY_TEST } else { API_KEY_LIVE };
            assert!(!is_well_formed(&secret.replacen(prefix, other, 1)), "a prefix cannot be exchanged");
        }
        for wrong in
            ["", "ck_", "ck_live_", "hello", "cs_é", &format!("cs_{}", "é".repeat(24)), &"x".repeat(49)]
        {
            assert!(!is_well_formed(wrong), "{wrong}");
        }
    }

    #[test]
    fn old_keys_without_a_checksum_go_on_working() {
        let old = "Zm9vYmFyYmF6cXV4_m9vYmFyYmF6cXV4-m9vYmFyYmF";
        assert_eq!(old.len(), 43);
        assert!(is_well_formed(&format!("ck_live_{old}")));
        assert!(is_well_formed(&format!("cs_{old}")));
        for never in ["ck_test_", "co_", "cr_"] {
            assert!(!is_well_formed(&format!("{never}{old}")), "{never}");
        }
    }

    #[test]
    fn the_checksum_is_the_crc_32_that_everybody_knows() {
        // The check value of CRC-32/ISO-HDLC is cbf43926; 0xcbf43926 in base 62 was computed elsewhere.
        assert_eq!(crc32fast::hash(b"123456789"), 0xcbf4_3926);
        assert_eq!(&checksum("123456789"), b"3jZRME");
        assert_eq!(checksum("").as_slice(), b"000000");
    }

    #[test]
    fn every_digit_is_as_likely() {
        let mut counts = [0_u32; 128];
        let mut seen = HashSet::new();
        for _ in 0..4000 {
            let secret = generate(SESSION);
            for byte in secret.bytes().skip(3).take(RANDOM) {
                counts[usize::from(byte)] += 1;
            }
            assert!(seen.insert(secret));
        }
        // 172,000 draws, 2774 of each expected, deviation 52: seven deviations.
        for digit in DIGITS {
            let count = counts[usize::from(*digit)];
            assert!((2400..3150).contains(&count), "{} came {count} times", char::from(*digit));
        }
    }
}
