//! One side of a pair, as SQL.

use super::shape::{Column, Family, Kind, Over, Pair, Parts, Table, Which};

const LABELS: [&str; 4] = ["low", "it's", "High", "none"];

/// Writes one side as SQL, without the features that this major version lacks.
pub(crate) fn side(pair: &Pair, which: Which, major: u32) -> String {
    let writer = Writer { pair, which, major };
    let mut statements = writer.enums();
    statements.extend(writer.sequences());
    for number in 0..pair.tables.len() {
        statements.extend(writer.table(number));
    }
    for number in 0..pair.tables.len() {
        statements.extend(writer.foreign_keys(number));
    }
    statements.extend(writer.views());
    if statements.is_empty() {
        return String::new();
    }
    statements.join(";\n") + ";\n"
}

struct Writer<'a> {
    pair: &'a Pair,
    which: Which,
    major: u32,
}

/// A column that is on the side.
struct Placed<'a> {
    name: String,
    family: u8,
    kind: &'a Kind,
}

impl Writer<'_> {
    fn enums(&self) -> Vec<String> {
        let mut statements = Vec::new();
        for (number, both) in self.pair.enums.iter().enumerate() {
            let Some(one) = both.on(self.which) else {
                continue;
            };
            let mut labels: Vec<&str> = (0..4)
                .filter(|bit| one.labels & (1 << bit) != 0)
                .map(|bit| LABELS[bit])
                .collect();
            let turned = usize::from(one.turned) % labels.len();
            labels.rotate_left(turned);
            let labels: Vec<String> = labels.into_iter().map(literal).collect();
            statements.push(format!(
                "CREATE TYPE e{number} AS ENUM ({})",
                labels.join(", ")
            ));
            statements.extend(comment(&format!("TYPE e{number}"), one.comment));
        }
        statements
    }

    fn sequences(&self) -> Vec<String> {
        let types = ["smallint", "integer", "bigint"];
        let mut statements = Vec::new();
        for (number, both) in self.pair.sequences.iter().enumerate() {
            if let Some(one) = both.on(self.which) {
                let cycle = if one.cycle { "CYCLE" } else { "NO CYCLE" };
                statements.push(format!(
                    "CREATE SEQUENCE q{number} AS {} INCREMENT {} {cycle}",
                    types[usize::from(one.data_type)],
                    one.increment
                ));
                statements.extend(comment(&format!("SEQUENCE q{number}"), one.comment));
            }
        }
        statements
    }

    fn placed<'b>(&self, parts: &'b Parts) -> Vec<Placed<'b>> {
        let columns = parts.columns.iter().enumerate();
        columns
            .filter_map(|(number, Column { family, sides })| {
                Some(Placed {
                    name: format!("c{number}"),
                    family: *family,
                    kind: sides.on(self.which)?,
                })
            })
            .filter(|column| self.data_type(column).is_some())
            .collect()
    }

    /// The type, where what it needs is there.
    fn data_type(&self, column: &Placed<'_>) -> Option<String> {
        let number = usize::from(column.kind.data_type);
        let of = |types: [&str; 5]| Some(types[number].to_owned());
        match column.family {
            0 => of(["smallint", "integer", "bigint", "numeric(12,2)", "text"]),
            1 => of(["text", "varchar(20)", "varchar(5)", "char(8)", "text"]),
            2 => of(["date", "timestamp", "timestamptz", "timestamp(0)", "text"]),
            3 => of(["boolean", "boolean", "text", "jsonb", "boolean"]).filter(|it| it != "jsonb"),
            _ => {
                let which = number % 2;
                let there = self.pair.enums.get(which)?.on(self.which).is_some();
                let array = if number == 4 { "[]" } else { "" };
                there.then(|| format!("e{which}{array}"))
            }
        }
    }

    fn table(&self, number: usize) -> Vec<String> {
        let Some(table) = self.pair.tables[number].on(self.which) else {
            return Vec::new();
        };
        let parts = &self.pair.parts[number];
        let columns = self.placed(parts);
        let lines = self.lines(number, table, &columns);
        let unlogged = if table.settings == 7 && !parts.are_parted() {
            "UNLOGGED "
        } else {
            ""
        };
        let with = match table.settings {
            _ if parts.are_parted() => " PARTITION BY RANGE (id)",
            1 => " WITH (fillfactor = 70)",
            2 => " WITH (fillfactor = 90, autovacuum_enabled = off)",
            _ => "",
        };
        let mut statements = vec![format!(
            "CREATE {unlogged}TABLE t{number} (\n    {}\n){with}",
            lines.join(",\n    ")
        )];
        statements.extend(self.family(number, &parts.family));
        statements.extend(self.indexes(number, &columns));
        statements.extend(self.statistics(number, &columns));
        statements.extend(self.remarks(number, &lines));
        statements.extend(comment(&format!("TABLE t{number}"), table.comment));
        for Placed { name, kind, .. } in &columns {
            statements.extend(comment(&format!("COLUMN t{number}.{name}"), kind.comment));
            let setting = match kind.setting {
                1 => "SET STATISTICS 50",
                2 => "SET (n_distinct = 5)",
                _ => continue,
            };
            statements.push(format!(
                "ALTER TABLE t{number} ALTER COLUMN {name} {setting}"
            ));
        }
        statements
    }

    /// The lines in a table's parentheses.
    fn lines(&self, number: usize, table: &Table, columns: &[Placed<'_>]) -> Vec<String> {
        let parts = &self.pair.parts[number];
        // Before 17 no partition has an identity.
        let id = if parts.are_parted() && self.major < 17 {
            0
        } else {
            table.id
        };
        let mut lines = vec![match id {
            0 => "id bigint NOT NULL".to_owned(),
            1 => "id bigint GENERATED ALWAYS AS IDENTITY".to_owned(),
            2 => "id bigint GENERATED BY DEFAULT AS IDENTITY (START 100 INCREMENT 5)".to_owned(),
            3 => "id bigserial".to_owned(),
            _ => "id serial".to_owned(),
        }];
        lines.extend(columns.iter().map(|column| self.column(column, columns)));
        if table.primary_key > 0 {
            lines.push("PRIMARY KEY (id)".to_owned());
        }
        let mut uniques: Vec<String> = Vec::new();
        for (which, both) in parts.uniques.iter().enumerate() {
            let over = both.on(self.which);
            let Some((over, list)) = over.and_then(|over| Some((over, list(over, columns)?)))
            else {
                continue;
            };
            let name = name(over, &format!("u{number}_{which}"));
            // A unique constraint of a partitioned table must include the partition key.
            let more = if parts.are_parted() { ", id" } else { "" };
            let nulls = if self.major >= 15 && over.how == 1 {
                " NULLS NOT DISTINCT"
            } else {
                ""
            };
            let timing = match over.how {
                2 => " DEFERRABLE",
                3 => " DEFERRABLE INITIALLY DEFERRED",
                _ => "",
            };
            // Of those that say the same in one CREATE TABLE, Postgres makes one.
            let said = format!("UNIQUE{nulls} ({list}{more}){timing}");
            if !uniques.contains(&said) {
                lines.push(format!("{name}{said}"));
                uniques.push(said);
            }
        }
        let checks = parts.checks.iter().enumerate();
        lines.extend(checks.filter_map(|(which, both)| {
            let over = both.on(self.which)?;
            let name = name(over, &format!("k{number}_{which}"));
            Some(format!("{name}CHECK ({})", condition(over, columns)?))
        }));
        lines
    }

    fn indexes(&self, number: usize, columns: &[Placed<'_>]) -> Vec<String> {
        let parts = &self.pair.parts[number];
        let all = parts.indexes.iter().enumerate();
        let indexes = all.filter_map(|(which, both)| {
            let over = both.on(self.which)?;
            let (name, said) = if over.named {
                let name = format!("i{number}_{which} ");
                let said = comment(&format!("INDEX {name}"), over.comment);
                (name, said)
            } else {
                (String::new(), None)
            };
            let list = list(over, columns)?;
            let what = match over.how {
                0 => format!("(({}))", condition(over, columns)?),
                1 => format!("({list}) WHERE {}", condition(over, columns)?),
                2 => format!("({list} DESC NULLS LAST)"),
                3 => format!("({list}) INCLUDE (id)"),
                _ => format!("({list})"),
            };
            let unique = if over.how == 4 && !parts.are_parted() {
                "UNIQUE "
            } else {
                ""
            };
            let make = format!("CREATE {unique}INDEX {name}ON t{number} {what}");
            Some([Some(make), said].into_iter().flatten())
        });
        indexes.flatten().collect()
    }

    /// The comments on the constraints that stand in a table's parentheses.
    fn remarks(&self, number: usize, lines: &[String]) -> Vec<String> {
        let parts = &self.pair.parts[number];
        let lists = [("u", &parts.uniques), ("k", &parts.checks)];
        let all = lists.into_iter().flat_map(|(letter, list)| {
            let list = list.iter().enumerate();
            list.map(move |(which, both)| (format!("{letter}{number}_{which}"), both))
        });
        all.filter_map(|(name, both)| {
            let over = both.on(self.which)?;
            let begin = format!("CONSTRAINT {name} ");
            let is_there = lines.iter().any(|line| line.starts_with(&begin));
            is_there.then(|| comment(&format!("{begin}ON t{number}"), over.comment))?
        })
        .collect()
    }

    /// The tables below a table.
    fn family(&self, number: usize, family: &Family) -> Vec<String> {
        match family {
            Family::None => Vec::new(),
            Family::Heir(both) => {
                let more = |more: &u8| {
                    if *more == 0 {
                        ""
                    } else {
                        "extra int DEFAULT 3"
                    }
                };
                let heir = both.on(self.which).map(more);
                let heir = heir.map(|more| {
                    format!("CREATE TABLE t{number}_heir ({more}) INHERITS (t{number})")
                });
                heir.into_iter().collect()
            }
            Family::Partitions(both) => {
                let bounds = [
                    "FOR VALUES FROM (MINVALUE) TO (100)",
                    "FOR VALUES FROM (100) TO (200)",
                    "DEFAULT",
                ];
                let count = both.on(self.which).map_or(1, |count| usize::from(*count));
                let one = |(which, bound)| {
                    format!("CREATE TABLE t{number}_p{which} PARTITION OF t{number} {bound}")
                };
                bounds
                    .into_iter()
                    .enumerate()
                    .take(count)
                    .map(one)
                    .collect()
            }
        }
    }

    fn statistics(&self, number: usize, columns: &[Placed<'_>]) -> Vec<String> {
        let all = self.pair.parts[number].statistics.iter().enumerate();
        let statistics = all.filter_map(|(which, both)| {
            let over = both.on(self.which)?;
            let one = &chosen(over.column, columns)?.name;
            let kinds = ["", " (ndistinct)", " (mcv, dependencies)"];
            let kinds = kinds[usize::from(over.how) % 3];
            let name = format!("s{number}_{which}");
            let make = format!("CREATE STATISTICS {name}{kinds} ON id, {one} FROM t{number}");
            let said = comment(&format!("STATISTICS {name}"), over.comment);
            Some([Some(make), said].into_iter().flatten())
        });
        statistics.flatten().collect()
    }

    fn views(&self) -> Vec<String> {
        let mut statements = Vec::new();
        let mut there: Vec<usize> = Vec::new();
        for (number, both) in self.pair.views.iter().enumerate() {
            let Some(view) = both.on(self.which) else {
                continue;
            };
            let table = usize::from(view.table) % self.pair.tables.len();
            if self.pair.tables[table].on(self.which).is_none() {
                continue;
            }
            let columns = self.placed(&self.pair.parts[table]);
            let column = chosen(view.column, &columns).map_or("id", |column| &column.name);
            let query = match (view.how, there.last()) {
                (1, _) => format!("SELECT id, lower({column}::text) AS word FROM t{table}"),
                (2, _) => format!("SELECT max(id) AS id, count({column}) AS many FROM t{table}"),
                (3, _) => format!("SELECT t.* FROM t{table} t WHERE t.{column} IS NOT NULL"),
                (4, Some(below)) => format!("SELECT id FROM v{below} WHERE id > 1"),
                _ => format!("SELECT id, {column} AS c FROM t{table}"),
            };
            let kind = if view.is_kept {
                "MATERIALIZED VIEW"
            } else {
                "VIEW"
            };
            statements.push(format!("CREATE {kind} v{number} AS {query}"));
            if view.is_kept && view.how > 3 {
                statements.push(format!("CREATE INDEX ON v{number} (id)"));
            }
            statements.extend(comment(&format!("{kind} v{number}"), view.comment));
            there.push(number);
        }
        statements
    }

    fn column(&self, column: &Placed<'_>, columns: &[Placed<'_>]) -> String {
        let Placed { name, family, kind } = column;
        let data_type = self.data_type(column).unwrap_or_default();
        let mut line = format!("{name} {data_type}");
        if kind.setting == 3 && ["text", "varchar(20)"].contains(&data_type.as_str()) {
            line += " COLLATE \"C\"";
        }
        line += &match (kind.filling, family) {
            (1, 0)
                if self
                    .pair
                    .sequences
                    .first()
                    .is_some_and(|it| it.on(self.which).is_some()) =>
            {
                " DEFAULT nextval('q0')".to_owned()
            }
            (1, 0) => " DEFAULT 7".to_owned(),
            (2, 0) => " DEFAULT '1'".to_owned(),
            (1, 1) => " DEFAULT 'it''s'".to_owned(),
            (2, 1) => " DEFAULT lower('X')".to_owned(),
            (1, 2) => " DEFAULT CURRENT_TIMESTAMP".to_owned(),
            (2, 2) => " DEFAULT '2020-02-02'".to_owned(),
            (1 | 2, 3) => " DEFAULT true".to_owned(),
            (1 | 2, 4) => self.a_label(&data_type),
            (3, 1) => self.generated(column, columns),
            _ => String::new(),
        };
        if kind.not_null && !line.contains("GENERATED") {
            line += " NOT NULL";
        }
        line
    }

    /// The first label of an enum as a default.
    fn a_label(&self, data_type: &str) -> String {
        let array = data_type.ends_with("[]");
        let number = usize::from(data_type.starts_with("e1"));
        let Some(one) = self.pair.enums.get(number).and_then(|it| it.on(self.which)) else {
            return String::new();
        };
        let first = LABELS[one.labels.trailing_zeros() as usize];
        if array {
            format!(" DEFAULT ARRAY[{}]::e{number}[]", literal(first))
        } else {
            format!(" DEFAULT {}", literal(first))
        }
    }

    /// A column that is generated from the first one that is not.
    fn generated(&self, column: &Placed<'_>, columns: &[Placed<'_>]) -> String {
        let source = columns
            .iter()
            .find(|other| other.family == 0 && other.name != column.name);
        source.map_or(String::new(), |source| {
            let data_type = self.data_type(column).unwrap_or_default();
            format!(
                " GENERATED ALWAYS AS (({}::text)::{data_type}) STORED",
                source.name
            )
        })
    }

    fn foreign_keys(&self, number: usize) -> Vec<String> {
        let Some(table) = self.pair.tables[number].on(self.which) else {
            return Vec::new();
        };
        let keys = self.pair.parts[number].foreign_keys.iter().enumerate();
        keys.filter_map(|(which, both)| {
            let over = both.on(self.which)?;
            let other = usize::from(over.other) % self.pair.tables.len();
            let there = self.pair.tables[other].on(self.which)?;
            // A logged table cannot refer to an unlogged one.
            let logged =
                |settings: u8, at: usize| settings != 7 || self.pair.parts[at].are_parted();
            let is_open = logged(table.settings, number) && !logged(there.settings, other);
            if there.primary_key == 0 || is_open {
                return None;
            }
            let (mine, theirs) = (&self.pair.parts[number], &self.pair.parts[other]);
            let name = if mine.are_parted() || theirs.are_parted() {
                // Postgres keeps constraints for the partitions, under names that it would choose for keys.
                format!("CONSTRAINT f{number}_{which} ")
            } else {
                name(over, &format!("f{number}_{which}"))
            };
            let how = match over.how {
                4 if self.pair.parts[number].are_parted() => "",
                1 => " ON DELETE CASCADE",
                2 => " ON UPDATE SET NULL",
                3 => " DEFERRABLE INITIALLY DEFERRED",
                4 => " NOT VALID",
                _ => "",
            };
            Some(format!(
                "ALTER TABLE t{number} ADD {name}FOREIGN KEY (id) REFERENCES t{other} (id){how}"
            ))
        })
        .collect()
    }
}

