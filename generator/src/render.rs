//! Statements as a person reads them: one English line above each, and a line for each hazard.

use trueup::{Statement, one_line};

/// Writes statements as a text that psql and Diesel run as it is.
pub fn sql<'a>(statements: impl IntoIterator<Item = &'a Statement>) -> String {
    let mut text = String::new();
    let mut heading = None;
    for statement in statements {
        // Several statements may do one thing.
        if heading != Some(statement.says()) || !statement.hazards().is_empty() {
            if !text.is_empty() {
                text.push('\n');
            }
            for one in statement.apart() {
                text += &format!("-- {}\n", one.says());
            }
        }
        heading = Some(statement.says());
        for hazard in statement.hazards() {
            text += &format!("-- hazard: {}\n", one_line(&hazard.to_string()));
        }
        text += statement.sql();
        text += ";\n";
    }
    text
}
