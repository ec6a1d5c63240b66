//! Mistakes in models that each compile.

use super::{declare_all, model, pg_enum};
use crate::model::definition::Submitted;
use crate::{Model, ModelErrors, PgEnum};

#[derive(Model)]
#[model(table = "twice")]
struct First {
    #[model(primary_key, sql_type = "int8")]
    id: Option<i64>,
}

#[derive(Model)]
#[model(table = "twice")]
struct Second {
    #[model(serial)]
    #[model(check(
        name = "a_name_that_is_longer_than_sixty_three_bytes_and_so_would_be_cut_by_it",
        expr = "true"
    ))]
    id: i64,
}

#[derive(PgEnum)]
#[model(type = "twice")]
enum Third {
    One,
}

#[derive(Model)]
#[model(table = "people", renamed_from = "a.b.c")]
struct Person {
    #[model(renamed_from = "b")]
    a: i64,
    #[model(renamed_from = "a", not_null(name = "no"))]
    b: Option<i64>,
    // A chain is none.
    #[model(renamed_from = "d")]
    c: i64,
    #[model(renamed_from = "e")]
    d: i64,
}

#[derive(Model)]
#[model(table = "customers", renamed_from = "users")]
struct Customer {
    id: i64,
}

#[derive(Model)]
#[model(table = "clients", renamed_from = "public.users")]
struct Client {
    id: i64,
}

fn message(submitted: &[Submitted]) -> String {
    let errors = declare_all(submitted).expect_err("these models are wrong");
    let file = without_line_numbers(&errors.to_string());
    file.join("\n")
}

/// Line numbers change with every edit of this file.
fn without_line_numbers(text: &str) -> Vec<String> {
    let without = |line: &str| {
        let parts = line.split("mistakes.rs:");
        parts
            .map(|part| {
                part.trim_start_matches(|c: char| c.is_ascii_digit())
                    .to_owned()
            })
            .collect::<Vec<_>>()
            .join("mistakes.rs")
    };
    text.lines().map(without).collect()
}

#[test]
fn all_at_once() {
    insta::assert_snapshot!(message(&[
        model::<First>(),
        model::<Second>(),
        pg_enum::<Third>()
    ]));
}

#[test]
fn old_names_go_one_way() {
    insta::assert_snapshot!(message(&[
        model::<Person>(),
        model::<Customer>(),
        model::<Client>()
    ]));
}

#[test]
fn no_models_is_an_answer_of_its_own() {
    assert_eq!(
        declare_all(&[pg_enum::<Third>()]).expect_err("no table"),
        ModelErrors::NoModels
    );
}
