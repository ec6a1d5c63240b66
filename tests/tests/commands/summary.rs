//! Summary of a draft in a few lines, and the statements that would fail on existing rows.

use std::fs;

use tests::checkout::Checkout;

use crate::checkout;

/// The shipped tables as they were before some edits, on a database of their own.
fn before(sql: &str) -> Checkout {
    let project = checkout().shipped();
    project.migration("2030-01-01-000000_before", sql, "SELECT 1;");
    project
}

fn up(project: &Checkout) -> String {
    fs::read_to_string(project.newest().join("up.sql")).expect("a file")
}

#[test]
fn a_few_lines_say_what_changes_and_what_is_locked() {
    let project = before(
        "ALTER TABLE users RENAME full_name TO name;
         ALTER TABLE users ADD fax text;
         ALTER TABLE devices ALTER channel TYPE integer;
         ALTER TABLE readings DROP uncertainty;
         DROP INDEX devices_last_seen_at_idx;",
    );
    let said = project
        .run(&[
            "autogen",
            "many things",
            "--rename",
            "users.name=full_name",
            "--allow",
            "data-loss=users.fax",
        ])
        .done();
    let lines = [
        "change  > rename column public.users.name to full_name\n",
        "change  ~ table public.devices: + index devices_last_seen_at_idx, ~ column channel\n",
        "change  ~ table public.readings: + column uncertainty, + check constraint readings_uncertainty_check\n",
        "change  ~ table public.users: - column fax\n",
        "locks   ACCESS EXCLUSIVE on public.devices, public.readings, public.users; rewrites public.devices; \
         scans public.devices, public.readings; in a transaction\n",
    ];
    for line in lines {
        assert!(said.contains(line), "{line} is not in: {said}");
        let (word, text) = line.split_once(' ').expect("a word");
        let line = format!("-- {word}: {}", text.trim_start());
        assert!(
            up(&project).contains(&line),
            "{line} is not in: {}",
            up(&project)
        );
    }
    // A header is none of the SQL: nothing is to be proved again.
    project.run(&["check"]).done();
}

#[test]
fn many_changes_are_counted() {
    let mut all = String::new();
    for n in 0..20 {
        all += &format!("CREATE TABLE t{n} (a int);");
    }
    let project = before(&all);
    let drops = (0..20).flat_map(|n| ["--drop".to_owned(), format!("public.t{n}")]);
    let drops: Vec<String> = drops.collect();
    let mut args = vec!["autogen", "none"];
    args.extend(drops.iter().map(String::as_str));
    let said = project.run(&args).done();
    assert_eq!(
        said.matches("change  - table public.t").count(),
        12,
        "{said}"
    );
    assert!(said.contains("change  and 8 more: 8 dropped\n"), "{said}");
    assert!(
        said.contains("locks   ACCESS EXCLUSIVE on public.t0, "),
        "{said}"
    );
    assert!(
        said.contains("public.t13 and 14 more; in a transaction\n"),
        "{said}"
    );
}

/// Each edit with the rows on which it fails, and what is said then.
const FAILS: &[(&str, &str, &[&str])] = &[
    (
        "ALTER TABLE users DROP CONSTRAINT users_email_key",
        "INSERT INTO users (email, full_name) SELECT 'a@b', 'Ada' FROM generate_series(1, 3)",
        &["1 row: SELECT email, count(*) FROM public.users GROUP BY 1 HAVING count(*) > 1"],
    ),
    (
        "ALTER TABLE users DROP CONSTRAINT users_email_check",
        "INSERT INTO users (email, full_name) VALUES ('nowhere', 'Ada'), ('a@b', 'Ada')",
        &["1 row: SELECT * FROM public.users WHERE NOT (email ~~ '%_@_%'::text)"],
    ),
    (
        "ALTER TABLE users ALTER full_name DROP NOT NULL",
        "INSERT INTO users (email) SELECT n || '@b' FROM generate_series(1, 1001) n",
        &[
            "more than 1000 rows: SELECT * FROM public.users WHERE full_name IS NULL",
            "; #[model(fill = \"…\")] on the field of public.users.full_name gives a value",
        ],
    ),
    (
        "ALTER TABLE equipment DROP CONSTRAINT equipment_keeper_id_fkey",
        "INSERT INTO equipment (manufacturer, serial_number, acquired_on, keeper_id) VALUES ('m', 's', now(), 7)",
        &["1 row: SELECT * FROM public.equipment child WHERE child.keeper_id IS NOT NULL AND \
           NOT EXISTS (SELECT FROM public.users parent WHERE parent.id = child.keeper_id)"],
    ),
    (
        "ALTER TABLE readings ALTER value TYPE text",
        "INSERT INTO users (email, full_name) VALUES ('a@b', 'Ada');
         INSERT INTO equipment (manufacturer, serial_number, acquired_on) VALUES ('m', 's', now());
         INSERT INTO devices (equipment_id, unit) VALUES (1, 'V');
         INSERT INTO readings (device_id, taken_at, value) VALUES (1, now(), '1.5'), (1, '2020-01-01', 'n/a')",
        &["a value does not fit: SELECT value::double precision FROM public.readings"],
    ),
    (
        "ALTER TABLE devices ALTER unit TYPE text",
        "INSERT INTO equipment (manufacturer, serial_number, acquired_on) VALUES ('m', 's', now());
         INSERT INTO devices (equipment_id, unit) VALUES (1, 'kilometres per hour')",
        &["1 row: SELECT * FROM public.devices WHERE length(rtrim(unit::text)) > 12"],
    ),
    (
        "CREATE TYPE s AS ENUM ('planned', 'in_progress', 'lost', 'passed', 'failed');
         ALTER TABLE calibrations ALTER status DROP DEFAULT;
         ALTER TABLE calibrations ALTER status TYPE s USING status::text::s;
         DROP TYPE calibration_status;
         ALTER TYPE s RENAME TO calibration_status;
         ALTER TABLE calibrations ALTER status SET DEFAULT 'planned'",
        "INSERT INTO users (email, full_name) VALUES ('a@b', 'Ada');
         INSERT INTO equipment (manufacturer, serial_number, acquired_on) VALUES ('m', 's', now());
         INSERT INTO devices (equipment_id, unit) VALUES (1, 'V');
         INSERT INTO calibrations (device_id, performed_by, status, performed_on, valid_until)
         VALUES (1, 1, 'lost', '2020-01-01', '2021-01-01')",
        &["1 row: SELECT * FROM public.calibrations WHERE status::text IN ('lost')"],
    ),
];

