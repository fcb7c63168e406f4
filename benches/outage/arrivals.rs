//! What arrived, read from the file that the service appends to, and what that says.

use std::fs::File;
use std::io::Read;
use std::time::Instant;

/// Counts letters, and compares each with what its order had before.
pub(crate) struct Arrivals {
    file: File,
    /// The beginning of a line whose end is not there yet.
    open: Vec<u8>,
    orders: usize,
    /// The number that each order's next letter has.
    next: Vec<usize>,
    seen: Vec<bool>,
    pub(crate) arrived: usize,
    pub(crate) again: usize,
    pub(crate) out_of_order: usize,
    /// When there were how many, as often as it was looked.
    pub(crate) looks: Vec<(Instant, usize)>,
}

impl Arrivals {
    pub(crate) fn of(path: &str, orders: usize) -> Self {
        Self {
            file: File::open(path).expect("the service's file"),
            open: Vec::new(),
            orders,
            next: (0..orders).collect(),
            seen: Vec::new(),
            arrived: 0,
            again: 0,
            out_of_order: 0,
            looks: Vec::new(),
        }
    }

    /// Reads what is new.
    pub(crate) fn look(&mut self) {
        let mut chunk = vec![0; 1 << 20];
        loop {
            let read = self.file.read(&mut chunk).expect("the service's file");
            if read == 0 {
                break;
            }
            self.open.extend_from_slice(&chunk[..read]);
            let whole = memchr::memrchr(b'\n', &self.open).map_or(0, |end| end + 1);
            let rest = self.open.split_off(whole);
            let lines = std::mem::replace(&mut self.open, rest);
            for line in lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
                self.note(number(line));
            }
        }
        self.looks.push((Instant::now(), self.arrived));
    }

    fn note(&mut self, number: usize) {
        if self.seen.len() <= number {
            self.seen.resize(number + 1, false);
        }
        if std::mem::replace(&mut self.seen[number], true) {
            self.again += 1;
            return;
        }
        self.arrived += 1;
        let next = &mut self.next[number % self.orders];
        if *next != number {
            self.out_of_order += 1;
        }
        *next = number + self.orders;
    }

    /// Of so many that were asked for, how many are not there.
    pub(crate) fn lost(&self, asked: usize) -> usize {
        asked - self.seen.iter().take(asked).filter(|seen| **seen).count()
    }

    /// How many more than `burst` and `rate` allow had arrived since `began`, when it was worst.
    pub(crate) fn too_many(&self, began: Instant, before: usize, rate: usize, burst: usize) -> usize {
        let excess = |(at, arrived): &(Instant, usize)| {
            let elapsed = usize::try_from(at.duration_since(began).as_millis()).expect("a time");
            (arrived - before).saturating_sub(elapsed * rate / 1000 + burst)
        };
        self.looks.iter().filter(|(at, _)| *at > began).map(excess).max().unwrap_or_default()
    }
}

/// `{"eventId":"evt-17",…`
fn number(line: &[u8]) -> usize {
    let id = line.strip_prefix(br#"{"eventId":"evt-"#).expect("a letter begins with its event's id");
    id.iter()
        .take_while(|byte| byte.is_ascii_digit())
        .fold(0, |number, digit| number * 10 + usize::from(digit - b'0'))
}
