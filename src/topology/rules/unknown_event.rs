//! Events without a schema.

use super::Rule;
use crate::text::quoted;
use crate::topology::draft::Draft;
use crate::topology::problem::{Code, Problem, Report};
use crate::topology::schemas::SchemaFiles;

pub(crate) const RULE: Rule = Rule {
    code: Code(51),
    title: "an event has no schema",
    why: "`schemas:` names the folder in which every event has a file `<Event>.v<N>.json` (JSON Schema). \
          An event without one is a misspelt name, or records that nobody can check. Without `schemas:` \
          in the file, events are only names.",
    wrong: "\
version: 1
schemas: schemas
services: { shop: {} }
topics:
  - name: shop.order-placed
    partitions: 3
    events: [OrderPlacd]
    producers: [shop]
    rationale: Orders as they are placed.
",
    right: "\
version: 1
schemas: schemas
services: { shop: {} }
topics:
  - name: shop.order-placed
    partitions: 3
    events: [OrderPlaced]
    producers: [shop]
    rationale: Orders as they are placed.
",
    ..Rule::ERROR
};

pub(crate) fn check(draft: &Draft, report: &mut Report) {
    let Some(folder) = draft.schemas.get() else {
        return;
    };
    let known = match &draft.schema_files {
        SchemaFiles::Unchecked => return,
        SchemaFiles::Unreadable(why) => {
            report.push(
                Problem::new(
                    &RULE,
                    folder.span,
                    format!("the folder {} cannot be read: {why}", quoted(&folder.value)),
                )
                .help("`schemas:` is a folder beside the topology file"),
            );
            return;
        }
        SchemaFiles::Known(known) => known,
    };
    for topic in draft.topics.iter().filter(|topic| topic.is_source()) {
        for event in topic.events.items() {
            if known.contains_key(&event.value) {
                continue;
            }
            let file = format!("{}/{}.v1.json", folder.value.trim_end_matches('/'), event.value);
            let help = report.did_you_mean(&event.value, known.keys().map(String::as_str), || {
                format!("write its JSON Schema into {}", quoted(&file))
            });
            report.push(
                Problem::new(&RULE, event.span, format!("the event {} has no schema", quoted(&event.value)))
                    .label(format!("no file {}", quoted(&file)))
                    .help(help),
            );
        }
    }
}
