//! A stream in chunks that end between documents.

use std::io::{self, Read};

use super::outline::{Cut, Outline, last_line_of_its_own};

/// Bytes of a chunk, if its documents allow it: enough to make the work of passing it on small, few enough to stay in
/// a processor's cache.
const CHUNK: usize = 256 << 10;

/// What is kept of a document that is too large: for an excerpt.
const HEAD: usize = 4 << 10;

/// A part of a stream.
#[derive(Debug, Default)]
pub(super) struct Chunk {
    pub(super) bytes: Vec<u8>,
    /// Its first document is an element of a list that began earlier.
    pub(super) in_list: bool,
    /// Nothing follows.
    pub(super) last: bool,
    /// It is one document that is too large; only its beginning is kept.
    pub(super) too_large: Option<Skipped>,
}

/// What was not kept of a document.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Skipped {
    pub(super) bytes: u64,
    pub(super) lines: u64,
    /// Characters behind the last newline, or all of them.
    pub(super) columns: u64,
}

impl Skipped {
    fn add(&mut self, bytes: &[u8]) {
        self.bytes += bytes.len() as u64;
        let newlines = memchr::memchr_iter(b'\n', bytes).count() as u64;
        self.lines += newlines;
        let tail = memchr::memrchr(b'\n', bytes).map_or(bytes, |newline| &bytes[newline + 1..]);
        let characters = characters(tail);
        self.columns = if newlines > 0 { characters } else { self.columns + characters };
    }
}

/// Characters of some UTF-8, those that are cut included once.
pub(super) fn characters(bytes: &[u8]) -> u64 {
    bytes.iter().filter(|byte| **byte & 0xc0 != 0x80).count() as u64
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Nothing was read.
    New,
    Open,
    Ended,
}

/// Cuts a stream into chunks.
pub(super) struct Frames<R> {
    source: R,
    lists: bool,
    /// Bytes of the largest document.
    largest: usize,
    /// Read, and not yet in a chunk.
    rest: Vec<u8>,
    in_list: bool,
    stage: Stage,
    /// Why the stream ended early.
    failed: Option<io::Error>,
}

impl<R: Read> Frames<R> {
    pub(super) fn new(source: R, lists: bool, largest: usize) -> Self {
        Self { source, lists, largest, rest: Vec::new(), in_list: false, stage: Stage::New, failed: None }
    }

    /// Puts the next chunk into `chunk`, whose memory is used again; false at the end.
    ///
    /// After an error nothing more is read; what was read before it is still given.
    pub(super) fn next(&mut self, chunk: &mut Chunk) -> io::Result<bool> {
        *chunk = Chunk { bytes: std::mem::take(&mut chunk.bytes), in_list: self.in_list, ..Chunk::default() };
        chunk.bytes.clear();
        chunk.bytes.append(&mut self.rest);
        let mut wanted = CHUNK.min(self.largest + 1);
        loop {
            self.fill(&mut chunk.bytes, wanted)?;
            if self.stage == Stage::Ended && chunk.bytes.len() <= self.largest {
                chunk.last = true;
                self.in_list = false;
                if chunk.bytes.is_empty()
                    && let Some(error) = self.failed.take()
                {
                    return Err(error);
                }
                return Ok(!chunk.bytes.is_empty() || chunk.in_list);
            }
            let mut outline = Outline::new(self.lists, chunk.in_list);
            let cut = match last_line_of_its_own(&chunk.bytes) {
                Some(at) => Some(Cut { at, in_list: false }),
                None => outline.last_cut(&chunk.bytes),
            };
            if let Some(cut) = cut {
                self.rest.extend_from_slice(&chunk.bytes[cut.at..]);
                chunk.bytes.truncate(cut.at);
                self.in_list = cut.in_list;
                return Ok(true);
            }
            if chunk.bytes.len() > self.largest {
                chunk.too_large = Some(self.skip(&mut chunk.bytes, outline)?);
                return Ok(true);
            }
            wanted = (chunk.bytes.len() * 2).min(self.largest + 1);
        }
    }

    /// Reads on to the end of the document that `outline` is in; of `bytes` the beginning stays.
    fn skip(&mut self, bytes: &mut Vec<u8>, mut outline: Outline) -> io::Result<Skipped> {
        outline.give_up();
        let mut skipped = Skipped::default();
        let head = bytes.len().min(HEAD);
        skipped.add(&bytes[head..]);
        bytes.truncate(head);
        let mut block = Vec::new();
        self.in_list = false;
        while self.stage != Stage::Ended {
            block.clear();
            self.fill(&mut block, CHUNK)?;
            if let Some(cut) = outline.first_cut(&block) {
                skipped.add(&block[..cut.at]);
                self.rest.extend_from_slice(&block[cut.at..]);
                self.in_list = cut.in_list;
                break;
            }
            skipped.add(&block);
        }
        Ok(skipped)
    }

    /// Reads until `bytes` has `wanted` of them, or the stream ends.
    fn fill(&mut self, bytes: &mut Vec<u8>, wanted: usize) -> io::Result<()> {
        let missing = wanted.saturating_sub(bytes.len()) as u64;
        if missing == 0 || self.stage == Stage::Ended {
            return Ok(());
        }
        let before = bytes.len();
        let read = self.source.by_ref().take(missing).read_to_end(bytes);
        // A byte order mark is not JSON, but Windows' editors write it.
        if self.stage == Stage::New && bytes.starts_with(b"\xef\xbb\xbf") {
            bytes.drain(..3);
        }
        match read {
            Ok(read) if read as u64 == missing => self.stage = Stage::Open,
            Ok(_) => self.stage = Stage::Ended,
            Err(error) => {
                self.stage = Stage::Ended;
                // What came before the error is judged first.
                if bytes.len() == before {
                    return Err(error);
                }
                self.failed = Some(error);
            }
        }
        Ok(())
    }
}
