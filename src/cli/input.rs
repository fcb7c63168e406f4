//! Files and standard input, decompressed as they are read.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;
use std::sync::Arc;

use super::progress::Reading;

/// A stream of bytes that another thread may read.
pub(crate) type Input = Box<dyn Read + Send>;

/// Opens a file; `-` is standard input. `progress` moves with the bytes that are read from it.
pub(crate) fn open(path: &Path, progress: &Arc<Reading>) -> io::Result<Input> {
    if path == Path::new("-") {
        return decompressed(io::stdin());
    }
    let file = File::open(path)?;
    let about = file.metadata()?;
    if about.is_dir() {
        return Err(io::Error::new(io::ErrorKind::IsADirectory, "it is a folder; name the files in it"));
    }
    if about.is_file() {
        progress.set_length(about.len());
    }
    decompressed(Counted { file, progress: Arc::clone(progress) })
}

/// Tells the progress of every byte.
struct Counted {
    file: File,
    progress: Arc<Reading>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(buffer)?;
        self.progress.advance(read as u64);
        Ok(read)
    }
}

/// The bytes as they were before gzip or Zstandard, which are recognised by their first bytes.
fn decompressed(mut source: impl Read + Send + 'static) -> io::Result<Input> {
    let mut magic = Vec::new();
    source.by_ref().take(4).read_to_end(&mut magic)?;
    let begins = |with: &[u8]| magic.starts_with(with);
    if begins(&[0x1f, 0x8b]) {
        let whole = BufReader::with_capacity(BUFFER, io::Cursor::new(magic).chain(source));
        return Ok(Box::new(flate2::bufread::MultiGzDecoder::new(whole)));
    }
    if begins(&[0x28, 0xb5, 0x2f, 0xfd]) {
        let whole = BufReader::with_capacity(BUFFER, io::Cursor::new(magic).chain(source));
        return Ok(Box::new(zstd::stream::read::Decoder::with_buffer(whole)?));
    }
    Ok(Box::new(io::Cursor::new(magic).chain(source)))
}

const BUFFER: usize = 128 << 10;

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn read(bytes: Vec<u8>) -> io::Result<Vec<u8>> {
        let mut out = Vec::new();
        decompressed(io::Cursor::new(bytes))?.read_to_end(&mut out)?;
        Ok(out)
    }

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn whatever_the_compression_the_text_is_the_same() {
        let text = b"{\"a\": 1}\n".repeat(10_000);
        assert_eq!(read(text.clone()).unwrap(), text);
        assert_eq!(read(gzip(&text)).unwrap(), text);
        assert_eq!(
            read([gzip(&text), gzip(b"{}")].concat()).unwrap(),
            [&text[..], b"{}"].concat(),
            "two members"
        );
        assert_eq!(read(zstd::encode_all(&text[..], 1).unwrap()).unwrap(), text);
        assert_eq!(read(b"{}".to_vec()).unwrap(), b"{}");
        assert_eq!(read(Vec::new()).unwrap(), b"");
    }

    #[test]
    fn compressed_data_that_ends_early_is_an_error() {
        let text = b"{\"a\": 1}\n".repeat(10_000);
        for whole in [gzip(&text), zstd::encode_all(&text[..], 1).unwrap()] {
            let cut = whole[..whole.len() - 10].to_vec();
            assert!(read(cut).is_err());
        }
    }
}
