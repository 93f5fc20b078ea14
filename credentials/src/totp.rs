//! Time-based one-time codes (RFC 6238): HMAC-SHA-1, six digits, thirty seconds, which is what every authenticator
//! application understands.
//!
//! A code is good in its own step and the one before and after. The step that was accepted is told, and a step that is
//! not later than the last accepted one is refused: no code works twice (RFC 6238 section 5.2). Keeping the last step is
//! the caller's.

use data_encoding::{BASE32_NOPAD, BASE32_NOPAD_NOCASE};
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use subtle::ConstantTimeEq;

/// Seconds of a step.
pub const STEP_SECONDS: i64 = 30;
/// Digits of a code.
pub const DIGITS: usize = 6;
/// How many steps a client's clock may be off, either way.
const SKEW: i64 = 1;
/// Bytes of a secret: the length of the hash, as RFC 4226 section 4 recommends.
const SECRET: usize = 20;

/// What a person's authenticator application and the server share. Kept sealed.
#[derive(Clone)]
pub struct Secret([u8; SECRET]);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl Secret {
    /// A new secret of 160 random bits.
    pub fn generate() -> Self {
        Self(rand::random())
    }

    /// Reads what [`Secret::base32`] wrote; `None` for anything else.
    pub fn parse(base32: &str) -> Option<Self> {
        let bytes = BASE32_NOPAD_NOCASE.decode(base32.as_bytes()).ok()?;
        Some(Self(bytes.try_into().ok()?))
    }

    /// The secret in base 32 (RFC 4648) without padding, as people type it into an application.
    pub fn base32(&self) -> String {
        BASE32_NOPAD.encode(&self.0)
    }

    /// The secret as the address that applications read from a QR code (the Key URI Format of Google Authenticator).
    /// `account` is shown beside the issuer; a colon would end the issuer's name and is left out of both.
    pub fn uri(&self, issuer: &str, account: &str) -> String {
        let plain = |text: &str| -> String { percent(&text.replace(':', " ")) };
        let (issuer, account, secret) = (plain(issuer), plain(account), self.base32());
        format!(
            "otpauth://totp/{issuer}:{account}?secret={secret}&issuer={issuer}&algorithm=SHA1&digits=6&period=30"
        )
    }

    /// The step of a code at an instant (seconds since 1970), when it is good and later than the last step that was
    /// accepted. Takes the same time whichever digits are wrong.
    pub fn accepted_step(&self, code: &str, unix_seconds: i64, last_step: Option<i64>) -> Option<i64> {
        let given: [u8; DIGITS] = code.as_bytes().try_into().ok()?;
        let now = unix_seconds.div_euclid(STEP_SECONDS);
        let mut accepted = None;
        for step in now - SKEW..=now + SKEW {
            let right = bool::from(self.code(step).ct_eq(&given));
            if right && last_step.is_none_or(|last| step > last) {
                accepted = Some(step);
            }
        }
        accepted
    }

    /// The code of a step (RFC 4226 section 5.3).
    fn code(&self, step: i64) -> [u8; DIGITS] {
        let mut code = [0; DIGITS];
        // A key of HMAC may have any length.
        let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(&self.0) else { return code };
        mac.update(&step.to_be_bytes());
        let hash = mac.finalize().into_bytes();
        let at = usize::from(hash[19] & 15);
        let four = [hash[at] & 0x7f, hash[at + 1], hash[at + 2], hash[at + 3]];
        let mut rest = u32::from_be_bytes(four);
        for digit in code.iter_mut().rev() {
            *digit = b'0' + u8::try_from(rest % 10).unwrap_or_default();
            rest /= 10;
        }
        code
    }
}

/// A code as people type it, without the spaces that applications show in the middle; `None` when it is not six digits.
pub fn normalise(typed: &str) -> Option<String> {
    let code: String = typed.chars().filter(|c| !c.is_whitespace()).collect();
    (code.len() == DIGITS && code.bytes().all(|byte| byte.is_ascii_digit())).then_some(code)
}

