//! Texts of several migrations, one behind the other.

use crate::postgres::connection::ended;

/// A text, and from which migration each part of it is.
#[derive(Debug, Default)]
pub(super) struct Text {
    sql: String,
    /// The line at which the part of each begins, from 1, with the migration's place and name.
    parts: Vec<(usize, usize, String)>,
}

impl Text {
    /// A text that was made as a whole.
    pub(super) fn whole(sql: String) -> Self {
        Self {
            sql,
            parts: Vec::new(),
        }
    }

    /// Adds the text of a migration, which is the one at this place of its range.
    pub(super) fn add(&mut self, at: usize, name: &str, sql: &str) {
        if !self.sql.is_empty() {
            self.sql.push('\n');
        }
        let line = self.sql.matches('\n').count() + 1;
        self.parts.push((line, at, name.to_owned()));
        self.sql += &format!("-- From {name}\n\n{}", ended(sql.trim_start()));
    }

    pub(super) fn sql(&self) -> &str {
        &self.sql
    }

    /// The place and the name of the migration that a line is from.
    pub(super) fn owner(&self, line: Option<usize>) -> Option<(usize, &str)> {
        let line = line?;
        let mut parts = self.parts.iter().rev();
        let (_, at, name) = parts.find(|(begin, _, _)| *begin <= line)?;
        Some((*at, name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_has_its_owner() {
        let mut text = Text::default();
        text.add(0, "a", "SELECT 1");
        text.add(1, "b", "SELECT\n2;");
        assert_eq!(
            text.sql(),
            "-- From a\n\nSELECT 1\n;\n\n-- From b\n\nSELECT\n2;\n"
        );
        let owner = |line| text.owner(Some(line)).map(|(at, _)| at);
        assert_eq!(
            (owner(1), owner(4), owner(6), owner(9)),
            (Some(0), Some(0), Some(1), Some(1))
        );
        assert_eq!(text.owner(None), None);
    }
}
