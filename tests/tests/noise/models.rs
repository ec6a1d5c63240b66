//! Models that say things in other words than Postgres does.

use trueup::{Model, PgEnum};

trueup::extension!("citext");
trueup::sequence!(
    "It's \"one\"",
    namespace = "Sales & More",
    increment = -3,
    comment = "\\"
);

#[derive(PgEnum)]
#[model(type = "Noisy Mood", rename_all = "SCREAMING_SNAKE_CASE")]
#[allow(dead_code, reason = "only what it declares is of interest")]
enum Mood {
    VeryGood,
    #[model(label = "it's \"bad\" \\ é")]
    Bad,
}

#[derive(Model)]
#[model(
    table = "Order",
    namespace = "Sales & More",
    with(
        fillfactor = 70,
        autovacuum_vacuum_scale_factor = 0.10,
        toast(autovacuum_enabled = off)
    )
)]
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
    name = "By \"payload\"",
    comment = "It's for \\ and '.",
    method = "gin",
    with(fastupdate = "off")
))]
#[model(
    check("amount <> 5", not_valid),
    check(name = "Not Seven", expr = "amount <> 7", no_inherit, not_valid)
)]
#[model(foreign_key(columns(number), references = Self::id, not_valid, initially_deferred))]
#[model(unique(columns(kind, amount), deferrable, initially_deferred))]
#[model(exclude(
    expr("int4range(amount, amount + 1)", with = "&&"),
    method = "gist",
    with(fillfactor = 70),
    where = "kind in ('a', 'b')",
    deferrable
))]
#[model(exclude(
    kind(with = "=", opclass = "text_pattern_ops"),
    expr("lower(loud)", with = "=", collation = "C"),
    name = "One of a Kind",
    include(amount),
    comment = "One \"of\" a kind."
))]
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
    #[model(sql_type = "citext", unique)]
    login: Option<String>,
    #[model(column = "to", references = Self::id, on_delete = "set null", deferrable)]
    r#to: Option<i64>,
    #[model(serial)]
    number: i32,
}

#[derive(Model)]
#[model(table = "conditions")]
#[model(
    check("cast(a as text) <> '1' and a::varchar(3) <> '2' and text '3' <> b"),
    check("b collate \"C\" > 'a' and a operator(pg_catalog.+) 1 > 0"),
    check("case a when 1 then b when 2 then 'two' end is not null"),
    check("coalesce(b, '') <> '' and nullif(a, 0) > 0 and greatest(a, 5) > least(a, 2.5)"),
    check("b similar to '(a|b)%' and b not similar to 'x#%' escape '#'"),
    check("a > 0 and a between symmetric 9 and 1 and (a < 3 or (a > 5 or a = 4))"),
    check("(a, b) is distinct from (1, 'x') and (a, b) in ((1, 'a'), (2, 'b'))"),
    check("at at time zone 'UTC' > '2020-01-02' and extract(epoch from at) * 1000 > 0"),
    check(
        "a = any ('{1,2}') and a <> all (numbers) and 5 = some (numbers) and numbers[1:2] <> '{}'"
    ),
    check(
        "b <> U&'\\0061' and b <> E'tab\\t' and b <> $q$it's \\ $q$ and b not ilike 'c!%' escape '!'"
    ),
    check("doc @> '{\"a\": 1}' and (doc -> 'a' ->> 1)::int > 0 and doc @? '$.a[*] ? (@ > 1)'"),
    check("span > '1 day' and span < interval '1-2' year to month and span <> interval '1' day"),
    check(
        "bytes <> '\\xDEADbeef' and bytes <> 'abc' and substring(b from 2 for 3) <> trim(both from b)"
    ),
    check("xml_ is document and ratio <> 1e100 and ratio <> 'NaN' and - a < -1 and not a > 1")
)]
#[model(statistics(b, ratio, name = "Of \"Conditions\"", kinds(dependencies, mcv)))]
#[model(statistics(a, "lower(b) || cast(a as text)", name = "mixed", target = 50))]
#[model(index(
    "(case when a in (1, 2) then b end)",
    where = "a between 1 and 5 and b <> '' and not a > 3"
))]
#[model(index(columns(
    expr("lower(b)", collation = "C", opclass = "text_pattern_ops"),
    expr("doc -> 'x'")
)))]
#[allow(dead_code, reason = "only what it declares is of interest")]
struct Condition {
    #[model(primary_key)]
    a: i32,
    b: String,
    #[model(sql_type = "timestamptz")]
    at: String,
    numbers: Vec<i32>,
    doc: serde_json::Value,
    #[model(sql_type = "interval")]
    span: String,
    bytes: Vec<u8>,
    #[model(sql_type = "xml")]
    xml_: String,
    ratio: f64,
    #[model(generated = "a between 1 and 5 and b in ('a', 'b') and ratio > 1")]
    computed: Option<bool>,
}

#[derive(Model)]
#[model(table = "defaults", partition_by(range("(id + 1)")))]
#[model(partition("defaults_one", from = "1 + 1", to = "10 * 2"))]
#[model(partition("defaults_more", from = "20", to = "maxvalue"))]
#[allow(dead_code, reason = "only what it declares is of interest")]
struct Defaults {
    #[model(default = "nextval('\"Sales & More\".\"Order_number_seq\"')")]
    id: i64,
    #[model(
        sql_type = "text[]",
        default = "'{NULL,\"NULL\",\"b c\"}'",
        storage = "external",
        compression = "pglz",
        statistics = 500
    )]
    words: Vec<String>,
    #[model(sql_type = "numeric(4, 1)[]", default = "array[1, 2.55]")]
    numbers: Vec<String>,
    #[model(
        sql_type = "timestamptz",
        default = "'2020-01-02 03:04:05 America/New_York'"
    )]
    at: String,
    #[model(sql_type = "date", default = "'Jan 2, 2020'")]
    day: String,
    #[model(sql_type = "interval day to second", default = "'1 2:3:4'")]
    span: String,
    #[model(sql_type = "money", default = "1234.5")]
    price: String,
    #[model(default = "0.1 + 0.2")]
    ratio: f64,
    #[model(sql_type = "xml", default = "'just <b>text</b>'")]
    text: String,
    #[model(default = "U&'\\0041\\00e9' || E'\\\\' || $$it's$$")]
    label: String,
    #[model(sql_type = "regclass", default = "'\"Sales & More\".\"Order\"'")]
    relation: String,
    #[model(sql_type = "tsvector", default = "to_tsvector('english', 'fat cats')")]
    found: String,
    #[model(sql_type = "int4range", default = "'[1,5]'")]
    range: String,
    #[model(sql_type = "varchar(9)", default = "current_user")]
    who: String,
    #[model(sql_type = "jsonb", default = "jsonb_build_object('a', 1, 'b', null)")]
    doc: serde_json::Value,
    #[model(sql_type = "bit(8)", default = "B'101'::bit(8)")]
    bits: String,
}
