//! Secrets at rest: envelope encryption with XChaCha20-Poly1305.
//!
//! Each value has a key of its own, wrapped by a master key that a short id names; rotation adds a master key
//! and rewraps, the values' ciphertexts stay. The place of a value (company, column, row) is authenticated with
//! it, so that a ciphertext copied to another row does not open.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use uuid::Uuid;

use crate::fault::Fault;

const KEY: usize = 32;
const NONCE: usize = 24;
const TAG: usize = 16;
const VERSION: u8 = 1;

/// The master keys: the first seals, all open.
#[derive(Clone)]
pub struct Vault(Arc<Vec<(String, [u8; KEY])>>);

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Vault(…)")
    }
}

/// Where a sealed value stands.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// The company, or the nil id for what belongs to a person.
    pub company: Uuid,
    /// `table.column`.
    pub column: &'a str,
    /// The row.
    pub row: Uuid,
}

impl Place<'_> {
    fn bytes(&self) -> Vec<u8> {
        [self.company.as_bytes(), self.row.as_bytes(), self.column.as_bytes()].concat()
    }
}

impl Vault {
    /// Reads `id:base64key,…` (32 bytes each); the first seals. The text is never echoed in the error.
    pub fn parse(setting: &str) -> Result<Self, String> {
        let keys = setting.split(',').map(|part| {
            let (id, key) = part.trim().split_once(':').ok_or("a seal key is written id:base64")?;
            let bytes = STANDARD.decode(key).map_err(|_| format!("seal key {id} is not base64"))?;
            let key: [u8; KEY] = bytes
                .try_into()
                .map_err(|_| format!("seal key {id} must have {KEY} bytes: openssl rand -base64 32"))?;
            if id.is_empty() || id.len() > 32 {
                return Err("a seal key's id has 1 to 32 characters".to_owned());
            }
            Ok((id.to_owned(), key))
        });
        Ok(Self(Arc::new(keys.collect::<Result<_, String>>()?)))
    }

    /// A setting with one fresh key, for an embedded default or a test.
    pub fn fresh_setting() -> String {
        format!("k1:{}", STANDARD.encode(rand::random::<[u8; KEY]>()))
    }

    fn current(&self) -> Result<&(String, [u8; KEY]), Fault> {
        self.0.first().ok_or_else(|| Fault::Internal("no seal key".to_owned()))
    }

    /// Seals a value for its place.
    pub fn seal(&self, place: Place<'_>, plain: &str) -> Result<Vec<u8>, Fault> {
        let (id, master) = self.current()?;
        let value_key: [u8; KEY] = rand::random();
        let mut sealed = vec![VERSION, u8::try_from(id.len()).unwrap_or(u8::MAX)];
        sealed.extend(id.as_bytes());
        sealed.extend(encrypt(master, &value_key, &place.bytes())?);
        sealed.extend(encrypt(&value_key, plain.as_bytes(), &place.bytes())?);
        Ok(sealed)
    }

    /// Opens a sealed value; fails for another place, a lost key, or a changed byte.
    pub fn open(&self, place: Place<'_>, sealed: &[u8]) -> Result<String, Fault> {
        let broken = || Fault::Corrupt(format!("sealed {} of {} does not open", place.column, place.row));
        let (&[version, id_length], rest) = sealed.split_first_chunk::<2>().ok_or_else(broken)?;
        let (id, rest) = rest.split_at_checked(usize::from(id_length)).ok_or_else(broken)?;
        let (wrapped, value) = rest.split_at_checked(NONCE + KEY + TAG).ok_or_else(broken)?;
        let (_, master) = self.0.iter().find(|(known, _)| known.as_bytes() == id).ok_or_else(broken)?;
        if version != VERSION {
            return Err(broken());
        }
        let value_key: [u8; KEY] =
            decrypt(master, wrapped, &place.bytes()).and_then(|k| k.try_into().ok()).ok_or_else(broken)?;
        decrypt(&value_key, value, &place.bytes()).and_then(|p| String::from_utf8(p).ok()).ok_or_else(broken)
    }

    /// A keyed digest of a value: equal values of one purpose give equal digests, so a sealed column can be
    /// looked up without being opened.
    pub fn digest(&self, purpose: &str, value: &[u8]) -> Result<Vec<u8>, Fault> {
        Ok(self.mac(purpose, value)?.finalize().into_bytes().to_vec())
    }

    /// Whether a digest is one that any of the keys would make, compared in constant time.
    pub fn verify(&self, purpose: &str, value: &[u8], digest: &[u8]) -> bool {
        (0..self.0.len())
            .any(|n| self.mac_by(n, purpose, value).is_ok_and(|mac| mac.verify_slice(digest).is_ok()))
    }

    /// Hides a number that a client is to give back and not to read, always in the same way (a synthetic IV, as in RFC
    /// 5297: the digest of the number, then the number under a mask that the digest makes).
    pub fn veil(&self, purpose: &str, context: &[u8], number: i64) -> Result<[u8; 16], Fault> {
        let digest = eight(self.mac(purpose, &[context, &number.to_be_bytes()].concat())?);
        let mask = eight(self.mac(purpose, &[context, b"mask", &digest].concat())?);
        let masked = u64::from_be_bytes(mask) ^ number.cast_unsigned();
        let mut veiled = [0; 16];
        veiled[..8].copy_from_slice(&digest);
        veiled[8..].copy_from_slice(&masked.to_be_bytes());
        Ok(veiled)
    }

