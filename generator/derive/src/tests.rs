//! Every mistake is found at once; each test is one item with many.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use quote::ToTokens;
use syn::{DeriveInput, Item, Result, parse_quote};

use crate::{model, pg_enum};

fn messages<T>(expanded: Result<T>) -> String {
    let Err(mistakes) = expanded else {
        return "no mistake".to_owned();
    };
    let messages = mistakes.into_iter().map(|mistake| format!("- {mistake}"));
    messages.collect::<Vec<_>>().join("\n")
}

fn mistakes(item: &DeriveInput) -> String {
    messages(model::expand(item))
}

#[test]
fn attributes_have_a_form() {
    insta::assert_snapshot!(mistakes(&parse_quote! {
        #[model(tabel = "users", table = 5, namespace = "", unlogged = true, index, unique(), check)]
        #[model(with(fillfactor = 70, toast(a(b))))]
        #[model(foreign_key(columns(a), on_delete = "vanish"), primary_key(a = 1), "users", unlogged)]
        #[model(exclude(), exclude(method = "gist"), exclude(b(with = 5), c(with = "=", colour = "red")))]
        #[model(statistics(name = "x"), statistics(a, b(desc), kinds(mvc)))]
        #[model(index(5), exclude(5), statistics(5), index(columns(a = 5)))]
        #[model(foreign_key(columns(a), references = B(c), period, on_delete(set_null())))]
        struct User {
            #[model(storage = "outside", compression = lz4, statistics = "many")]
            #[model(not_null = "x", identity = "sometimes", serial(4), default(now), colour = "red")]
            a: i64,
            #[model(identity(start = "x"), generated, references = Other, check(name = "x"))]
            b: i64,
            #[model(references(Other::x, Other::y), on_delete = "cascade", sql_type = "a", sql_type = "b")]
            c: i64,
        }
    }));
}

#[test]
fn malformed_tokens_are_passed_over() {
    insta::assert_snapshot!(mistakes(&parse_quote! {
        #[model(table = , check("a" "b"), 5 % , unique(a))]
        #[model]
        #[model = "users"]
        struct User {
            #[model(default "0", uniqe)]
            b: i64,
        }
    }));
}

#[test]
fn columns_are_known_and_named_once() {
    insta::assert_snapshot!(mistakes(&parse_quote! {
        #[model(table = "users", primary_key(id, nmae), unique(id, id), index(a, expr, "lower(a)", b(desc)))]
        #[model(foreign_key(columns(id, x), references = Other(y)))]
        #[model(statistics(id, nope, name = "x"))]
        #[model(exclude(x(with = "="), b(with = "="), id, expr("a"), include(y)))]
        struct User {
            id: i64,
            #[model(column = "id", index(include(z), c), unique(d))]
            a: String,
            #[model(skip)]
            b: String,
        }
    }));
}

#[test]
fn attributes_exclude_each_other() {
    insta::assert_snapshot!(mistakes(&parse_quote! {
        #[model(table = "users", primary_key(id), with(fillfactor = 70), partition_by(list(id)))]
        #[model(exclude(a(with = "="), comment = "f"))]
        #[diesel(table_name = people, primary_key(name))]
        struct User {
            #[model(primary_key, serial, default = "1", sql_type = "int4")]
            id: i32,
            #[model(column = "a")]
            #[diesel(column_name = b)]
            name: String,
            #[model(skip, default = "1")]
            skipped: i32,
            #[model(on_delete = "cascade", index(nulls_not_distinct, asc, desc))]
            parent: i32,
            #[model(references(User::id, name = "x"), on_delete = "cascade")]
            other: i32,
            #[model(unique(without_overlaps), references(User::id, on_delete(set_null(other))))]
            #[model(check("a", not_valid, not_enforced))]
            third: i32,
            #[model(check("a", comment = "b"), unique(comment = ""), index(comment = "c"))]
            #[model(references(User::id, comment = "d"))]
            commented: i32,
            #[diesel(embed)]
            address: Address,
        }
    }));
}

