//! Colours and alignment: the same everywhere.

use std::fmt::Display;

use anstream::adapter::strip_str;
use anstyle::{AnsiColor, Style};

pub(super) const ERROR: Style = AnsiColor::Red.on_default().bold();
pub(super) const WARNING: Style = AnsiColor::Yellow.on_default();
pub(super) const GOOD: Style = AnsiColor::Green.on_default();
pub(super) const NOTE: Style = AnsiColor::Cyan.on_default();
pub(super) const HEADING: Style = Style::new().bold();
/// The heading that clap gives to how a command is written.
pub(super) const USAGE: Style = Style::new().bold().underline();
pub(super) const DIM: Style = Style::new().dimmed();

/// Text whose lines after the first begin `columns` further in.
pub(super) fn hang(text: impl Display, columns: usize) -> String {
    let indent = format!("\n{}", " ".repeat(columns));
    // libpq begins its second lines with a tab.
    let text = text.to_string().replace('\t', "  ");
    text.trim_end().replace('\n', &indent)
}

/// Rows whose columns stand under each other, each row after `indent` blanks; the last column may be of any width.
///
/// A name with a line's end in it stays in its row: it would look like a row of ours.
pub(super) fn columns<const N: usize>(indent: usize, rows: &[[String; N]]) -> String {
    let in_one_line = |cell: &String| cell.replace('\n', "\\n");
    let rows: Vec<[String; N]> = rows
        .iter()
        .map(|row| row.each_ref().map(in_one_line))
        .collect();
    let width = |column: usize| {
        rows.iter()
            .map(|row| seen(&row[column]))
            .max()
            .unwrap_or_default()
    };
    let widths: Vec<usize> = (0..N).map(width).collect();
    let mut text = String::new();
    for row in &rows {
        let mut line = " ".repeat(indent);
        for (cell, width) in row.iter().zip(&widths) {
            line += cell;
            line += &" ".repeat(width - seen(cell) + 2);
        }
        text += line.trim_end();
        text.push('\n');
    }
    text
}

/// The width of a text without its styles.
fn seen(text: &str) -> usize {
    strip_str(text).to_string().chars().count()
}
