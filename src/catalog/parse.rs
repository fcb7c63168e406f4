//! YAML text to products, collecting every problem on the way.

use std::collections::HashMap;

use super::{MOST_STOCK, Product, rules};
use crate::text::{Lines, Span, quoted};
use crate::topology::Given;
use crate::topology::parse::{Decoder, Entry, Kind, Node, read, whole_number};
use crate::topology::problem::{Findings, Problem, Report};
use crate::topology::rules::{missing_field, unknown_version, wrong_kind};
use crate::unit::{Money, grouped};

const ROOT: &[&str] = &["version", "products"];
const PRODUCT: &[&str] = &["id", "name", "price", "stock"];
/// The longest id of an event, in characters.
const LONGEST_ID: usize = 128;
const LIKE_THIS: &str =
    "write `products:` and a list, like\n- { id: PROD-101, name: Keyboard, price: 49.99, stock: 500 }";

/// The products; `None` when the file holds none that can be read.
pub(super) fn parse(text: &str) -> (Option<Vec<Product>>, Findings) {
    let lines = Lines::of(text);
    let mut report = Report::default();
    let products = root(text, &lines, &mut report);
    (products, report.finish(text))
}

fn root(text: &str, lines: &Lines, report: &mut Report) -> Option<Vec<Product>> {
    let root = read(text, lines, report);
    let entries = match root.as_ref().map(|root| (&root.kind, root)) {
        Some((Kind::Mapping(entries), _)) => entries,
        Some((Kind::Broken, _)) => return None,
        Some((Kind::Scalar(_) | Kind::Sequence(_), root)) => {
            let message = format!("a catalogue is a mapping, and this is {}", root.describe());
            report.push(Problem::new(&wrong_kind::RULE, root.span, message).help(LIKE_THIS));
            return None;
        }
        Some((Kind::Null, _)) | None => {
            if !report.has_errors() {
                report.push(empty(Span::new(0, text.len()), "the file is empty"));
            }
            return None;
        }
    };
    let mut decoder = Decoder { report };
    let (mut version, mut products) = (false, None);
    for entry in entries.iter() {
        match (entry.key.as_ref(), &entry.value.kind) {
            ("version", kind) => {
                version = true;
                match kind {
                    Kind::Scalar(text) => unknown_version::check(text, entry.value.span, decoder.report),
                    _ => decoder.misfit(entry, "a number", "write `version: 1`"),
                }
            }
            ("products", Kind::Sequence(items)) => products = Some(list(items, entry, lines, &mut decoder)),
            ("products", _) => {
                products = Some(Vec::new());
                decoder.misfit(entry, "a list of products", LIKE_THIS);
            }
            _ => decoder.unknown_field(entry, "a catalogue", ROOT),
        }
    }
    let start = entries.first().map_or(Span::new(0, text.len()), |entry| entry.key_span);
    if !version {
        decoder.missing(start, "the file", "version", "begin the file with `version: 1`");
    }
    if products.is_none() {
        decoder.missing(start, "the file", "products", LIKE_THIS);
    }
    products
}

fn empty(span: Span, message: &str) -> Problem {
    Problem::new(&missing_field::RULE, span, message).help(LIKE_THIS)
}