fn name(over: &Over, name: &str) -> String {
    if over.named {
        format!("CONSTRAINT {name} ")
    } else {
        String::new()
    }
}

fn chosen<'a, 'b>(number: u8, columns: &'b [Placed<'a>]) -> Option<&'b Placed<'a>> {
    columns.get(usize::from(number))
}

/// One column or two.
fn list(over: &Over, columns: &[Placed<'_>]) -> Option<String> {
    let one = &chosen(over.column, columns)?.name;
    match chosen(over.other, columns) {
        Some(other) if other.name != *one && over.how > 3 => Some(format!("{one}, {}", other.name)),
        Some(_) | None => Some(one.clone()),
    }
}

/// A condition on one column or two.
fn condition(over: &Over, columns: &[Placed<'_>]) -> Option<String> {
    let one = chosen(over.column, columns)?;
    let other = chosen(over.other, columns).unwrap_or(one);
    let (a, b) = (&one.name, &other.name);
    Some(match (over.how % 4, one.family) {
        (0, 1) => format!("{a} IN ('x', 'y')"),
        (1, 1) => format!("length({a}) > 2 AND {b} IS NOT NULL"),
        (0, 0) => format!("{a}::numeric BETWEEN 1 AND 10"),
        (2, _) => format!("{a} IS NOT NULL OR {b} IS NOT NULL"),
        (_, 3) => format!("{a} IS NOT NULL"),
        _ => format!("num_nonnulls({a}, {b}) > 0"),
    })
}

fn comment(on: &str, number: u8) -> Option<String> {
    let text = ["", "What it's for.", "Two\nlines"][usize::from(number)];
    (!text.is_empty()).then(|| format!("COMMENT ON {on} IS {}", literal(text)))
}

fn literal(text: &str) -> String {
    trueup::name::literal(text)
}