/// A text for a URI: everything but the unreserved characters of RFC 3986 in percent-encoding.
fn percent(text: &str) -> String {
    let mut written = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            written.push(char::from(byte));
        } else {
            written.push('%');
            for half in [byte >> 4, byte & 15] {
                written.push(char::from_digit(u32::from(half), 16).unwrap_or('0').to_ascii_uppercase());
            }
        }
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: i64 = 1_700_000_010;

    fn text(code: [u8; DIGITS]) -> String {
        String::from_utf8(code.to_vec()).expect("digits")
    }

    /// Appendix B of RFC 6238, the last six of its eight digits.
    #[test]
    fn codes_are_those_of_the_rfc() {
        let secret = Secret(*b"12345678901234567890");
        for (at, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(text(secret.code(at / STEP_SECONDS)), code);
            assert_eq!(secret.accepted_step(code, at, None), Some(at / STEP_SECONDS));
        }
    }

    #[test]
    fn another_implementation_gives_the_same_codes_and_takes_ours() {
        for round in 0..200 {
            let secret = Secret::generate();
            let other = totp_rs::Builder::new()
                .with_algorithm(totp_rs::Algorithm::SHA1)
                .with_digits(6)
                .with_skew(1)
                .with_step_duration(30)
                .with_secret(secret.0)
                .build()
                .expect("its options");
            let at = START + round * 977;
            let seconds = u64::try_from(at).expect("after 1970");
            let theirs = other.generate(seconds).to_string();
            assert_eq!(theirs, text(secret.code(at / STEP_SECONDS)));
            assert!(secret.accepted_step(&theirs, at, None).is_some());
            assert!(other.check(&text(secret.code(at / STEP_SECONDS - 1)), seconds).is_some());
        }
    }

    #[test]
    fn one_step_of_skew_is_taken_and_two_are_not() {
        let secret = Secret(*b"12345678901234567890");
        let step = START / STEP_SECONDS;
        for (off, taken) in [(-2, false), (-1, true), (0, true), (1, true), (2, false)] {
            let code = text(secret.code(step + off));
            assert_eq!(secret.accepted_step(&code, START, None).is_some(), taken, "{off}");
        }
    }

    #[test]
    fn a_code_works_once_and_no_older_one_after_it() {
        let secret = Secret(*b"12345678901234567890");
        let step = START / STEP_SECONDS;
        let (before, now, after) =
            (text(secret.code(step - 1)), text(secret.code(step)), text(secret.code(step + 1)));
        let last = secret.accepted_step(&now, START, None);
        assert_eq!(last, Some(step));
        assert_eq!(secret.accepted_step(&now, START, last), None, "the same again");
        assert_eq!(secret.accepted_step(&before, START, last), None, "an older one");
        assert_eq!(secret.accepted_step(&after, START, last), Some(step + 1));
    }

    #[test]
    fn what_is_no_code_is_refused() {
        let secret = Secret(*b"12345678901234567890");
        for wrong in ["", "28708", "2870822", "28708x", "２８７０８２", "+87082"] {
            assert_eq!(secret.accepted_step(wrong, 59, None), None, "{wrong}");
            assert_eq!(normalise(wrong), None, "{wrong}");
        }
        assert_eq!(normalise(" 287 082\n").as_deref(), Some("287082"));
    }

    #[test]
    fn a_secret_reads_back_and_its_address_names_the_account() {
        let secret = Secret(*b"12345678901234567890");
        assert_eq!(secret.base32(), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
        assert_eq!(Secret::parse(&secret.base32().to_lowercase()).map(|s| s.0), Some(secret.0));
        assert!(Secret::parse("GEZDGNBVGY3TQOJQ").is_none() && Secret::parse("!").is_none());
        assert_eq!(
            secret.uri("Coulisse", "ada@example.com"),
            "otpauth://totp/Coulisse:ada%40example.com?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Coulisse&algorithm=SHA1&digits=6&period=30"
        );
        assert!(secret.uri("A: B", "é:x").starts_with("otpauth://totp/A%20%20B:%C3%A9%20x?"));
        assert_eq!(format!("{secret:?}"), "Secret(…)");
    }
}
