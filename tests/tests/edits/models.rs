//! The models after the edits, one for each, called after what is done to it.

#![allow(dead_code, reason = "only what the models declare is of interest")]

use trueup::{Model, PgEnum};

#[derive(Model)]
#[model(table = "add_nullable")]
struct AddNullable {
    #[model(primary_key)]
    id: i32,
    note: Option<String>,
}

#[derive(Model)]
#[model(table = "add_filled")]
struct AddFilled {
    #[model(primary_key)]
    id: i32,
    #[model(fill = "'none'")]
    phone: String,
}

#[derive(Model)]
#[model(table = "add_computed")]
struct AddComputed {
    #[model(primary_key)]
    id: i32,
    name: String,
    #[model(fill = "lower(name)", unique)]
    slug: String,
}

#[derive(Model)]
#[model(table = "add_default")]
struct AddDefault {
    #[model(primary_key)]
    id: i32,
    #[model(default = "true")]
    active: bool,
}

#[derive(Model)]
#[model(table = "drop_column")]
struct DropColumn {
    #[model(primary_key)]
    id: i32,
}

#[derive(Model)]
#[model(table = "rename_column")]
struct RenameColumn {
    #[model(primary_key)]
    id: i32,
    #[model(unique, renamed_from = "phone")]
    mobile: String,
}

#[derive(Model)]
#[model(table = "rename_table", renamed_from = "old_table")]
struct RenameTable {
    #[model(primary_key, serial)]
    id: i32,
    name: String,
}

#[derive(PgEnum)]
#[model(type = "tone")]
enum Tone {
    #[model(renamed_from = "loud")]
    Noisy,
    Plain,
    #[model(renamed_from = "soft")]
    Quiet,
}

#[derive(Model)]
#[model(table = "rename_labels")]
struct RenameLabels {
    #[model(primary_key)]
    id: i32,
    tone: Tone,
}

#[derive(PgEnum)]
#[model(type = "new_enum", renamed_from = "old_enum")]
enum NewEnum {
    A,
    B,
}

#[derive(Model)]
#[model(table = "rename_enum")]
struct RenameEnum {
    #[model(primary_key)]
    id: i32,
    #[model(default = "'b'")]
    kind: NewEnum,
}

#[derive(Model)]
#[model(table = "widen")]
struct Widen {
    #[model(primary_key)]
    id: i32,
    total: i64,
}

#[derive(Model)]
#[model(table = "shrink")]
struct Shrink {
    #[model(primary_key)]
    id: i32,
    #[model(sql_type = "varchar(5)")]
    code: String,
}

#[derive(Model)]
#[model(table = "text_to_integer")]
struct TextToInteger {
    #[model(primary_key)]
    id: i32,
    size: i32,
}

#[derive(Model)]
#[model(table = "defaults")]
struct Defaults {
    #[model(primary_key)]
    id: i32,
    #[model(default = "'new'")]
    added: String,
    #[model(default = "2")]
    changed: i32,
    dropped: i32,
}

#[derive(Model)]
#[model(table = "unique_comes")]
struct UniqueComes {
    #[model(primary_key)]
    id: i32,
    #[model(unique)]
    email: String,
}

#[derive(Model)]
#[model(table = "check_comes")]
struct CheckComes {
    #[model(primary_key)]
    id: i32,
    #[model(check("age >= 18"))]
    age: i32,
}

#[derive(Model)]
#[model(table = "key_comes")]
struct KeyComes {
    #[model(primary_key)]
    id: i32,
    #[model(references = Widen::id)]
    other: Option<i32>,
}

#[derive(Model)]
#[model(
    table = "indexed",
    index(email, name = "plain"),
    index(columns(email), name = "partial", unique, where = "active"),
    index("lower(email)", name = "expression")
)]
struct Indexed {
    #[model(primary_key)]
    id: i32,
    email: String,
    active: bool,
}

#[derive(Model)]
#[model(table = "composite", primary_key(a, b), unique(b, c))]
struct Composite {
    a: i32,
    b: i32,
    c: String,
}

#[derive(PgEnum)]
#[model(type = "grows")]
enum Grows {
    Low,
    Middle,
    High,
}

#[derive(Model)]
#[model(table = "label_added")]
struct LabelAdded {
    #[model(primary_key)]
    id: i32,
    level: Grows,
}

