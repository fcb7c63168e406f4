use std::fmt::Write as _;
use std::io::Read;

use proptest::prelude::*;

use super::*;
use crate::schema::Schema;

fn judge() -> Judge {
    let schema = br#"{"type": "object", "required": ["n"], "properties": {"n": {"type": "integer"}, "s": {"type": "string"}}}"#;
    Judge::one(Schema::compile(schema).unwrap())
}

fn options(threads: usize) -> Options {
    Options { threads, largest: 1 << 20, findings: u64::MAX, first_only: false }
}

/// `valid/invalid`, then a line for each finding.
fn said(input: impl Read + Send, options: &Options) -> String {
    let mut lines = String::new();
    let (totals, result) = judge_stream(input, &judge(), options, &mut |finding| {
        let Finding { document, line, column, violation, snippet, .. } = finding;
        let marked = &snippet.text[snippet.span.start..snippet.span.end];
        writeln!(lines, "#{document} {line}:{column} {violation} at {marked:?}").unwrap();
        Ok(())
    });
    let end = result.map_or_else(|error| format!(" then {error}"), |()| String::new());
    format!("{}/{}{end}\n{lines}", totals.valid, totals.invalid)
}

fn of(text: &[u8]) -> String {
    said(text, &options(2))
}

#[test]
fn documents_stand_on_lines_in_arrays_or_over_many_lines() {
    let good = [
        "{\"n\": 1}\n{\"n\": 2}\n{\"n\": 3}",
        "{\"n\": 1}\r\n{\"n\": 2}\r\n\r\n{\"n\": 3}\r\n",
        "\u{feff}{\"n\": 1} {\"n\": 2}{\"n\": 3}",
        "[{\"n\": 1}, {\"n\": 2},\n{\"n\": 3}]",
        "[{\"n\": 1}]\n[{\"n\": 2}, {\"n\": 3}]\n[]",
        "{\n  \"n\": 1\n}\n{\n  \"n\": 2\n}\n{\"n\": 3}\n",
        "[\n  {\n    \"n\": 1\n  },\n  {\"n\": 2},\n  {\"n\": 3}\n]\n",
    ];
    for text in good {
        assert_eq!(of(text.as_bytes()), "3/0\n", "{text}");
    }
    for empty in ["", "  \n\n", "[]", "\u{feff}"] {
        assert_eq!(of(empty.as_bytes()), "0/0\n", "{empty}");
    }
}

#[test]
fn whatever_is_wrong_with_one_document_the_others_are_judged() {
    let bad: [&[u8]; 22] = [
        b"{\"n\": \"1\"}",
        b"{\"n\": 1, \"n\": 2}",
        b"{\"n\": NaN}",
        b"{\"n\": 1",
        b"{\"n\": 1,",
        b"{\"n\":",
        b"{\"n\": 1, \"s\": \"half",
        b"{\"n\": 1, \"s\": \"\\ud800\"}",
        b"{\"n\": 1, \"s\": \"\xff\"}",
        b"{\"n\": 1, \"s\": \"a\x01b\"}",
        b"{\"n\": 1}}",
        b"{\"n\": 1} x",
        b"nonsense and more",
        b"12",
        b"\"text\"",
        b"{\n  \"n\": 1,\n  \"s\": 2\n}",
        b"{\n  \"n\": 1,\n  \"s\": NaN\n}",
        b"{\n  \"n\": 1,\n  \"s\": [\n    1,\n  ]\n}",
        b"\xff\xfe",
        b"{\"n\": 01}",
        b"}",
        b"{'n': 1}",
    ];
    let mut all = String::new();
    for one in bad {
        let text = [b"{\"n\": 1}\n", one, b"\n{\"n\": 2}\n{\"n\": 3}\n"].concat();
        write!(all, "{}\n{}\n", String::from_utf8_lossy(one), of(&text)).unwrap();
    }
    insta::assert_snapshot!(all);
}

#[test]
fn whatever_is_wrong_with_an_element_the_others_are_judged() {
    let bad = [
        "[{\"n\": 1}, {\"n\": \"x\"}, {\"n\": 2}]",
        "[{\"n\": 1}, {\"n\": NaN}, {\"n\": 2}]",
        "[{\"n\": 1} {\"n\": 2}]",
        "[{\"n\": 1}, {\"n\": 2},]",
        "[{\"n\": 1}, {\"n\": 2}",
        "[{\"n\": 1}, , {\"n\": 2}]",
        "[\n  {\"n\": 1},\n  {\"n\": },\n  {\"n\": 2}\n]\n{\"n\": 3}",
        "[\n  {\"n\": 1},\n  {\"n\": 5\n  {\"n\": 2}\n]\n{\"n\": 3}",
        "[\n  {\n    \"n\": 1\n  },\n  {\n    \"n\": tru\n  },\n  {\n    \"n\": 2\n  }\n]\n",
    ];
    let mut all = String::new();
    for text in bad {
        write!(all, "{text}\n{}\n", of(text.as_bytes())).unwrap();
    }
    insta::assert_snapshot!(all);
}