#[test]
fn a_model_is_a_struct_with_named_fields() {
    insta::assert_snapshot!(
        [
            mistakes(&parse_quote! { #[model(table = "a")] struct A(i32, i32); }),
            mistakes(&parse_quote! { #[model(table = "a")] struct A; }),
            mistakes(&parse_quote! { #[model(table = "a")] enum A { B } }),
            mistakes(&parse_quote! { #[model(table = "a")] union A { b: i32 } }),
            mistakes(&parse_quote! { struct A<'a, T> { b: &'a T } }),
            mistakes(&parse_quote! { #[diesel(table_name = a)] struct A { r#type: i32 } }),
        ]
        .join("\n\n")
    );
}

#[test]
fn an_enum_type_has_labels() {
    let mistakes = |item: &DeriveInput| messages(pg_enum::expand(item));
    insta::assert_snapshot!(
        [
            mistakes(&parse_quote! {
                #[model(name = "mood", rename_all = "Title Case")]
                enum Mood<T> {
                    Good(T),
                    #[model(label = "good", colour = "red")]
                    Fine,
                }
            }),
            mistakes(&parse_quote! { #[model(type = "mood")] struct Mood { a: i32 } }),
            mistakes(&parse_quote! { #[model(type = "mood")] enum Mood { Good, VeryGood } }),
        ]
        .join("\n\n")
    );
}

/// A table of settings that `words()` does not list would have words that no test asks for.
#[test]
fn every_table_of_settings_is_among_the_words() {
    let (mut tables, mut listed) = (Vec::new(), Vec::new());
    for path in sources(Path::new("src")) {
        let text = std::fs::read_to_string(&path).expect("a source");
        for item in syn::parse_file(&text).expect("Rust").items {
            if let Item::Const(table) = &item
                && table.ty.to_token_stream().to_string().contains("Setting <")
            {
                tables.push(table.ident.to_string());
            }
            if let Item::Fn(function) = &item
                && function.sig.ident == "words"
            {
                let body = function.block.to_token_stream().to_string();
                let calls = body.split("Words :: of (").skip(1);
                let tables =
                    calls.filter_map(|call| call.split(')').next()?.split([' ', ':']).next_back());
                listed.extend(tables.map(str::to_owned));
            }
        }
    }
    tables.sort();
    listed.sort();
    assert!(tables.len() > 10, "{tables:?}");
    assert_eq!(tables, listed);
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("a folder");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    paths
        .flat_map(|path| {
            if path.is_dir() {
                sources(&path)
            } else {
                vec![path]
            }
        })
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .collect()
}

/// The words in the first columns of the references' tables are those of the settings, and no other.
#[test]
fn every_word_is_in_the_reference_and_every_table_of_the_reference_has_words() {
    for (text, words) in [
        (include_str!("model.md"), crate::model::words()),
        (include_str!("pg_enum.md"), crate::pg_enum::words()),
    ] {
        let known: BTreeSet<&str> = words.iter().flat_map(crate::words::Words::words).collect();
        let rows = text
            .lines()
            .filter(|line| line.starts_with("| `") && !line.starts_with("| `#"));
        let mut told = BTreeSet::new();
        for row in rows {
            let cell = row.split(" | ").next().expect("a cell");
            let quoted = cell.split('`').skip(1).step_by(2);
            for written in quoted {
                let word = written.split(['(', ' ']).next().expect("a word");
                assert!(
                    known.contains(word),
                    "{word} is in a table of the reference, and no word: {row}"
                );
                told.insert(word.to_owned());
            }
        }
        let said: BTreeSet<&str> = text
            .split(|c: char| !c.is_alphanumeric() && c != '_')
            .collect();
        let missing: Vec<&&str> = known.difference(&said).collect();
        assert!(missing.is_empty(), "the reference does not say {missing:?}");
        assert!(!told.is_empty());
    }
}
