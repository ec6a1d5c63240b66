//! The report of table and index sizes, for people.

use super::{
    Report,
    style::{DIM, HEADING, WARNING, columns},
};
use crate::{
    operations::size::{IndexSize, Sizes, TableSize},
    words::count,
};

impl Report for Sizes {
    fn text(&self) -> String {
        let head = |words: [&str; 5]| words.map(|word| format!("{DIM}{word}{DIM:#}"));
        let mut tables = vec![head(["table", "size", "indexes", "rows", "dead rows"])];
        tables.extend(self.tables.iter().map(|table| {
            let TableSize {
                name,
                bytes: size,
                index_bytes,
                rows,
                dead_rows,
            } = table;
            let many = *dead_rows > 1_000 && *dead_rows > rows / 5;
            let dead = if many {
                format!("{WARNING}{dead_rows}{WARNING:#}")
            } else {
                dead_rows.to_string()
            };
            [
                name.clone(),
                bytes(*size),
                bytes(*index_bytes),
                format!("about {rows}"),
                dead,
            ]
        }));
        let mut indexes = vec![head(["index", "size", "scans", "of", ""])];
        indexes.extend(self.indexes.iter().map(|index| {
            let remark = match index {
                IndexSize { valid: false, .. } => format!("{WARNING}INVALID{WARNING:#}"),
                index if index.is_unused() => format!("{WARNING}unused{WARNING:#}"),
                _ => String::new(),
            };
            [
                index.name.clone(),
                bytes(index.bytes),
                index.scans.to_string(),
                index.table.clone(),
                remark,
            ]
        }));
        let unused = self.indexes.iter().filter(|index| index.is_unused());
        let invalid = self.indexes.iter().filter(|index| !index.valid);
        format!("{HEADING}tables{HEADING:#}\n")
            + &columns(2, &tables)
            + &format!("{HEADING}indexes{HEADING:#}\n")
            + &columns(2, &indexes)
            + &format!(
                "{} in all; {}, {}, of which {} unused and {} invalid\n",
                bytes(self.bytes),
                count(self.tables.len(), "table"),
                if self.indexes.len() == 1 {
                    "1 index".to_owned()
                } else {
                    format!("{} indexes", self.indexes.len())
                },
                unused.count(),
                invalid.count()
            )
    }
}

/// `8192 bytes`, `24 kB`, `3.1 MB`: in steps of 1024, as Postgres counts.
fn bytes(number: i64) -> String {
    let mut left = number;
    let mut rest = 0;
    for unit in ["bytes", "kB", "MB", "GB", "TB"] {
        if left < 1_024 || unit == "TB" {
            let tenth = rest * 10 / 1_024;
            return if unit == "bytes" || left >= 100 {
                format!("{left} {unit}")
            } else {
                format!("{left}.{tenth} {unit}")
            };
        }
        rest = left % 1_024;
        left /= 1_024;
    }
    number.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_short() {
        for (number, text) in [
            (0, "0 bytes"),
            (1_023, "1023 bytes"),
            (8_192, "8.0 kB"),
            (1_600_000, "1.5 MB"),
            (500 << 30, "500 GB"),
        ] {
            assert_eq!(bytes(number), text);
        }
    }
}