#[test]
fn a_document_that_is_too_large_is_said_and_skipped() {
    let small = Options { largest: 1000, ..options(2) };
    let large = format!("{{\"s\": \"{}\"}}", "x".repeat(5000));
    let text = format!("{{\"n\": 1}}\n{large}\n{{\"n\": \"2\"}}\n");
    insta::assert_snapshot!(said(text.as_bytes(), &small), @r#"
    1/2
    #2 2:1 expected a document of at most 1kB, found one of 5,009 bytes (json) at "{"
    #3 3:7 /n: expected a whole number, found a string `"2"` (type) at "\"2\""
    "#);
    let list = format!("[{{\"n\": 1}}, {large}, {{\"n\": \"2\"}}]");
    insta::assert_snapshot!(said(list.as_bytes(), &small));
    let bomb = format!("{{\"n\": {}\n{{\"n\": 1}}\n", "[".repeat(5000));
    assert!(said(bomb.as_bytes(), &small).starts_with("1/1\n"), "a document that is never closed");
}

#[test]
fn only_so_many_findings_are_given_and_the_rest_is_counted() {
    let text = "{\"n\": \"x\"}\n".repeat(100_000);
    for threads in [1, 2, 5] {
        let mut said = Vec::new();
        let few = Options { findings: 3, ..options(threads) };
        let (totals, result) = judge_stream(text.as_bytes(), &judge(), &few, &mut |finding| {
            said.push(finding.line);
            Ok(())
        });
        assert!(result.is_ok());
        assert_eq!((totals, said), (Totals { valid: 0, invalid: 100_000, unsaid: 99_997 }, vec![1, 2, 3]));
    }
}

#[test]
fn the_first_invalid_document_can_be_the_end() {
    let text = "{\"n\": 1}\n".repeat(500_000) + "{}\n" + &"{\"n\": 1}\n".repeat(500_000);
    let first = Options { findings: 0, first_only: true, ..options(2) };
    let (totals, _) = judge_stream(text.as_bytes(), &judge(), &first, &mut |_| Ok(()));
    assert!(totals.invalid == 1 && totals.valid < 600_000, "{totals:?}");
}

#[test]
fn an_error_of_reading_comes_after_what_was_read() {
    struct Breaks(usize, usize);
    impl Read for Breaks {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let line = b"{\"n\": 1}\n";
            let all = line.len() * self.0;
            if self.1 == all {
                return Err(io::Error::other("the disk is gone"));
            }
            let here = self.1 % line.len();
            let length = buffer.len().min(line.len() - here);
            buffer[..length].copy_from_slice(&line[here..here + length]);
            self.1 += length;
            Ok(length)
        }
    }
    for lines in [0, 3, 100_000] {
        assert_eq!(said(Breaks(lines, 0), &options(2)), format!("{lines}/0 then the disk is gone\n"));
    }
}

#[test]
fn an_error_of_the_reader_of_findings_ends_the_work() {
    let text = "{\"n\": \"x\"}\n".repeat(1_000_000);
    let (totals, result) =
        judge_stream(text.as_bytes(), &judge(), &options(2), &mut |_| Err(io::Error::other("closed")));
    assert_eq!(result.unwrap_err().to_string(), "closed");
    assert_eq!(totals.invalid, 0);
}

/// Documents in one of the ways in which streams are written, and how many of them are invalid.
fn stream() -> impl Strategy<Value = (String, u64, u64)> {
    let document = prop_oneof![
        4 => any::<i32>().prop_map(|n| (format!("{{\"n\": {n}}}"), true)),
        1 => "[a-z\"\\\\{}\\[\\],:é]{0,40}".prop_map(|s| (serde_json::json!({ "n": 1, "s": s }).to_string(), true)),
        1 => "[a-z]{0,9}".prop_map(|s| (serde_json::json!({ "n": s }).to_string(), false)),
        1 => Just(("{\"n\": NaN}".to_owned(), false)),
    ];
    (prop::collection::vec((document, 1..200_usize), 1..200), 0..4_u8).prop_map(|(documents, way)| {
        let count = |wanted: bool| documents.iter().filter(|((_, good), _)| *good == wanted).count() as u64;
        let counts = (count(true), count(false));
        let texts = documents.into_iter().map(|((text, _), pad)| match way {
            0 | 2 => text,
            1 if text.contains("\"s\"") => text,
            1 => text.replace("{\"n\"", "{\n  \"n\"").replace('}', "\n}"),
            _ => text.replace(": ", &format!(":{}", " ".repeat(pad))),
        });
        let texts: Vec<String> = texts.collect();
        let text = match way {
            2 => format!("[{}]", texts.join(",")),
            _ => texts.join("\n"),
        };
        (text, counts.0, counts.1)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn however_a_stream_is_cut_every_document_is_judged_once((text, valid, invalid) in stream(), repeat in 1..20_usize, threads in 1..4_usize) {
        // Ways 0 and 3 can be repeated; the others are one stream each.
        let lines = !text.starts_with('[');
        let (text, times) = if lines { (vec![text; repeat].join("\n"), repeat as u64) } else { (text, 1) };
        let (totals, result) = judge_stream(text.as_bytes(), &judge(), &options(threads), &mut |_| Ok(()));
        prop_assert!(result.is_ok());
        prop_assert_eq!((totals.valid, totals.invalid), (valid * times, invalid * times), "{}", text);
    }

    #[test]
    fn whatever_the_bytes_the_work_ends_and_places_are_in_the_text(bytes in prop::collection::vec(prop_oneof![
        3 => prop::sample::select(&b"{}[],:\"\\n1 \n"[..]),
        1 => any::<u8>(),
    ], 0..200)) {
        let lines = memchr::memchr_iter(b'\n', &bytes).count() as u64 + 1;
        let (_, result) = judge_stream(&bytes[..], &judge(), &options(1), &mut |finding| {
            assert!(finding.line <= lines);
            Ok(())
        });
        prop_assert!(result.is_ok());
    }
}
