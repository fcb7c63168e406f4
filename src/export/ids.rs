//! Identifiers made of names.

use std::collections::HashSet;

/// Gives out identifiers, each only once.
#[derive(Debug)]
pub(super) struct Ids {
    allowed: fn(char) -> bool,
    given: HashSet<String>,
}

impl Ids {
    /// Identifiers of the characters that are `allowed`, and `_`.
    pub(super) fn of(allowed: fn(char) -> bool) -> Self {
        Self { allowed, given: HashSet::new() }
    }

    /// The name with `_` for what is not allowed; numbered where two names would become one.
    pub(super) fn give(&mut self, name: &str) -> String {
        let plain: String = name.chars().map(|c| if (self.allowed)(c) { c } else { '_' }).collect();
        let mut id = plain.clone();
        let mut number = 1;
        while !self.given.insert(id.clone()) {
            number += 1;
            id = format!("{plain}_{number}");
        }
        id
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_names_never_become_one() {
        let mut ids = Ids::of(|c| c.is_ascii_alphanumeric());
        let names = ["a.b", "a-b", "a_b_2", "a b", "ä\"", ""];
        let given = names.map(|name| ids.give(name));
        assert_eq!(given, ["a_b", "a_b_2", "a_b_2_2", "a_b_3", "__", ""]);
    }
}