#[derive(PgEnum)]
#[model(type = "shrinks")]
enum Shrinks {
    New,
    #[model(replaces = "gone")]
    Done,
}

#[derive(Model)]
#[model(table = "label_removed")]
struct LabelRemoved {
    #[model(primary_key)]
    id: i32,
    #[model(default = "'new'")]
    state: Shrinks,
}

#[derive(PgEnum)]
#[model(type = "turns")]
enum Turns {
    Three,
    Two,
    One,
}

#[derive(Model)]
#[model(table = "labels_reordered")]
struct LabelsReordered {
    #[model(primary_key)]
    id: i32,
    turn: Turns,
}

#[derive(Model)]
#[model(table = "serial_to_identity")]
struct SerialToIdentity {
    #[model(primary_key, identity = "always")]
    id: i32,
    name: Option<String>,
}

/// It's commented.
#[derive(Model)]
#[model(table = "commented")]
struct Commented {
    /// Never changes.
    #[model(primary_key)]
    id: i32,
}

#[derive(Model)]
#[model(table = "generated")]
struct Generated {
    #[model(primary_key)]
    id: i32,
    name: String,
    #[model(generated = "lower(name)")]
    lower_name: Option<String>,
}

#[derive(Model)]
#[model(table = "on_delete")]
struct OnDelete {
    #[model(primary_key)]
    id: i32,
    #[model(references = Widen::id, on_delete = "cascade")]
    other: Option<i32>,
}

#[derive(Model)]
#[model(table = "nullable")]
struct Nullable {
    #[model(primary_key)]
    id: i32,
    name: Option<String>,
}

#[derive(Model)]
#[model(table = "required")]
struct Required {
    #[model(primary_key)]
    id: i32,
    #[model(fill = "'nobody'")]
    name: String,
}

#[derive(Model)]
#[model(table = "json_to_jsonb")]
struct JsonToJsonb {
    #[model(primary_key)]
    id: i32,
    #[model(sql_type = "jsonb")]
    data: String,
}

#[derive(Model)]
#[model(table = "to_timestamptz")]
struct ToTimestamptz {
    #[model(primary_key)]
    id: i32,
    #[model(
        sql_type = "timestamptz",
        using("at AT TIME ZONE 'UTC'", back = "at AT TIME ZONE 'UTC'")
    )]
    at: String,
}

#[derive(Model)]
#[model(table = "to_array")]
struct ToArray {
    #[model(primary_key)]
    id: i32,
    #[model(using("string_to_array(tags, ',')", back = "array_to_string(tags, ',')"))]
    tags: Vec<String>,
}

#[derive(Model)]
#[model(table = "new_key")]
struct NewKey {
    id: i32,
    #[model(primary_key)]
    code: String,
}

#[derive(Model)]
#[model(table = "coarser")]
struct Coarser {
    #[model(primary_key)]
    id: i32,
    #[model(sql_type = "numeric(8, 2)")]
    amount: String,
}

#[derive(Model)]
#[model(table = "hens")]
struct Hen {
    #[model(primary_key)]
    id: i32,
    #[model(references = Egg::id)]
    egg: i32,
}

#[derive(Model)]
#[model(table = "eggs")]
struct Egg {
    #[model(primary_key)]
    id: i32,
    #[model(references = Hen::id)]
    hen: i32,
}

#[derive(Model)]
#[model(table = "loses_parent")]
struct LosesParent {
    #[model(primary_key)]
    id: i32,
}

#[derive(Model)]
#[model(table = "bad_numbers")]
pub(crate) struct BadNumbers {
    #[model(primary_key)]
    id: i32,
    size: i32,
}

#[derive(PgEnum)]
#[model(type = "stuck")]
pub(crate) enum Stuck {
    New,
}

#[derive(Model)]
#[model(table = "bad_labels")]
pub(crate) struct BadLabels {
    #[model(primary_key)]
    id: i32,
    state: Stuck,
}

#[derive(Model)]
#[model(table = "split")]
pub(crate) struct Split {
    #[model(primary_key)]
    id: i32,
    name: String,
    #[model(references = Place::id)]
    place: i32,
}

#[derive(Model)]
#[model(table = "places")]
pub(crate) struct Place {
    #[model(primary_key)]
    id: i32,
    street: String,
    city: String,
}
