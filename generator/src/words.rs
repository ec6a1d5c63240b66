//! Words for people: counted things, and names that are like one that does not exist.

/// `1 migration`, `2 migrations`.
pub(crate) fn count(number: usize, thing: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {thing}{plural}")
}

/// The most alike of some names, at most three; of each pair the first is compared and the second is told.
pub(crate) fn most_like(
    wanted: &str,
    names: impl IntoIterator<Item = (String, String)>,
) -> Vec<String> {
    let mut near: Vec<(u32, String)> = names
        .into_iter()
        .map(|(short, name)| (likeness(wanted, &short), name))
        .filter(|(likeness, _)| *likeness >= 50)
        .collect();
    near.sort();
    near.dedup();
    near.sort_by(|(one, name), (other, other_name)| {
        other.cmp(one).then_with(|| name.cmp(other_name))
    });
    let best = near.first().map_or(0, |(best, _)| *best);
    let alike = near
        .into_iter()
        .take_while(|(likeness, _)| likeness + 20 >= best);
    alike.take(3).map(|(_, name)| name).collect()
}

/// The similarity of two names, in percent.
pub(crate) fn likeness(one: &str, other: &str) -> u32 {
    let likeness = strsim::normalized_damerau_levenshtein(one, other);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it lies between 0 and 1"
    )]
    let of_a_hundred = (likeness * 100.0) as u32;
    of_a_hundred
}
