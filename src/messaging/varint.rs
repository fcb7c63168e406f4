//! Numbers as records of version 2 have them: zigzag, seven bits a byte, the lowest first
//! (<https://kafka.apache.org/documentation/#recordbatch>).

use std::ops::Range;

use bytes::BufMut;

/// Of a number of 64 bits.
const LONGEST: usize = 10;

/// How many bytes a number takes.
pub(crate) fn varint_length(number: i64) -> usize {
    let bits = 64 - (zigzag(number) | 1).leading_zeros() as usize;
    bits.div_ceil(7)
}

pub(crate) fn put_varint(into: &mut impl BufMut, number: i64) {
    let mut rest = zigzag(number);
    while rest >= 0x80 {
        into.put_u8(rest.to_le_bytes()[0] | 0x80);
        rest >>= 7;
    }
    into.put_u8(rest.to_le_bytes()[0]);
}

/// A length and that many bytes; of what is absent the length -1.
pub(crate) fn put_sized(into: &mut impl BufMut, bytes: Option<&[u8]>) {
    match bytes {
        Some(bytes) => {
            put_varint(into, i64::try_from(bytes.len()).unwrap_or(i64::MAX));
            into.put_slice(bytes);
        }
        None => put_varint(into, -1),
    }
}

/// The number that stands at `at`, which then stands behind it; `None` where the bytes end before, or it never ends.
#[inline]
pub(crate) fn take_varint(bytes: &[u8], at: &mut usize) -> Option<i64> {
    // Most are lengths of less than 64.
    let first = *bytes.get(*at)?;
    if first < 0x80 {
        *at += 1;
        return Some(unzigzag(u64::from(first)));
    }
    let mut number = 0;
    for (nth, byte) in bytes[*at..].iter().take(LONGEST).enumerate() {
        number |= u64::from(byte & 0x7f) << (7 * nth);
        if *byte < 0x80 {
            *at += nth + 1;
            return Some(unzigzag(number));
        }
    }
    None
}

/// The bytes end in the middle of something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cut;

/// Where the sized bytes at `at` lie, if they are not absent; `at` is behind them then.
#[inline]
pub(crate) fn take_sized(bytes: &[u8], at: &mut usize) -> Result<Option<Range<usize>>, Cut> {
    let length = take_varint(bytes, at).ok_or(Cut)?;
    let Ok(length) = usize::try_from(length) else { return if length == -1 { Ok(None) } else { Err(Cut) } };
    let end = at.checked_add(length).filter(|end| *end <= bytes.len()).ok_or(Cut)?;
    let range = *at..end;
    *at = end;
    Ok(Some(range))
}

/// Numbers near zero, of either sign, become small ones.
fn zigzag(number: i64) -> u64 {
    ((number << 1) ^ (number >> 63)).cast_unsigned()
}

fn unzigzag(number: u64) -> i64 {
    (number >> 1).cast_signed() ^ -(number & 1).cast_signed()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_number_is_read_as_it_was_written(number: i64, shift in 0..64_u32) {
            let number = number >> shift;
            let mut bytes = Vec::new();
            put_varint(&mut bytes, number);
            prop_assert_eq!(bytes.len(), varint_length(number));
            let mut at = 0;
            prop_assert_eq!(take_varint(&bytes, &mut at), Some(number));
            prop_assert_eq!(at, bytes.len());
            prop_assert_eq!(take_varint(&bytes[..bytes.len() - 1], &mut 0), None);
        }

        #[test]
        fn whatever_the_bytes_are_nothing_behind_them_is_read(bytes: Vec<u8>) {
            let mut at = 0;
            while let Ok(found) = take_sized(&bytes, &mut at) {
                prop_assert!(at <= bytes.len());
                prop_assert!(found.is_none_or(|range| range.end == at));
            }
        }
    }

    #[test]
    fn a_number_that_never_ends_is_none() {
        assert_eq!(take_varint(&[0xff; 12], &mut 0), None);
    }
}