fn list(items: &[Node<'_>], entry: &Entry<'_>, lines: &Lines, decoder: &mut Decoder<'_>) -> Vec<Product> {
    if items.is_empty() {
        decoder.report.push(empty(entry.value.span, "the catalogue has no product"));
    }
    let mut seen: HashMap<String, Span> = HashMap::new();
    let mut products = Vec::with_capacity(items.len());
    for item in items {
        let Kind::Mapping(fields) = &item.kind else {
            decoder.wrong_kind(item, "products", "a list of products", LIKE_THIS);
            continue;
        };
        products.extend(product(item, fields, lines, &mut seen, decoder));
    }
    products
}

fn product(
    item: &Node<'_>,
    fields: &[Entry<'_>],
    lines: &Lines,
    seen: &mut HashMap<String, Span>,
    decoder: &mut Decoder<'_>,
) -> Option<Product> {
    let (mut id, mut name, mut price, mut stock) = (Given::No, Given::No, Given::No, Given::No);
    for field in fields {
        match field.key.as_ref() {
            "id" => id = self::id(field, lines, seen, decoder),
            "name" => name = decoder.text(field),
            "price" => price = given(self::price(field, decoder), field),
            "stock" => stock = given(self::stock(field, decoder), field),
            _ => decoder.unknown_field(field, "a product", PRODUCT),
        }
    }
    let owner = id.value().map_or_else(|| "a product".to_owned(), |id| quoted(id));
    for (is_missing, field, help) in [
        (id.is_no(), "id", "add `id: PROD-101`, the name by which orders ask for it"),
        (name.is_no(), "name", "add `name: …`, as people read it"),
        (price.is_no(), "price", "add `price: 49.99`"),
        (stock.is_no(), "stock", "add `stock: 500`, how many there are at first; 0 is sold out"),
    ] {
        if is_missing {
            decoder.missing(item.span, &owner, field, help);
        }
    }
    Some(Product {
        id: id.value()?.clone(),
        name: name.value()?.clone(),
        price: *price.value()?,
        stock: *stock.value()?,
    })
}

fn given<T>(value: Option<T>, field: &Entry<'_>) -> Given<T> {
    value.map_or(Given::Broken, |value| Given::Is(crate::text::Located::new(value, field.value.span)))
}

fn id(
    field: &Entry<'_>,
    lines: &Lines,
    seen: &mut HashMap<String, Span>,
    decoder: &mut Decoder<'_>,
) -> Given<String> {
    let id = decoder.text(field);
    let Some(found) = id.get() else { return id };
    let problem = |message: String| Problem::new(&rules::ID, found.span, message);
    let length = found.value.chars().count();
    if length > LONGEST_ID {
        let message = format!("an id has at most {LONGEST_ID} characters, this one has {length}");
        decoder.report.push(problem(message).help("shorten it"));
        return Given::Broken;
    }
    if found.value.contains(char::is_control) || found.value.trim() != found.value {
        let message = format!("{} has blanks around it or control characters", quoted(&found.value));
        decoder.report.push(problem(message).help("write the id as orders have it, like `PROD-101`"));
        return Given::Broken;
    }
    if let Some(first) = seen.get(&found.value) {
        let (shown, line) = (quoted(&found.value), lines.line(first.start));
        let message = format!("{shown} is there twice; the first one is on line {line}");
        let again = Problem::new(&rules::TWICE, found.span, message).label("again").also(*first, "first");
        decoder.report.push(again.help("remove one of them, or give it an id of its own"));
        return Given::Broken;
    }
    seen.insert(found.value.clone(), found.span);
    id
}

fn price(field: &Entry<'_>, decoder: &mut Decoder<'_>) -> Option<Money> {
    let Kind::Scalar(text) = &field.value.kind else {
        decoder.misfit(field, "an amount of money", "write `price: 49.99`");
        return None;
    };
    let problem = |error| {
        Problem::new(&rules::PRICE, field.value.span, format!("{}: {error}", quoted(text)))
            .help("write digits, with at most two decimals and no currency: `price: 49.99`")
    };
    text.parse().map_err(|error| decoder.report.push(problem(error))).ok()
}

fn stock(field: &Entry<'_>, decoder: &mut Decoder<'_>) -> Option<u32> {
    let Kind::Scalar(text) = &field.value.kind else {
        decoder.misfit(field, "a whole number", "write `stock: 500`; 0 is sold out");
        return None;
    };
    let stock = whole_number(text).and_then(|number| u32::try_from(number).ok());
    let stock = stock.filter(|stock| *stock <= MOST_STOCK);
    if stock.is_none() {
        let most = grouped(usize::try_from(MOST_STOCK).unwrap_or(usize::MAX));
        let message = format!("{} is no number of pieces", quoted(text));
        let problem = Problem::new(&rules::STOCK, field.value.span, message)
            .help(format!("write digits only, from 0 (sold out) to {most}: `stock: 500`"));
        decoder.report.push(problem);
    }
    stock
}
