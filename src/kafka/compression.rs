//! How batches are compressed: `compression.type`, in Kafka's own words.

use std::io::{Read, Write};

/// As the attributes of a batch number them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Compression {
    #[default]
    None,
    Gzip,
    Snappy,
    Lz4,
    Zstd,
}

impl Compression {
    const ALL: [Self; 5] = [Self::None, Self::Gzip, Self::Snappy, Self::Lz4, Self::Zstd];
    pub(super) const NAMES: &str = "none, gzip, snappy, lz4 or zstd";

    pub(super) fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "none" => Self::None,
            "gzip" => Self::Gzip,
            "snappy" => Self::Snappy,
            "lz4" => Self::Lz4,
            "zstd" => Self::Zstd,
            _ => return None,
        })
    }

    /// Of a batch with these attributes; `None`: one that is not known.
    pub(super) fn of_attributes(attributes: i16) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.attribute() == attributes & 7)
    }

    pub(super) fn attribute(self) -> i16 {
        match self {
            Self::None => 0,
            Self::Gzip => 1,
            Self::Snappy => 2,
            Self::Lz4 => 3,
            Self::Zstd => 4,
        }
    }

    /// Writing to memory fails for no reason that any of these has.
    pub(super) fn pack(self, plain: &[u8]) -> Vec<u8> {
        let packed = match self {
            Self::None => Ok(plain.to_vec()),
            Self::Gzip => gzip(plain),
            Self::Snappy => snap::raw::Encoder::new().compress_vec(plain).map_err(std::io::Error::other),
            Self::Lz4 => lz4(plain),
            Self::Zstd => zstd::encode_all(plain, zstd::DEFAULT_COMPRESSION_LEVEL),
        };
        packed.unwrap_or_else(|error| unreachable!("compressing in memory: {error}"))
    }
}

/// What was packed, if it has no more than `most` bytes.
pub(super) fn unpack(compression: Compression, packed: &[u8], most: usize) -> std::io::Result<Vec<u8>> {
    match compression {
        Compression::None => Ok(packed.to_vec()),
        Compression::Gzip => all_of(flate2::read::MultiGzDecoder::new(packed), most),
        Compression::Snappy => unsnap(packed, most),
        Compression::Lz4 => all_of(lz4_flex::frame::FrameDecoder::new(packed), most),
        Compression::Zstd => all_of(zstd::Decoder::with_buffer(packed)?, most),
    }
}

fn all_of(from: impl Read, most: usize) -> std::io::Result<Vec<u8>> {
    let mut plain = Vec::new();
    from.take(most as u64 + 1).read_to_end(&mut plain)?;
    if plain.len() > most { Err(too_much(most)) } else { Ok(plain) }
}

fn too_much(most: usize) -> std::io::Error {
    std::io::Error::other(format!("it unpacks to more than {most} bytes"))
}

/// How Java's clients begin: the stream format of snappy-java, two versions behind its name, then blocks behind their
/// lengths.
const XERIAL: &[u8] = b"\x82SNAPPY\0";
const XERIAL_HEADER: usize = 16;

fn unsnap(packed: &[u8], most: usize) -> std::io::Result<Vec<u8>> {
    let mut plain = Vec::new();
    if !packed.starts_with(XERIAL) {
        unsnap_block(packed, most, &mut plain)?;
        return Ok(plain);
    }
    let mut rest = packed.get(XERIAL_HEADER..).unwrap_or_default();
    while let Some((length, behind)) = rest.split_first_chunk() {
        let length = u32::from_be_bytes(*length) as usize;
        let block = behind.get(..length).ok_or(std::io::ErrorKind::UnexpectedEof)?;
        unsnap_block(block, most, &mut plain)?;
        rest = &behind[length..];
    }
    Ok(plain)
}

fn unsnap_block(block: &[u8], most: usize, plain: &mut Vec<u8>) -> std::io::Result<()> {
    let (before, length) = (plain.len(), snap::raw::decompress_len(block).map_err(std::io::Error::other)?);
    if before + length > most {
        return Err(too_much(most));
    }
    plain.resize(before + length, 0);
    snap::raw::Decoder::new().decompress(block, &mut plain[before..]).map_err(std::io::Error::other)?;
    Ok(())
}

fn gzip(plain: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(plain)?;
    encoder.finish()
}

fn lz4(plain: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut encoder = lz4_flex::frame::FrameEncoder::new(Vec::new());
    encoder.write_all(plain)?;
    encoder.finish().map_err(std::io::Error::other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_packed_comes_out_again_and_not_more_than_is_allowed() {
        let plain = b"over and over and over and over and over again".repeat(5000);
        for compression in Compression::ALL {
            assert_eq!(Compression::of_attributes(compression.attribute() | 0x18), Some(compression));
            let packed = compression.pack(&plain);
            assert_eq!(unpack(compression, &packed, plain.len()).unwrap(), plain, "{compression:?}");
            if compression != Compression::None {
                let refused = unpack(compression, &packed, plain.len() - 1).unwrap_err();
                assert!(refused.to_string().contains("more than 229999 bytes"), "{compression:?}: {refused}");
                assert!(
                    unpack(compression, &packed[..packed.len() / 2], plain.len()).is_err(),
                    "{compression:?}"
                );
            }
        }
        assert_eq!(Compression::of_attributes(5), None);
    }

    #[test]
    fn blocks_of_snappy_java_are_put_together() {
        let mut packed = [XERIAL, &[0, 0, 0, 1, 0, 0, 0, 1]].concat();
        for block in [&b"first "[..], b"", b"second"] {
            let block = Compression::Snappy.pack(block);
            packed.extend(u32::try_from(block.len()).unwrap().to_be_bytes());
            packed.extend(block);
        }
        assert_eq!(unpack(Compression::Snappy, &packed, 100).unwrap(), b"first second");
        assert!(unpack(Compression::Snappy, &packed[..packed.len() - 1], 100).is_err());
        assert!(unpack(Compression::Snappy, &packed, 11).is_err());
    }
}
