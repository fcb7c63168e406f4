//! What links to the headings of the page, as GitHub names them.

use std::collections::{HashMap, HashSet};

use crate::text::{code, escaped};

/// The sections that something links to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Section {
    Topic,
    Event,
    Service,
}

#[derive(Debug, Default)]
pub(super) struct Anchors<'a> {
    by_heading: HashMap<(Section, &'a str), String>,
    given: HashSet<String>,
}

impl<'a> Anchors<'a> {
    /// Takes the next heading of the page; `section`: what links to it.
    pub(super) fn heading(&mut self, text: &'a str, section: Option<Section>) {
        let plain = slug(text);
        let mut anchor = plain.clone();
        let mut number = 0;
        while !self.given.insert(anchor.clone()) {
            number += 1;
            anchor = format!("{plain}-{number}");
        }
        if let Some(section) = section {
            self.by_heading.insert((section, text), anchor);
        }
    }

    /// A link to a section; the name alone where the page has no such section.
    pub(super) fn link(&self, section: Section, name: &str) -> String {
        let shown = match section {
            Section::Topic | Section::Event => code(name),
            Section::Service => escaped(name),
        };
        match self.by_heading.get(&(section, name)) {
            Some(anchor) => format!("[{shown}](#{anchor})"),
            None => shown,
        }
    }
}

/// In lower case, without punctuation, blanks as hyphens.
fn slug(text: &str) -> String {
    let kept = text.chars().filter_map(|c| match c {
        ' ' => Some('-'),
        c if c.is_alphanumeric() || matches!(c, '-' | '_') => Some(c),
        _ => None,
    });
    kept.flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_are_linked_to_as_github_names_them() {
        let mut anchors = Anchors::default();
        anchors.heading("Topics", None);
        anchors.heading("order-service.Order_placed", Some(Section::Topic));
        anchors.heading("Topics", Some(Section::Event));
        anchors.heading("Billing & Co", Some(Section::Service));
        for (section, name, link) in [
            (
                Section::Topic,
                "order-service.Order_placed",
                "[`order-service.Order_placed`](#order-serviceorder_placed)",
            ),
            (Section::Event, "Topics", "[`Topics`](#topics-1)"),
            (Section::Service, "Billing & Co", "[Billing &amp; Co](#billing--co)"),
            (Section::Topic, "elsewhere", "`elsewhere`"),
        ] {
            assert_eq!(anchors.link(section, name), link);
        }
    }
}
