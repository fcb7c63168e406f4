//! The judge's errors as violations at their places.

use jsonschema::ValidationError;
use jsonschema::error::ValidationErrorKind as Kind;

use super::expected::expected;
use crate::schema::Violation;
use crate::schema::json::{Kind as NodeKind, Node, escaped};
use crate::text::{Span, nearest, quoted};

/// Violations that are said of one document.
const MOST: usize = 100;

/// Everything that the judge finds wrong with a document, in the order of the places.
pub(crate) fn violations(validator: &jsonschema::Validator, text: &[u8], root: &Node) -> Vec<Violation> {
    let value = root.to_value();
    let mut found = Vec::new();
    for error in validator.iter_errors(&value).take(MOST) {
        explain(&error, text, root, &mut found);
    }
    found.sort_by(|a, b| (a.place.start, &a.pointer, &a.rule).cmp(&(b.place.start, &b.pointer, &b.rule)));
    found.dedup();
    found
}

/// Adds what one error of the judge means.
pub(crate) fn explain(error: &ValidationError<'_>, text: &[u8], root: &Node, found: &mut Vec<Violation>) {
    let pointer = error.instance_path().as_str().to_owned();
    let node = root.at(&pointer).unwrap_or(root);
    let kind = error.kind();
    let violation = |pointer: String, span: Span, shown: String| Violation {
        pointer,
        place: span.start..span.end,
        rule: if matches!(kind, Kind::FalseSchema) { "not-allowed" } else { kind.keyword() }.to_owned(),
        expected: expected(kind, error.instance_path().as_str()),
        found: shown,
        help: None,
    };
    match kind {
        Kind::AnyOf { context } | Kind::OneOfNotValid { context } => match only_likely(context, &pointer) {
            Some(errors) => {
                for error in errors {
                    explain(error, text, root, found);
                }
            }
            None => found.push(violation(pointer, node.span, shown(node, text))),
        },
        Kind::AdditionalProperties { unexpected } | Kind::UnevaluatedProperties { unexpected } => {
            for name in unexpected {
                let Some(member) = node.member(name) else { continue };
                let pointer = format!("{pointer}/{}", escaped(name));
                found.push(violation(pointer, member.name_span, quoted(name)));
            }
        }
        Kind::PropertyNames { error: inner } => {
            let name = inner.instance().as_str().unwrap_or_default().to_owned();
            let span = node.member(&name).map_or(node.span, |member| member.name_span);
            found.push(violation(pointer, span, quoted(&name)));
        }
        Kind::Required { property } => {
            let name = property.as_str().unwrap_or_default();
            let names = node.members().iter().map(|member| member.name.as_str());
            let likely = nearest(name, names).and_then(|likely| node.member(likely));
            let mut missing = match likely {
                Some(member) => violation(pointer, member.name_span, quoted(&member.name)),
                None => violation(pointer, opening(node), "none of that name".to_owned()),
            };
            if likely.is_some() {
                missing.help = Some(format!("rename it to {}, or add the property", quoted(name)));
            }
            found.push(missing);
        }
        Kind::FalseSchema => {
            let mut refused = violation(pointer, node.span, shown(node, text));
            refused.help = Some("leave the property out".to_owned());
            found.push(refused);
        }
        Kind::MinItems { .. } | Kind::MaxItems { .. } | Kind::AdditionalItems { .. } => {
            let count = node.items().len();
            found.push(violation(pointer, opening(node), count.to_string()));
        }
        Kind::MinProperties { .. } | Kind::MaxProperties { .. } => {
            found.push(violation(pointer, opening(node), node.members().len().to_string()));
        }
        Kind::MinLength { .. } | Kind::MaxLength { .. } => {
            let count = node.as_str().map_or(0, |text| text.chars().count());
            let shown = format!("{count}: {}", quoted(node.as_str().unwrap_or_default()));
            found.push(violation(pointer, node.span, if count == 0 { "none".to_owned() } else { shown }));
        }
        Kind::UniqueItems => {
            let items = node.items();
            let equal =
                |at: usize| items[..at].iter().position(|item| item.to_value() == items[at].to_value());
            let twin = (1..items.len()).find_map(|at| Some((equal(at)?, at)));
            let (span, what) = match twin {
                Some((first, again)) => {
                    (items[again].span, format!("element {again} is the same as element {first}"))
                }
                None => (opening(node), "equal ones".to_owned()),
            };
            found.push(violation(pointer, span, what));
        }
        Kind::Type { .. } => {
            let what = match node.kind {
                NodeKind::Null | NodeKind::Object(_) | NodeKind::Array(_) => node.kind_name().to_owned(),
                _ => format!("{} {}", node.kind_name(), shown(node, text)),
            };
            let span = if matches!(node.kind, NodeKind::Object(_) | NodeKind::Array(_)) {
                opening(node)
            } else {
                node.span
            };
            found.push(violation(pointer, span, what));
        }
        _ => found.push(violation(pointer, node.span, shown(node, text))),
    }
}

/// Of alternatives the one that was meant: the only one that does not refuse the value for its type.
fn only_likely<'e>(
    context: &'e [Vec<ValidationError<'static>>],
    pointer: &str,
) -> Option<&'e [ValidationError<'static>]> {
    let of_another_type = |errors: &[ValidationError<'static>]| match errors {
        [error] => matches!(error.kind(), Kind::Type { .. }) && error.instance_path().as_str() == pointer,
        _ => false,
    };
    let mut likely = context.iter().filter(|errors| !of_another_type(errors));
    match (likely.next(), likely.next()) {
        (Some(errors), None) if context.len() > 1 && !errors.is_empty() => Some(errors),
        _ => None,
    }
}

/// The bracket with which an object or an array begins: all of it would be too much to underline.
fn opening(node: &Node) -> Span {
    match node.kind {
        NodeKind::Object(_) | NodeKind::Array(_) => Span::new(node.span.start, node.span.start + 1),
        _ => node.span,
    }
}

/// A value as it is written, for a message.
fn shown(node: &Node, text: &[u8]) -> String {
    match &node.kind {
        NodeKind::Object(_) | NodeKind::Array(_) => node.kind_name().to_owned(),
        _ => quoted(&String::from_utf8_lossy(&text[node.span.start..node.span.end])),
    }
}
