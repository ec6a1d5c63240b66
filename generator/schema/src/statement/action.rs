//! Actions of ALTER TABLE that rewrite or scan the table: several that stand in one statement share the work.

use std::fmt::Display;

/// Pass in which Postgres runs an action among the others of its ALTER TABLE, wherever it stands there: `AlterTablePass` in
/// `src/backend/commands/tablecmds.c`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Pass {
    /// Types are changed first. A USING reads every column as it was before the statement.
    Retype,
    /// Columns are added.
    AddColumn,
    /// Constraints are added, NOT NULL included.
    Constrain,
    /// Constraints are validated, under a lock of their own that lets others read and write.
    Validate,
}

/// One action of an ALTER TABLE.
#[derive(Clone, PartialEq, Eq, Debug)]
#[must_use]
pub struct Action {
    table: String,
    words: String,
    using: Option<String>,
    pass: Pass,
}

impl Action {
    /// An action on `table`, as it stands after ALTER TABLE; `words` are the rest.
    pub fn new(table: impl Display, pass: Pass, words: impl Into<String>) -> Self {
        Self {
            table: table.to_string(),
            words: words.into(),
            using: None,
            pass,
        }
    }

    /// The action that validates a constraint, as it stands in SQL.
    pub fn validate(table: impl Display, constraint: &str) -> Self {
        let words = format!("VALIDATE CONSTRAINT {constraint}");
        Self::new(table, Pass::Validate, words)
    }

    /// Adds a USING that reads better on a line of its own.
    pub fn using(mut self, expression: impl Into<String>) -> Self {
        self.using = Some(expression.into());
        self
    }

    /// The table, as it stands after ALTER TABLE.
    #[must_use]
    pub fn table(&self) -> &str {
        &self.table
    }

    /// Pass in which Postgres runs it.
    #[must_use]
    pub fn pass(&self) -> Pass {
        self.pass
    }

    /// The action with its lines below the first indented this deep.
    fn text(&self, indent: &str) -> String {
        let using = self.using.as_ref();
        let using = using.map(|using| format!("\n{indent}USING {using}"));
        format!("{}{}", self.words, using.unwrap_or_default())
    }

    /// The ALTER TABLE that does this alone.
    pub(super) fn alone(&self) -> String {
        format!("ALTER TABLE {} {}", self.table, self.text(INDENT))
    }

    /// The ALTER TABLE that does several, all on one table: each begins a line.
    pub(super) fn together<'a>(actions: impl IntoIterator<Item = &'a Self>) -> String {
        let mut sql = String::new();
        for action in actions {
            sql += &if sql.is_empty() {
                format!("ALTER TABLE {}\n", action.table)
            } else {
                ",\n".to_owned()
            };
            sql += INDENT;
            sql += &action.text(&INDENT.repeat(2));
        }
        sql
    }
}

const INDENT: &str = "    ";