    /// The number behind a veil; `None` when it was not made here, or for something else.
    pub fn unveil(&self, purpose: &str, context: &[u8], veiled: [u8; 16]) -> Option<i64> {
        let (digest, masked) = veiled.split_first_chunk::<8>()?;
        let masked = u64::from_be_bytes(masked.try_into().ok()?);
        (0..self.0.len()).find_map(|key| {
            let mask = eight(self.mac_by(key, purpose, &[context, b"mask", digest].concat()).ok()?);
            let number = (u64::from_be_bytes(mask) ^ masked).cast_signed();
            let again = self.mac_by(key, purpose, &[context, &number.to_be_bytes()].concat()).ok()?;
            again.verify_truncated_left(digest).is_ok().then_some(number)
        })
    }

    fn mac(&self, purpose: &str, value: &[u8]) -> Result<Hmac<Sha256>, Fault> {
        self.mac_by(0, purpose, value)
    }

    fn mac_by(&self, key: usize, purpose: &str, value: &[u8]) -> Result<Hmac<Sha256>, Fault> {
        let (_, master) = self.0.get(key).ok_or_else(|| Fault::Internal("no seal key".to_owned()))?;
        let mut mac = <Hmac<Sha256> as hmac::KeyInit>::new_from_slice(master)
            .map_err(|e| Fault::Internal(format!("mac key: {e}")))?;
        mac.update(&(purpose.len() as u64).to_be_bytes());
        mac.update(purpose.as_bytes());
        mac.update(value);
        Ok(mac)
    }
}

/// The first eight bytes of a digest.
fn eight(mac: Hmac<Sha256>) -> [u8; 8] {
    let digest = mac.finalize().into_bytes();
    let mut first = [0; 8];
    first.copy_from_slice(&digest[..8]);
    first
}

fn encrypt(key: &[u8; KEY], plain: &[u8], place: &[u8]) -> Result<Vec<u8>, Fault> {
    let nonce: [u8; NONCE] = rand::random();
    let cipher = XChaCha20Poly1305::new(&Key::from(*key));
    let text = cipher
        .encrypt(&XNonce::from(nonce), Payload { msg: plain, aad: place })
        .map_err(|_| Fault::Internal("sealing failed".to_owned()))?;
    Ok([nonce.as_slice(), &text].concat())
}

fn decrypt(key: &[u8; KEY], sealed: &[u8], place: &[u8]) -> Option<Vec<u8>> {
    let (nonce, text) = sealed.split_first_chunk::<NONCE>()?;
    XChaCha20Poly1305::new(&Key::from(*key))
        .decrypt(&XNonce::from(*nonce), Payload { msg: text, aad: place })
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(row: Uuid) -> Place<'static> {
        Place { company: Uuid::nil(), column: "party.iban", row }
    }

    #[test]
    fn a_sealed_value_opens_only_in_its_place_and_unchanged() {
        let vault = Vault::parse(&Vault::fresh_setting()).expect("vault");
        let row = Uuid::now_v7();
        let sealed = vault.seal(place(row), "FR7630006000011234567890189").expect("sealed");
        assert_eq!(vault.open(place(row), &sealed).expect("open"), "FR7630006000011234567890189");
        assert!(vault.open(place(Uuid::now_v7()), &sealed).is_err(), "another row");
        for index in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[index] ^= 1;
            assert!(vault.open(place(row), &changed).is_err(), "byte {index}");
            assert!(vault.open(place(row), &sealed[..index]).is_err(), "cut at {index}");
        }
    }

    #[test]
    fn a_veiled_number_comes_back_where_it_was_veiled_and_nowhere_else() {
        let (old, new) = (Vault::fresh_setting(), Vault::fresh_setting());
        let vault = Vault::parse(&old).expect("vault");
        let rotated = Vault::parse(&format!("{},{old}", new.replacen("k1", "k2", 1))).expect("vault");
        for number in [0, 1, 42, i64::MAX, i64::MIN] {
            let veiled = vault.veil("feed", b"A", number).expect("veiled");
            assert_eq!(veiled, vault.veil("feed", b"A", number).expect("veiled"), "always the same");
            assert_eq!(vault.unveil("feed", b"A", veiled), Some(number));
            assert_eq!(rotated.unveil("feed", b"A", veiled), Some(number));
            assert_eq!(vault.unveil("feed", b"B", veiled), None);
            assert_eq!(vault.unveil("other", b"A", veiled), None);
            let mut forged = veiled;
            forged[15] ^= 1;
            assert_eq!(vault.unveil("feed", b"A", forged), None);
        }
    }

    #[test]
    fn rotation_keeps_old_values_readable() {
        let old = Vault::fresh_setting();
        let sealed =
            Vault::parse(&old).and_then(|v| v.seal(place(Uuid::nil()), "x").map_err(|e| e.to_string()));
        let rotated =
            Vault::parse(&format!("{},{old}", Vault::fresh_setting().replace("k1", "k2"))).expect("vault");
        assert_eq!(rotated.open(place(Uuid::nil()), &sealed.expect("sealed")).expect("open"), "x");
    }
}
