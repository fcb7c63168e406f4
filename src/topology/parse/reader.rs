//! YAML text to a tree. What the YAML parser refuses ends the reading; everything else (duplicate
//! keys, unknown aliases, odd keys) is reported and read past.

use std::borrow::Cow;
use std::collections::HashMap;
use std::rc::Rc;

use granit_parser::{Event, Parser, ScalarStyle, Span as ParserSpan, Tag};

use super::syntax;
use super::tree::{Entry, Kind, Node};
use crate::text::{Lines, Span, quoted};
use crate::topology::problem::{Problem, Report};
use crate::topology::rules::{yaml_duplicate_key, yaml_syntax};

/// No topology nests deeper than a dozen levels; a limit keeps hostile files from the stack.
pub(super) const MOST_LEVELS: usize = 64;
/// What aliases may multiply a file by, in bytes of text and nodes: far above any real file, far
/// below what hurts.
const MOST_ALIASED: usize = 16 << 20;
/// What a node costs beside its text.
const NODE_COST: usize = 16;

/// Reads one document. `None`: the text is no YAML, or has no document; reported.
pub(crate) fn read<'a>(text: &'a str, lines: &Lines, report: &mut Report) -> Option<Node<'a>> {
    if let Some(problem) = syntax::unreadable_character(text) {
        report.push(problem);
        return None;
    }
    let mut options = granit_parser::Options::default();
    options.set_emit_comments(false);
    options.emit_unresolved_aliases = true;
    options.flow_nesting_limit = MOST_LEVELS;
    options.block_nesting_limit = MOST_LEVELS;
    let mut reader =
        Reader { text, lines, report, open: Vec::new(), anchors: HashMap::new(), aliased: 0, root: None };
    for event in Parser::new_from_str_with_options(text, options) {
        let step = match event {
            Ok((event, span)) => reader.step(event, &span),
            Err(error) => Err(Box::new(syntax::problem(text, &error))),
        };
        if let Err(problem) = step {
            reader.report.push(*problem);
            return None;
        }
    }
    reader.root
}

struct Reader<'a, 'r> {
    text: &'a str,
    lines: &'r Lines,
    report: &'r mut Report,
    open: Vec<Open<'a>>,
    anchors: HashMap<usize, Anchored<'a>>,
    aliased: usize,
    root: Option<Node<'a>>,
}

struct Anchored<'a> {
    node: Node<'a>,
    weight: usize,
    levels: usize,
}

/// A collection whose end has not come yet.
struct Open<'a> {
    start: usize,
    anchor: usize,
    weight: usize,
    /// Levels below this one.
    levels: usize,
    shape: Shape<'a>,
}

