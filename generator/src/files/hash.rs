//! A short name for contents, the same in every run, on every machine and in every version of ours.

use sha2::{Digest, Sha256};

/// The first 16 hexadecimal digits of the SHA-256 of `bytes`.
#[must_use]
pub(crate) fn short_hash(bytes: &[u8]) -> String {
    let hash = Sha256::digest(bytes);
    let head = hash
        .iter()
        .take(8)
        .fold(0_u64, |head, byte| head << 8 | u64::from(*byte));
    format!("{head:016x}")
}

#[cfg(test)]
mod tests {
    #[test]
    fn is_the_head_of_sha_256() {
        assert_eq!(super::short_hash(b"abc"), "ba7816bf8f01cfea");
    }
}
