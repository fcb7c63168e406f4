//! How batches are compressed: `compression.type`, in Kafka's own words.

use std::io::Write;

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
