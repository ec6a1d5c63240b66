//! Expressions in words that Postgres prints otherwise: written once, never a difference again.

use generator::{
    apply,
    autogen::{self, AutogenOptions},
    scratch::Locale,
};
use trueup::{Model, PgEnum};

trueup::extension!("citext");

#[derive(PgEnum)]
#[model(type = "Noisy Mood", rename_all = "SCREAMING_SNAKE_CASE")]
#[allow(dead_code, reason = "only what it declares is of interest")]
enum Mood {
    VeryGood,
    #[model(label = "it's \"bad\" \\ é")]
    Bad,
}

#[derive(Model)]
#[model(table = "Order", namespace = "Sales & More")]
#[model(
    check("kind IN ('a')"),
    check("kind IN ('a', 'b')"),
    check("amount BETWEEN 1 AND 10")
)]
#[model(
    check("kind IS NOT DISTINCT FROM 'a'"),
    check("NOT (amount <> 1)"),
    check("kind LIKE 'x%' ESCAPE '!'")
)]
#[model(
    index("lower(kind)", amount(desc, nulls = "last")),
    index(columns(kind(opclass = "text_pattern_ops")))
)]
#[model(index(
    columns("(payload ->> 'id')", "cast(payload ->> 'n' as int)"),
    where = "kind in ('a', 'b')"
))]
#[model(index(
    columns(payload(opclass = "jsonb_path_ops")),
    method = "gin",
    with(fastupdate = "off")
))]
#[model(unique(columns(kind, amount), deferrable, initially_deferred))]
#[allow(dead_code, reason = "only what it declares is of interest")]
#[allow(
    clippy::duplicated_attributes,
    reason = "two indexes may have a column in common"
)]
/// A table whose "name" needs quotes; it's full of \ and '.
struct Order {
    #[model(
        primary_key,
        identity(by_default, start = 100, increment = 5, cache = 10)
    )]
    id: i64,
    #[model(sql_type = "varchar(80)", default = "'it''s'", collation = "C")]
    kind: String,
    #[model(default = "1 + 1")]
    amount: i32,
    #[model(default = "'{}'")]
    payload: serde_json::Value,
    #[model(sql_type = "varchar(10)[]", default = "'{}'")]
    tags: Vec<String>,
    #[model(default = "CURRENT_TIMESTAMP", sql_type = "timestamptz")]
    at: String,
    #[model(default = "'2020-01-01'", sql_type = "date")]
    on: String,
    #[model(default = "'12:34'", sql_type = "time")]
    when: String,
    #[model(default = "'1 day'", sql_type = "interval")]
    span: String,
    #[model(default = "0.10", sql_type = "numeric(12, 2)")]
    price: String,
    #[model(default = "'\\x00ff'")]
    bytes: Vec<u8>,
    #[model(default = "B'101'", sql_type = "bit(3)")]
    bits: String,
    #[model(
        default = "extract(epoch from now()) * 1000",
        sql_type = "double precision"
    )]
    ms: f64,
    #[model(generated = "upper(kind) || '!'")]
    loud: String,
    #[model(default = "'VERY_GOOD'")]
    mood: Mood,
    #[model(
        default = "array['VERY_GOOD']::\"Noisy Mood\"[]",
        sql_type = "public.\"Noisy Mood\"[]"
    )]
    moods: Vec<Option<Mood>>,
    #[model(sql_type = "citext", unique(nulls_not_distinct))]
    login: Option<String>,
    #[model(column = "to", references = Self::id, on_delete = "set null", deferrable)]
    r#to: Option<i64>,
    #[model(serial)]
    number: i32,
}

#[test]
fn what_is_written_once_is_no_difference_again() {
    let server = tests::project(std::path::PathBuf::new());
    let database = server
        .scratch(None)
        .expect("a scratch")
        .create(&Locale::default())
        .expect("a database");
    let folder = tempfile::tempdir().expect("a folder");
    let project = tests::project_with(folder.path().to_owned(), &database);
    let declarations = autogen::declarations().expect("models");
    let found =
        autogen::autogen(&project, &declarations, AutogenOptions::default()).expect("a draft");
    autogen::write(&project, "begin", &found.draft.expect("something to do")).expect("folders");
    let mut connection = database.connect().expect("a connection");
    let up = (&apply::UpTarget::Head, apply::Options::default());
    apply::upgrade(&mut connection, folder.path(), up.0, up.1).expect("an upgrade");

    let again =
        autogen::autogen(&project, &declarations, AutogenOptions::default()).expect("a draft");
    assert_eq!(tests::ups(again.draft.as_ref()), "");

    let clean = generator::check::check(&project, &declarations, generator::check::Scope::Database)
        .expect("a check");
    assert!(clean.is_clean(), "{clean:#?}");
    apply::downgrade(
        &mut connection,
        folder.path(),
        &apply::DownTarget::Base,
        up.1,
    )
    .expect("a downgrade");
    assert_eq!(tests::ups(again.draft.as_ref()), "");
}
