//! A stream, judged on several threads; what is found is given in the stream's order.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use super::documents::{Found, Outcome, judge_chunk};
use super::frame::{Chunk, Frames, characters};
use super::snippet::Snippet;
use crate::schema::program::Places;
use crate::schema::{Judge, Violation};

/// How a stream is judged.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Options {
    pub(crate) threads: usize,
    /// Bytes of the largest document.
    pub(crate) largest: usize,
    /// Findings that are wanted; documents are counted on.
    pub(crate) findings: u64,
    /// Stop at the first document that is not valid.
    pub(crate) first_only: bool,
}

/// A violation and its place in the stream. Lines and columns count from 1, columns in characters; the end is
/// exclusive.
#[derive(Debug)]
pub(crate) struct Finding {
    /// Which document of the stream, from 1.
    pub(crate) document: u64,
    pub(crate) line: u64,
    pub(crate) column: u64,
    pub(crate) end_line: u64,
    pub(crate) end_column: u64,
    /// Its own `place` says nothing here.
    pub(crate) violation: Violation,
    pub(crate) snippet: Snippet,
}

/// A violation of a document that stands alone.
pub(crate) fn finding(document: &[u8], violation: &Violation) -> Finding {
    let place = violation.place.clone();
    let (line, column) = position(document, place.start);
    let (end_line, end_column) = position(document, place.end);
    let snippet = Snippet::of(document, &place, line);
    Finding { document: 1, line, column, end_line, end_column, violation: violation.clone(), snippet }
}

/// Line and column of a place, from 1.
fn position(text: &[u8], at: usize) -> (u64, u64) {
    let before = &text[..at.min(text.len())];
    let line = memchr::memchr_iter(b'\n', before).count() as u64 + 1;
    let start = memchr::memrchr(b'\n', before).map_or(0, |newline| newline + 1);
    (line, characters(&before[start..]) + 1)
}

/// How many documents a stream has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    pub(crate) valid: u64,
    pub(crate) invalid: u64,
    /// Invalid ones of which nothing was given but the count.
    pub(crate) unsaid: u64,
}

/// Chunks in hand for each thread; a thread that is further ahead waits, so that memory stays bounded.
const AHEAD: u64 = 4;

/// Judges every document of `source` and gives what is wrong to `sink`.
///
/// The totals are of what could be read; the error is the first of reading or of `sink`.
pub(crate) fn judge_stream(
    source: impl Read + Send,
    judge: &Judge,
    options: &Options,
    sink: &mut dyn FnMut(Finding) -> io::Result<()>,
) -> (Totals, io::Result<()>) {
    let threads = options.threads.max(1);
    let shared = Shared {
        input: Mutex::new(Input {
            frames: Frames::new(source, judge.lists(), options.largest),
            next: 0,
            ended: false,
        }),
        given: Mutex::new(0),
        moved: Condvar::new(),
        window: AHEAD * threads as u64,
        wanted: AtomicU64::new(options.findings),
        stop: AtomicBool::new(false),
    };
    let (sender, receiver) = sync_channel(threads);
    thread::scope(|scope| {
        for _ in 0..threads {
            let (shared, sender) = (&shared, sender.clone());
            scope.spawn(move || work(shared, judge, options, &sender));
        }
        drop(sender);
        let mut given = Given { totals: Totals::default(), said: 0, line: 0, column: 0 };
        let result = given.all(&receiver, &shared, options, sink);
        shared.halt();
        // Nobody must be left waiting to be heard.
        while receiver.recv().is_ok() {}
        (given.totals, result)
    })
}

type Numbered = (u64, io::Result<Outcome>);

struct Shared<R> {
    input: Mutex<Input<R>>,
    /// Chunks whose findings were given.
    given: Mutex<u64>,
    moved: Condvar,
    window: u64,
    /// Findings that are still wanted.
    wanted: AtomicU64,
    stop: AtomicBool,
}

struct Input<R> {
    frames: Frames<R>,
    next: u64,
    ended: bool,
}

impl<R> Shared<R> {
    fn halt(&self) {
        self.stop.store(true, Ordering::Relaxed);
        drop(locked(&self.given));
        self.moved.notify_all();
    }

