//! Random bytes of the host.

#![expect(unsafe_code, reason = "getentropy has no safe wrapper")]

/// Sixteen random bytes, or zero where the host has none: then nothing else of it works either.
#[must_use]
pub fn random_u128() -> u128 {
    let mut bytes = [0u8; 16];
    // SAFETY: `bytes` has 16 bytes to be written; getentropy(3) takes up to 256, on Linux and on macOS.
    let result = unsafe { libc::getentropy(bytes.as_mut_ptr().cast(), bytes.len()) };
    if result == 0 { u128::from_le_bytes(bytes) } else { 0 }
}

#[cfg(test)]
mod tests {
    #[test]
    fn bytes_differ() {
        assert_ne!(super::random_u128(), super::random_u128());
    }
}