#[test]
fn rows_that_are_there_are_asked() {
    for (edit, rows, said) in FAILS {
        let (_server, database) = tests::database();
        let project = before(edit).on(&database);
        project.run(&["upgrade"]).done();
        let allow = ["autogen", "back", "--dry-run"];
        let draft = project.run(&allow);
        let silent = format!("{}{}", draft.stdout, draft.stderr);
        assert!(!silent.contains("would fail now"), "{edit}: {silent}");
        tests::run(&database, rows);
        let mut args = vec!["autogen", "back", "--allow", "fails"];
        if edit.contains("TYPE text") {
            args.extend([
                "--allow",
                "data-loss=public.readings.value,public.devices.unit",
            ]);
        }
        let run = project.run(&args);
        let text = format!("{}{}", run.stdout, run.stderr);
        assert!(text.contains("would fail now: "), "{edit}: {text}");
        for words in *said {
            assert!(text.contains(words), "{edit}: {words} is not in: {text}");
        }
        // No row is shown where nobody sits at a terminal.
        for data in ["nowhere", "n/a", "kilometres"] {
            assert!(!text.contains(data), "{edit}: {text}");
        }
        // The predicted failure comes true.
        project.run(&["upgrade"]).with(2);
    }
}

#[test]
fn rows_are_not_asked_where_an_earlier_statement_changes_them() {
    let (_server, database) = tests::database();
    let project = before("ALTER TABLE users ALTER full_name DROP NOT NULL").on(&database);
    project.run(&["upgrade"]).done();
    tests::run(&database, "INSERT INTO users (email) VALUES ('a@b')");
    let said = project
        .run(&["autogen", "x", "--from", "migrations", "--allow", "fails"])
        .done();
    assert!(!said.contains("would fail now"), "{said}");
}

#[test]
fn a_downgrade_says_which_rows_go() {
    let (_server, database) = tests::database();
    let project = checkout().shipped();
    project.migration(
        "2030-01-01-000000_more",
        "CREATE TABLE notes (a int); ALTER TABLE users ADD fax text, ADD pager text;",
        "ALTER TABLE users DROP fax, DROP COLUMN pager; DROP TABLE notes;",
    );
    let project = project.on(&database);
    project.run(&["upgrade"]).done();
    // Dropping an empty table or column is no loss.
    let ended = project.run(&["redo"]);
    assert!(!ended.stderr.contains("goes for good"), "{}", ended.stderr);
    tests::run(
        &database,
        "INSERT INTO notes VALUES (1), (2); INSERT INTO users (email, full_name, fax) VALUES ('a@b', 'Ada', '1'), ('b@b', 'Bob', NULL)",
    );
    let ended = project.run(&["downgrade"]);
    for line in [
        "note: goes for good: users.fax: 1 value\n",
        "note: goes for good: notes: 2 rows\n",
    ] {
        assert!(
            ended.stderr.contains(line),
            "{line} is not in: {}",
            ended.stderr
        );
    }
    assert!(!ended.stderr.contains("pager"), "{}", ended.stderr);
    ended.done();
}