    /// Waits until chunk `number` may be worked on.
    fn wait_for_turn(&self, number: u64) {
        let mut given = locked(&self.given);
        while number >= *given + self.window && !self.stop.load(Ordering::Relaxed) {
            given = self.moved.wait(given).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// A thread that panics ends the whole program soon; until then the others need not fail as well.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Lets the others go on when this thread ends for whatever reason.
struct Halting<'s, R>(&'s Shared<R>);

impl<R> Drop for Halting<'_, R> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.halt();
        }
    }
}

fn work<R: Read>(shared: &Shared<R>, judge: &Judge, options: &Options, sender: &SyncSender<Numbered>) {
    let _halting = Halting(shared);
    let mut chunk = Chunk::default();
    let mut places = Places::default();
    loop {
        let (number, read) = {
            let mut input = locked(&shared.input);
            if input.ended || shared.stop.load(Ordering::Relaxed) {
                return;
            }
            let read = input.frames.next(&mut chunk);
            input.ended = !matches!(read, Ok(true));
            input.next += 1;
            (input.next - 1, read)
        };
        let outcome = match read {
            Ok(true) => {
                shared.wait_for_turn(number);
                let keep = usize::try_from(shared.wanted.load(Ordering::Relaxed)).unwrap_or(usize::MAX);
                Ok(judge_chunk(&chunk, judge, keep, options.largest, &mut places))
            }
            Ok(false) => return,
            Err(error) => Err(error),
        };
        if sender.send((number, outcome)).is_err() {
            return;
        }
    }
}

/// What was given so far.
struct Given {
    totals: Totals,
    said: u64,
    /// Newlines before the chunk that comes next, and characters behind the last of them.
    line: u64,
    column: u64,
}

impl Given {
    fn all<R>(
        &mut self,
        receiver: &Receiver<Numbered>,
        shared: &Shared<R>,
        options: &Options,
        sink: &mut dyn FnMut(Finding) -> io::Result<()>,
    ) -> io::Result<()> {
        let mut early: BTreeMap<u64, io::Result<Outcome>> = BTreeMap::new();
        let mut next = 0;
        while let Ok((number, outcome)) = receiver.recv() {
            early.insert(number, outcome);
            while let Some(outcome) = early.remove(&next) {
                next += 1;
                self.one(outcome?, options, sink)?;
                shared.wanted.store(options.findings - self.said, Ordering::Relaxed);
                if options.first_only && self.totals.invalid > 0 {
                    return Ok(());
                }
                *locked(&shared.given) = next;
                shared.moved.notify_all();
            }
        }
        Ok(())
    }

    fn one(
        &mut self,
        outcome: Outcome,
        options: &Options,
        sink: &mut dyn FnMut(Finding) -> io::Result<()>,
    ) -> io::Result<()> {
        let before = self.totals.valid + self.totals.invalid;
        let mut documents_said = 0;
        let mut last = None;
        for found in outcome.findings {
            if self.said == options.findings {
                break;
            }
            self.said += 1;
            if last != Some(found.document) {
                last = Some(found.document);
                documents_said += 1;
            }
            sink(self.placed(found, before))?;
        }
        self.totals.valid += outcome.valid;
        self.totals.invalid += outcome.invalid;
        self.totals.unsaid += outcome.invalid - documents_said;
        self.column = if outcome.newlines > 0 { outcome.columns } else { self.column + outcome.columns };
        self.line += outcome.newlines;
        Ok(())
    }

    /// Places of a chunk become places of the stream.
    fn placed(&self, found: Found, documents: u64) -> Finding {
        let column = |line: u64, column: u64| if line == 1 { column + self.column } else { column };
        let snippet = Snippet {
            line: found.snippet.line + self.line,
            column: column(found.snippet.line, found.snippet.column),
            ..found.snippet
        };
        Finding {
            document: documents + found.document + 1,
            line: found.line + self.line,
            column: column(found.line, found.column),
            end_line: found.end_line + self.line,
            end_column: column(found.end_line, found.end_column),
            violation: found.violation,
            snippet,
        }
    }
}

#[cfg(test)]
#[path = "stream_tests.rs"]
mod tests;