enum Shape<'a> {
    Sequence(Vec<Node<'a>>),
    Mapping {
        entries: Vec<Entry<'a>>,
        /// Maps merged in by `<<`, later ones weaker.
        merged: Vec<Rc<[Entry<'a>]>>,
        key: Option<Key<'a>>,
        seen: HashMap<Cow<'a, str>, Span>,
    },
}

enum Key<'a> {
    Text(Cow<'a, str>, Span),
    Merge(Span),
    /// Reported; its value is read and dropped.
    Broken,
}

type Step = Result<(), Box<Problem>>;

impl<'a> Reader<'a, '_> {
    fn step(&mut self, event: Event<'a>, span: &ParserSpan) -> Step {
        let span = place(self.text, span);
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let kind = self.scalar(text, style, tag.as_deref(), span);
                let weight = NODE_COST + span.end.saturating_sub(span.start);
                self.add(Node { span, kind }, anchor, weight, 0, style == ScalarStyle::Plain)
            }
            Event::SequenceStart(_, anchor, tag) => {
                self.tagged(tag.as_deref(), span);
                self.open(span, anchor, Shape::Sequence(Vec::new()))
            }
            Event::MappingStart(_, anchor, tag) => {
                self.tagged(tag.as_deref(), span);
                self.open(
                    span,
                    anchor,
                    Shape::Mapping {
                        entries: Vec::new(),
                        merged: Vec::new(),
                        key: None,
                        seen: HashMap::new(),
                    },
                )
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(span),
            Event::Alias(id) => self.alias(id, span),
            Event::UnresolvedAlias(name) => {
                self.report.push(
                    Problem::new(
                        &yaml_syntax::RULE,
                        span,
                        format!("{} is not defined before this line", quoted(&format!("*{name}"))),
                    )
                    .help(format!("mark the value that it stands for with `&{name}` first")),
                );
                self.add(Node { span, kind: Kind::Broken }, 0, NODE_COST, 0, false)
            }
            Event::DocumentStart(..) if self.root.is_some() => Err(Box::new(
                Problem::new(&yaml_syntax::RULE, span, "a second document begins here")
                    .label("only one document a file")
                    .help("remove this line, or move what follows into a file of its own"),
            )),
            _ => Ok(()),
        }
    }

    fn scalar(&mut self, text: Cow<'a, str>, style: ScalarStyle, tag: Option<&Tag>, span: Span) -> Kind<'a> {
        self.tagged(tag, span);
        let is_text = tag.is_some_and(|tag| tag.is_yaml_core_schema_tag("str"));
        if style == ScalarStyle::Plain && !is_text && is_null(&text) {
            return Kind::Null;
        }
        Kind::Scalar(text)
    }

    fn tagged(&mut self, tag: Option<&Tag>, span: Span) {
        let Some(tag) = tag.filter(|tag| !tag.is_yaml_core_schema()) else {
            return;
        };
        self.report.push(
            Problem::new(
                &yaml_syntax::RULE,
                span,
                format!("the tag {} means nothing here", quoted(&tag.original())),
            )
            .help("remove the tag"),
        );
    }

    fn open(&mut self, span: Span, anchor: usize, shape: Shape<'a>) -> Step {
        if self.open.len() >= MOST_LEVELS {
            return Err(Box::new(too_deep(span)));
        }
        self.open.push(Open { start: span.start, anchor, weight: NODE_COST, levels: 0, shape });
        Ok(())
    }

    fn close(&mut self, span: Span) -> Step {
        let Some(open) = self.open.pop() else {
            return Ok(());
        };
        let kind = match open.shape {
            Shape::Sequence(items) => Kind::Sequence(items.into()),
            Shape::Mapping { mut entries, merged, mut seen, .. } => {
                for entry in merged.iter().flat_map(|map| map.iter()) {
                    if seen.insert(entry.key.clone(), entry.key_span).is_none() {
                        entries.push(entry.clone());
                    }
                }
                Kind::Mapping(entries.into())
            }
        };
        let span = Span::new(open.start, span.end.max(open.start));
        self.add(Node { span, kind }, open.anchor, open.weight, open.levels + 1, false)
    }

    fn alias(&mut self, id: usize, span: Span) -> Step {
        let Some(anchored) = self.anchors.get(&id) else {
            self.report.push(
                Problem::new(&yaml_syntax::RULE, span, "this alias stands inside its own value")
                    .help("write the value out"),
            );
            return self.add(Node { span, kind: Kind::Broken }, 0, NODE_COST, 0, false);
        };
        let (weight, levels) = (anchored.weight, anchored.levels);
        let node = Node { span, kind: anchored.node.kind.clone() };
        self.aliased = self.aliased.saturating_add(weight);
        if self.aliased > MOST_ALIASED {
            return Err(Box::new(
                Problem::new(&yaml_syntax::RULE, span, "the aliases of this file repeat too much")
                    .label("with this one, aliases stand for more than 16 MiB of text")
                    .help("write the values out, or put what is common into `defaults:`"),
            ));
        }
        self.add(node, 0, weight, levels, false)
    }

    /// Puts a finished node where it belongs. `levels`: how deep it nests; `plain`: a scalar
    /// without quotes.
    fn add(&mut self, node: Node<'a>, anchor: usize, weight: usize, levels: usize, plain: bool) -> Step {
        if self.open.len() + levels > MOST_LEVELS {
            return Err(Box::new(too_deep(node.span)));
        }
        if anchor != 0 {
            let node = node.clone();
            self.anchors.insert(anchor, Anchored { node, weight, levels });
        }
        let Some(parent) = self.open.last_mut() else {
            self.root = Some(node);
            return Ok(());
        };
        parent.weight = parent.weight.saturating_add(weight);
        parent.levels = parent.levels.max(levels);
        match &mut parent.shape {
            Shape::Sequence(items) => items.push(node),
            Shape::Mapping { entries, merged, key, seen } => match key.take() {
                None => *key = Some(self::key(node, plain, seen, self.lines, self.report)),
                Some(Key::Text(key, key_span)) => entries.push(Entry { key, key_span, value: node }),
                Some(Key::Merge(span)) => merge(&node, span, merged, self.report),
                Some(Key::Broken) => {}
            },
        }
        Ok(())
    }
}

