//! New columns of tables with rows, where what the rows would get cannot be had: a default that Postgres cannot compute while it
//! migrates, a domain that takes no NULL. And names that would collide.

#![allow(dead_code, reason = "only what the models declare is of interest")]

use tests::walk::{Walk, declared};
use trueup::{__private::Submitted, Model};

const THERE: &str = "
    CREATE DOMAIN code AS text NOT NULL;
    CREATE DOMAIN named AS text NOT NULL DEFAULT 'x';
    CREATE DOMAIN later AS text DEFAULT current_setting('app.later');
    CREATE FUNCTION never() RETURNS integer LANGUAGE plpgsql STABLE AS $$BEGIN RAISE EXCEPTION 'never'; END$$;
    CREATE TABLE t (id integer PRIMARY KEY, base text);
    INSERT INTO t VALUES (1, 'one');";

#[derive(Model)]
#[model(table = "t")]
struct Defaults {
    #[model(primary_key)]
    id: i32,
    base: Option<String>,
    #[model(default = "current_setting('app.tenant')")]
    tenant: Option<String>,
    #[model(default = "never()")]
    never: Option<i32>,
    #[model(default = "1 / 0")]
    zero: Option<i32>,
    #[model(sql_type = "later")]
    later: Option<String>,
    #[model(default = "7")]
    seven: i32,
}

#[test]
fn a_default_that_cannot_be_computed_is_set_afterwards() {
    let walk = Walk::begin(THERE);
    let models = declared(&[Submitted::Model(Defaults::DEFINITION)]);
    let sql = walk.go(&models, &[]).expect("four columns");
    for line in [
        "ADD COLUMN tenant text;",
        "-- Set the default of public.t.tenant: the rows that are there do not get it: unrecognized configuration parameter \"app.tenant\"",
        "ADD COLUMN never integer;",
        "the rows that are there do not get it: never",
        "do not get it: division by zero",
        "ADD COLUMN later later DEFAULT NULL;",
        "ADD COLUMN seven integer DEFAULT 7 NOT NULL;",
    ] {
        assert!(
            sql.contains(&line.replace("later later", "later public.later")),
            "{line}\n{sql}"
        );
    }
    let mut connection = walk.database.connect().expect("a connection");
    assert!(tests::holds(
        &mut connection,
        "(SELECT tenant IS NULL AND never IS NULL AND zero IS NULL AND later IS NULL AND seven = 7 FROM t)"
    ));
}

#[derive(Model)]
#[model(table = "t")]
struct Required {
    #[model(primary_key)]
    id: i32,
    base: Option<String>,
    #[model(default = "current_setting('app.tenant')", fill = "base")]
    tenant: String,
    #[model(sql_type = "code", fill = "base || '!'")]
    code: String,
    #[model(sql_type = "code", fill = "'same'")]
    same: String,
    #[model(sql_type = "named")]
    named: String,
}

#[test]
fn a_fill_comes_before_a_domain_that_takes_no_null() {
    let walk = Walk::begin(THERE);
    let models = declared(&[Submitted::Model(Required::DEFINITION)]);
    let sql = walk.go(&models, &[]).expect("four columns");
    for part in [
        "ADD COLUMN code text;",
        "UPDATE public.t SET code = base || '!';",
        "ALTER COLUMN code TYPE public.code;",
    ] {
        assert!(sql.contains(part), "{part}\n{sql}");
    }
    let mut connection = walk.database.connect().expect("a connection");
    assert!(tests::holds(
        &mut connection,
        "(SELECT tenant = 'one' AND code = 'one!' AND same = 'same' AND named = 'x' FROM t)"
    ));
}

#[derive(Model)]
#[model(table = "t")]
struct Unfilled {
    #[model(primary_key)]
    id: i32,
    base: Option<String>,
    #[model(sql_type = "code")]
    code: Option<String>,
}

#[test]
fn a_domain_that_takes_no_null_is_a_hazard() {
    let walk = Walk::begin(&THERE.replace("INSERT INTO t VALUES (1, 'one');", ""));
    let models = declared(&[Submitted::Model(Unfilled::DEFINITION)]);
    let sql = walk.go(&models, &[]).expect("a column");
    assert!(
        sql.contains(
            "-- hazard: fails while this finds a row, since domain code does not allow null values: SELECT * FROM public.t"
        ),
        "{sql}"
    );
}

#[derive(Model)]
#[model(table = "teams")]
struct Team {
    #[model(primary_key)]
    id: i32,
}

#[derive(Model)]
#[model(table = "rooms")]
struct Room {
    #[model(primary_key)]
    id: i32,
}

#[derive(Model)]
#[model(
    table = "this_is_a_table_whose_name_is_so_long_that_names_are_cut_off",
    foreign_key(columns(both), references = Team(id)),
    foreign_key(columns(both), references = Room(id)),
    index(this_column_has_a_name_that_is_nearly_as_long_as_can_be_kept_1),
    index(this_column_has_a_name_that_is_nearly_as_long_as_can_be_kept_2),
    unique(this_column_has_a_name_that_is_nearly_as_long_as_can_be_kept_1),
    unique(this_column_has_a_name_that_is_nearly_as_long_as_can_be_kept_2)
)]
struct Long {
    #[model(primary_key)]
    id: i32,
    both: i32,
    #[model(check("this_column_has_a_name_that_is_nearly_as_long_as_can_be_kept_1 > 0"))]
    this_column_has_a_name_that_is_nearly_as_long_as_can_be_kept_1: i32,
    #[model(check("this_column_has_a_name_that_is_nearly_as_long_as_can_be_kept_2 > 0"))]
    this_column_has_a_name_that_is_nearly_as_long_as_can_be_kept_2: i32,
}

#[test]
fn names_that_would_collide_are_chosen_as_postgres_does() {
    let walk = Walk::begin("");
    let models = declared(&[
        Submitted::Model(Team::DEFINITION),
        Submitted::Model(Room::DEFINITION),
        Submitted::Model(Long::DEFINITION),
    ]);
    walk.go(&models, &[]).expect("three tables");
    assert_eq!(walk.go(&models, &[]), Ok(String::new()));
    let mut connection = walk.database.connect().expect("a connection");
    assert!(tests::holds(
        &mut connection,
        "(SELECT count(*) = 7 FROM pg_constraint WHERE conrelid::regclass::text LIKE 'this_is%' AND contype IN ('f', 'u', 'c', 'p'))"
    ));
}
