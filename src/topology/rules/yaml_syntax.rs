//! The text is no YAML, or YAML that no topology needs.

use super::Rule;
use crate::topology::problem::Code;

pub(crate) const RULE: Rule = Rule {
    code: Code(1),
    title: "the file is not valid YAML",
    why: "Nothing else can be checked until the file can be read. The place that is shown is where the \
          reader gave up; the mistake is there or a line above. Tabs cannot indent, one file holds one \
          document, and aliases may not multiply a file without end.",
    wrong: "version: 1\ntopics:\n  - name: orders\n   partitions: 3\n",
    right: "version: 1\nallow: [KF060, KF062]\ntopics:\n  - name: orders\n    partitions: 3\n",
    ..Rule::ERROR
};
