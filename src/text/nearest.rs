//! "Did you mean".

/// The candidate that someone who typed `word` most likely meant.
pub(crate) fn nearest<'c>(word: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    // Of short words every other one is near.
    let farthest = match word.chars().count() {
        0..=2 => 0,
        length => (length / 3).clamp(1, 6),
    };
    let word = word.to_ascii_lowercase();
    let mut best: Option<(usize, &str)> = None;
    for candidate in candidates {
        if candidate.len().abs_diff(word.len()) > 24 || candidate.len() > 300 {
            continue;
        }
        let distance = strsim::damerau_levenshtein(&word, &candidate.to_ascii_lowercase());
        if distance <= farthest && best.is_none_or(|(least, _)| distance < least) {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_word_is_found_and_a_far_one_is_not() {
        let known = ["partitions", "retention", "replication"];
        assert_eq!(nearest("partitons", known), Some("partitions"));
        assert_eq!(nearest("Retentoin", known), Some("retention"));
        assert_eq!(nearest("colour", known), None);
        assert_eq!(nearest("a", ["b", "A"]), Some("A"));
    }
}
