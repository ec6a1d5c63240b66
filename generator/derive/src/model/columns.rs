//! The names of a model's columns, by which its attributes refer to them.

use std::collections::BTreeSet;

use syn::Ident;

use crate::mistakes::Mistakes;
use crate::place::unraw;

/// The fields of a model and the columns that they are.
pub(crate) struct Columns {
    /// In the order of the fields.
    names: Vec<(String, String)>,
}

impl Columns {
    /// From pairs of field and column.
    pub(crate) fn new(names: impl IntoIterator<Item = (String, String)>) -> Self {
        Self {
            names: names.into_iter().collect(),
        }
    }

    /// The column that an attribute means: a field of that name, else a column of that name, which is how Diesel's
    /// attributes put it.
    fn find(&self, word: &Ident) -> Option<&str> {
        let word = unraw(word);
        let field = self.names.iter().find(|(field, _)| *field == word);
        let found = field.or_else(|| self.names.iter().find(|(_, column)| *column == word));
        found.map(|(_, column)| column.as_str())
    }

    /// The column's name. [`Columns::check`] has seen to it that there is one.
    pub(crate) fn name(&self, word: &Ident) -> &str {
        self.find(word).unwrap_or_default()
    }

    pub(crate) fn names(&self, words: &[Ident]) -> Vec<&str> {
        words.iter().map(|word| self.name(word)).collect()
    }

    /// Every word must be a column, and none may come twice.
    pub(crate) fn check<'a>(
        &self,
        words: impl IntoIterator<Item = &'a Ident>,
        mistakes: &Mistakes,
    ) {
        let mut seen = BTreeSet::new();
        for word in words {
            match self.find(word) {
                Some(column) if seen.insert(column) => {}
                Some(_) => mistakes.at(word, format!("`{word}` is listed twice")),
                None => mistakes.at(
                    word,
                    format!("no column `{word}`; there are: {}", self.list()),
                ),
            }
        }
    }

    fn list(&self) -> String {
        let fields: Vec<&str> = self.names.iter().map(|(field, _)| field.as_str()).collect();
        fields.join(", ")
    }
}
