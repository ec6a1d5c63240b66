//! Thirty migrations of every sort that can be cut in two.

use tests::checkout::Checkout;

/// Number of migrations of each sort.
const GROUPS: usize = 5;

/// Writes them.
pub(crate) fn write(project: &Checkout) {
    for group in 1..=GROUPS {
        for (number, sort) in SORTS.iter().enumerate() {
            let fill = |text: &str| text.replace("{g}", &group.to_string());
            let name = format!("2030-0{group}-0{}-000000_{}", number + 1, sort.name);
            project.migration(&name, &fill(sort.up), &fill(sort.down));
            let metadata = format!("migrations/{name}/metadata.toml");
            let text = format!("run_in_transaction = {}\n", sort.in_transaction);
            let _ = project.file(&metadata, &text);
        }
    }
}

struct Sort {
    name: &'static str,
    in_transaction: bool,
    up: &'static str,
    down: &'static str,
}

const SORTS: [Sort; 6] = [
    Sort {
        name: "tables",
        in_transaction: true,
        up: "CREATE TYPE mood{g} AS ENUM ('a', 'b');
CREATE TABLE t{g} (id int PRIMARY KEY, word text NOT NULL, mood mood{g} DEFAULT 'a' NOT NULL);
INSERT INTO t{g} SELECT n, repeat('x', n % 7) FROM generate_series(1, 300) n;
CREATE TABLE p{g} (id int, at int) PARTITION BY RANGE (at);
CREATE TABLE p{g}_old PARTITION OF p{g} FOR VALUES FROM (0) TO (100);
CREATE TABLE p{g}_new PARTITION OF p{g} FOR VALUES FROM (100) TO (200);
SELECT pg_sleep(0.01);
INSERT INTO p{g} SELECT n, n FROM generate_series(0, 199) n;
",
        down: "DROP TABLE p{g};
SELECT pg_sleep(0.01);
DROP TABLE t{g};
DROP TYPE mood{g};
",
    },
    Sort {
        name: "index",
        in_transaction: false,
        up: "CREATE INDEX CONCURRENTLY t{g}_word ON t{g} (word);\n",
        down: "DROP INDEX CONCURRENTLY t{g}_word;\n",
    },
    Sort {
        name: "label",
        in_transaction: false,
        up: "ALTER TYPE mood{g} ADD VALUE 'c' AFTER 'a';\n",
        down: "DO $$
BEGIN
    ALTER TABLE t{g} ALTER mood DROP DEFAULT;
    ALTER TABLE t{g} ALTER mood TYPE text;
    DROP TYPE mood{g};
    CREATE TYPE mood{g} AS ENUM ('a', 'b');
    ALTER TABLE t{g} ALTER mood TYPE mood{g} USING mood::mood{g};
    ALTER TABLE t{g} ALTER mood SET DEFAULT 'a';
END
$$;
",
    },
    Sort {
        name: "fill",
        in_transaction: true,
        up: "ALTER TABLE t{g} ADD size int;
UPDATE t{g} SET size = length(word);
SELECT pg_sleep(0.01);
ALTER TABLE t{g} ALTER size SET NOT NULL;
",
        down: "ALTER TABLE t{g} DROP size;\n",
    },
    Sort {
        name: "detach",
        in_transaction: false,
        up: "ALTER TABLE p{g} DETACH PARTITION p{g}_old CONCURRENTLY;\n",
        down: "ALTER TABLE p{g} ATTACH PARTITION p{g}_old FOR VALUES FROM (0) TO (100);\n",
    },
    Sort {
        name: "no_index",
        in_transaction: false,
        up: "DROP INDEX CONCURRENTLY t{g}_word;\n",
        down: "CREATE INDEX CONCURRENTLY t{g}_word ON t{g} (word);\n",
    },
];
