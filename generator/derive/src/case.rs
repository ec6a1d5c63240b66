//! The cases in which a variant's name can become a label, by the names that serde gave them.

/// Letter case of a variant's label.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Case {
    Lower,
    Upper,
    Pascal,
    Camel,
    Snake,
    ScreamingSnake,
    Kebab,
    ScreamingKebab,
}

/// Each case by its name, which is written in it.
pub(crate) const CASES: &[(&str, Case)] = &[
    ("lowercase", Case::Lower),
    ("UPPERCASE", Case::Upper),
    ("PascalCase", Case::Pascal),
    ("camelCase", Case::Camel),
    ("snake_case", Case::Snake),
    ("SCREAMING_SNAKE_CASE", Case::ScreamingSnake),
    ("kebab-case", Case::Kebab),
    ("SCREAMING-KEBAB-CASE", Case::ScreamingKebab),
];

impl Case {
    /// Writes the name of a variant, which is in PascalCase, in this case.
    pub(crate) fn apply(self, variant: &str) -> String {
        match self {
            Self::Lower => variant.to_lowercase(),
            Self::Upper => variant.to_uppercase(),
            Self::Pascal => variant.to_owned(),
            Self::Camel => {
                let mut letters = variant.chars();
                letters
                    .next()
                    .map(|first| first.to_lowercase().chain(letters).collect())
                    .unwrap_or_default()
            }
            Self::Snake => words(variant, '_'),
            Self::ScreamingSnake => words(variant, '_').to_uppercase(),
            Self::Kebab => words(variant, '-'),
            Self::ScreamingKebab => words(variant, '-').to_uppercase(),
        }
    }
}

/// Every capital begins a word, as in serde and Diesel.
fn words(variant: &str, separator: char) -> String {
    let mut words = String::new();
    for (position, letter) in variant.char_indices() {
        if position > 0 && letter.is_uppercase() {
            words.push(separator);
        }
        words.extend(letter.to_lowercase());
    }
    words
}

#[cfg(test)]
mod tests {
    use super::CASES;

    #[test]
    fn a_name_in_every_case() {
        let labels: Vec<String> = CASES
            .iter()
            .map(|(_, case)| case.apply("OutOfOrder"))
            .collect();
        assert_eq!(
            labels,
            [
                "outoforder",
                "OUTOFORDER",
                "OutOfOrder",
                "outOfOrder",
                "out_of_order",
                "OUT_OF_ORDER",
                "out-of-order",
                "OUT-OF-ORDER"
            ]
        );
    }
}
