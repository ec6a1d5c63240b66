//! `autogen --data`: a migration with a place to move rows, until it is written and afterwards.

use std::fs;

use tests::checkout::Checkout;

use crate::checkout;

/// The shipped tables before devices were split out of the equipment.
const BEFORE: &str = "
    DROP TABLE devices CASCADE;
    ALTER TABLE equipment ADD unit varchar(12) NOT NULL, ADD last_seen_at timestamptz;";

const ROWS: &str = "
    INSERT INTO equipment (manufacturer, serial_number, acquired_on, unit, last_seen_at) VALUES
        ('m', 'a', '2020-01-01', 'V', '2021-01-01 00:00Z'), ('m', 'b', '2020-01-01', 'mA', NULL);
    INSERT INTO readings (device_id, taken_at, value) VALUES (1, now(), 1.5)";

fn read(project: &Checkout, file: &str) -> String {
    fs::read_to_string(project.newest().join(file)).expect("a file")
}

/// Writes the example in place of the statement that fails.
fn fill(project: &Checkout, file: &str) {
    let text = read(project, file);
    let mut examples = text.lines().filter_map(|line| line.strip_prefix("--     "));
    let example = examples.next().expect("an example");
    let lines = text.lines().map(|line| {
        if line.starts_with("DO $$ BEGIN RAISE") {
            example
        } else {
            line
        }
    });
    let filled = lines.collect::<Vec<_>>().join("\n") + "\n";
    fs::write(project.newest().join(file), filled).expect("a file");
}

#[test]
fn a_table_is_split_and_every_row_comes_along_both_ways() {
    let (_server, database) = tests::database();
    let project = checkout().shipped().on(&database);
    project.migration("2030-01-01-000000_before", BEFORE, "SELECT 1;");
    project.run(&["upgrade"]).done();
    tests::run(&database, ROWS);

    let said = project
        .run(&["autogen", "--data", "split devices out"])
        .with(0);
    for words in [
        "hazard  loses every value of public.equipment.unit",
        "proved  nothing yet: the data step is to be written, then `trueup prove`; without it: on PostgreSQL ",
    ] {
        assert!(said.stdout.contains(words), "{words} is not in: {said:?}");
    }
    assert!(
        said.stderr
            .contains("write the data step where up.sql and down.sql say so"),
        "{said:?}"
    );
    assert!(!said.stdout.contains("would fail now"), "{said:?}");
    let up = read(&project, "up.sql");
    assert!(!up.contains("-- sealed: "), "{up}");
    let place = |text: &str, words: &str| {
        text.find(words)
            .unwrap_or_else(|| panic!("{words} is not in: {text}"))
    };
    let order = |text: &str, all: &[&str]| {
        let places: Vec<usize> = all.iter().map(|words| place(text, words)).collect();
        assert!(places.is_sorted(), "{places:?}: {text}");
    };
    order(
        &up,
        &[
            "CREATE TABLE public.devices",
            "-- Dropped below: every value of public.equipment.unit\n",
            "--     INSERT INTO public.devices (equipment_id, unit, last_seen_at) SELECT id, unit, last_seen_at \
             FROM public.equipment;\n",
            "DO $$ BEGIN RAISE EXCEPTION ",
            "ADD CONSTRAINT readings_device_id_fkey",
            "DROP COLUMN unit",
        ],
    );
    order(
        &read(&project, "down.sql"),
        &[
            "ADD COLUMN unit character varying(12);",
            "--     UPDATE public.equipment SET unit = source.unit, last_seen_at = source.last_seen_at \
             FROM public.devices source WHERE source.equipment_id = equipment.id;\n",
            "DO $$ BEGIN RAISE EXCEPTION ",
            "ALTER COLUMN unit SET NOT NULL",
            "DROP TABLE public.devices;",
        ],
    );

    // Until it is written, nothing is lost and nobody is told that it is fine.
    let unwritten = "the data step of up.sql is not written";
    let said = project.run(&["check"]).with(2);
    assert!(said.stderr.contains(unwritten), "{said:?}");
    assert!(said.stderr.contains("up.sql:"), "{said:?}");
    let said = project.run(&["upgrade"]);
    assert_ne!(said.code, Some(0), "{said:?}");
    assert!(said.stderr.contains(unwritten), "{said:?}");
    assert!(said.stderr.contains("up.sql:"), "{said:?}");
    let mut connection = database.connect().expect("a connection");
    let before = "(SELECT array_agg((serial_number, unit, last_seen_at AT TIME ZONE 'UTC')::text ORDER BY id) = \
        ARRAY['(a,V,\"2021-01-01 00:00:00\")', '(b,mA,)'] FROM equipment)";
    assert!(tests::holds(&mut connection, before));
    fill(&project, "up.sql");
    let said = project.run(&["prove", "head"]).with(1);
    assert!(
        said.stdout
            .contains("the data step of down.sql is not written"),
        "{said:?}"
    );
    fill(&project, "down.sql");

    let said = project.run(&["prove", "head"]).done();
    assert!(said.contains("1 header written"), "{said}");
    let up = read(&project, "up.sql");
    for words in [
        "-- written: by hand\n",
        "-- proved: on PostgreSQL ",
        "-- sealed: ",
    ] {
        assert!(up.contains(words), "{words} is not in: {up}");
    }
    assert!(!up.contains("nothing yet"), "{up}");
    for _ in 0..2 {
        project.run(&["upgrade"]).done();
        project.run(&["check"]).done();
        let after = "(SELECT array_agg((e.serial_number, d.unit, d.last_seen_at AT TIME ZONE 'UTC')::text ORDER BY e.id) = \
            ARRAY['(a,V,\"2021-01-01 00:00:00\")', '(b,mA,)'] FROM devices d JOIN equipment e ON e.id = d.equipment_id)";
        assert!(tests::holds(&mut connection, after));
        project.run(&["downgrade"]).done();
        assert!(tests::holds(&mut connection, before));
        tests::run(&database, "DELETE FROM readings");
    }
}

#[test]
fn where_nothing_can_be_moved_nothing_is_written() {
    let project = checkout().shipped();
    project.migration(
        "2030-01-01-000000_before",
        "ALTER TABLE users ADD fax text",
        "SELECT 1;",
    );
    let folders = project.folders();
    let said = project.run(&["autogen", "drop fax", "--data"]).with(2);
    for words in [
        "--data: there is no place to move rows: nothing comes that rows could be moved to before something goes",
        "hint:  leave --data out",
    ] {
        assert!(said.stderr.contains(words), "{words} is not in: {said:?}");
    }
    assert_eq!(project.folders(), folders);
}