/// Reads a key and remembers it, so that the second one of a name is reported.
fn key<'a>(
    node: Node<'a>,
    plain: bool,
    seen: &mut HashMap<Cow<'a, str>, Span>,
    lines: &Lines,
    report: &mut Report,
) -> Key<'a> {
    let text = match node.kind {
        Kind::Scalar(text) if plain && text == "<<" => return Key::Merge(node.span),
        Kind::Scalar(text) => text,
        Kind::Broken => return Key::Broken,
        _ => {
            report.push(
                Problem::new(
                    &yaml_syntax::RULE,
                    node.span,
                    format!("a key has to be a word, not {}", node.describe()),
                )
                .help("write `key: value`; quote a key that YAML reads as something else"),
            );
            return Key::Broken;
        }
    };
    if let Some(first) = seen.get(&text) {
        report.push(
            Problem::new(
                &yaml_duplicate_key::RULE,
                node.span,
                format!(
                    "{} is given twice; the first one is on line {}",
                    quoted(&text),
                    lines.line(first.start)
                ),
            )
            .label("given again")
            .also(*first, "first given here")
            .help("remove one of them; most readers of YAML would silently keep the last"),
        );
        return Key::Broken;
    }
    seen.insert(text.clone(), node.span);
    Key::Text(text, node.span)
}

/// `<<: *base` and `<<: [*one, *two]`, as YAML 1.1 has them.
fn merge<'a>(node: &Node<'a>, span: Span, merged: &mut Vec<Rc<[Entry<'a>]>>, report: &mut Report) {
    let mut refuse = |node: &Node<'_>| {
        report.push(
            Problem::new(
                &yaml_syntax::RULE,
                node.span,
                format!("`<<` merges mappings, and this is {}", node.describe()),
            )
            .also(span, "merged by this key")
            .help("write `<<: *name` for a mapping marked `&name`"),
        );
    };
    match &node.kind {
        Kind::Mapping(entries) => merged.push(Rc::clone(entries)),
        Kind::Sequence(items) => {
            for item in items.iter() {
                match &item.kind {
                    Kind::Mapping(entries) => merged.push(Rc::clone(entries)),
                    Kind::Broken => {}
                    _ => refuse(item),
                }
            }
        }
        Kind::Broken => {}
        _ => refuse(node),
    }
}

fn too_deep(span: Span) -> Problem {
    Problem::new(&yaml_syntax::RULE, span, "this file nests too deeply")
        .label(format!("more than {MOST_LEVELS} levels"))
        .help("a file needs about ten levels; look for a bracket that is never closed")
}

fn is_null(text: &str) -> bool {
    matches!(text, "" | "~" | "null" | "Null" | "NULL")
}

fn place(text: &str, span: &ParserSpan) -> Span {
    let start = syntax::offset(text, &span.start);
    let end = syntax::offset(text, &span.end);
    Span::new(start, end.max(start))
}
