//! A table for each word of `#[model(…)]`, three times: without it, with it, and with it said otherwise.

use trueup::{__private::ModelDef, Model};

use crate::Found;

/// One table in three states.
pub(crate) struct Row {
    /// The table.
    pub(crate) name: &'static str,
    /// Differences that autogen finds.
    pub(crate) found: Found,
    /// The first major that has a word for it.
    pub(crate) since: u32,
    /// The states, one after the other.
    pub(crate) states: [&'static ModelDef; 3],
}

macro_rules! rows {
    ($($name:ident, $found:ident, $since:literal:
        $(#[$without:meta])* { $($a:tt)* } -> $(#[$with:meta])* { $($b:tt)* } -> $(#[$changed:meta])* { $($c:tt)* };)*) => {
        $(mod $name {
            #[allow(unused_imports, reason = "only what refers needs it")]
            use crate::Target;

            diesel::table! {
                $name (id) { id -> BigInt, }
            }

            #[derive(trueup::Model)]
            #[diesel(table_name = $name)]
            $(#[$without])*
            pub(super) struct Without { $($a)* }

            #[derive(trueup::Model)]
            #[diesel(table_name = $name)]
            $(#[$with])*
            pub(super) struct With { $($b)* }

            #[derive(trueup::Model)]
            #[diesel(table_name = $name)]
            $(#[$changed])*
            pub(super) struct Changed { $($c)* }
        })*

        /// All of them.
        pub(crate) const ROWS: &[Row] = &[$(Row {
            name: stringify!($name),
            found: Found::$found,
            since: $since,
            states: [
                <$name::Without as Model>::DEFINITION,
                <$name::With as Model>::DEFINITION,
                <$name::Changed as Model>::DEFINITION,
            ],
        }),*];
    };
}

rows! {
    w_struct_primary_key, Each, 0:
        { a: i32, b: i32, c: i32, }
        -> #[model(primary_key(a))] { a: i32, b: i32, c: i32, }
        -> #[model(primary_key(a, b))] { a: i32, b: i32, c: i32, };
    w_struct_unique, Each, 0:
        { a: i32, b: i32, c: i32, }
        -> #[model(unique(a))] { a: i32, b: i32, c: i32, }
        -> #[model(unique(a, b))] { a: i32, b: i32, c: i32, };
    w_struct_index, Each, 0:
        { a: i32, b: i32, c: i32, }
        -> #[model(index(a))] { a: i32, b: i32, c: i32, }
        -> #[model(index(a, b))] { a: i32, b: i32, c: i32, };
    w_struct_check, Each, 0:
        { a: i32, b: i32, c: i32, }
        -> #[model(check("a > 0"))] { a: i32, b: i32, c: i32, }
        -> #[model(check("a > 1"))] { a: i32, b: i32, c: i32, };
    w_struct_exclude, Each, 0:
        { a: i32, b: i32, c: i32, }
        -> #[model(exclude(a(with = "=")))] { a: i32, b: i32, c: i32, }
        -> #[model(exclude(b(with = "=")))] { a: i32, b: i32, c: i32, };
    w_struct_foreign_key, Each, 0:
        { a: i32, b: i32, c: i32, }
        -> #[model(foreign_key(columns(a), references = Target(id)))] { a: i32, b: i32, c: i32, }
        -> #[model(foreign_key(columns(b), references = Target(id)))] { a: i32, b: i32, c: i32, };
    w_struct_statistics, Each, 0:
        { a: i32, b: i32, c: i32, }
        -> #[model(statistics(a, b, name = "w_struct_statistics_statistics"))] { a: i32, b: i32, c: i32, }
        -> #[model(statistics(a, c, name = "w_struct_statistics_statistics"))] { a: i32, b: i32, c: i32, };
    w_struct_partition_by, Each, 0:
        { a: i32, b: i32, c: i32, }
        -> #[model(partition_by(range(a)))] { a: i32, b: i32, c: i32, }
        -> #[model(partition_by(list(b)))] { a: i32, b: i32, c: i32, };
    w_struct_partition, Each, 0:
        #[model(partition_by(range(a)))] { a: i32, b: i32, c: i32, }
        -> #[model(partition_by(range(a)))] #[model(partition("w_part", from = "1", to = "2"))] { a: i32, b: i32, c: i32, }
        -> #[model(partition_by(range(a)))] #[model(partition("w_part", from = "1", to = "9"))] { a: i32, b: i32, c: i32, };
    w_struct_partitions, Each, 0:
        #[model(partition_by(hash(a)))] { a: i32, b: i32, c: i32, }
        -> #[model(partition_by(hash(a)))] #[model(partitions(hash = 2))] { a: i32, b: i32, c: i32, }
        -> #[model(partition_by(hash(a)))] #[model(partitions(hash = 3))] { a: i32, b: i32, c: i32, };
    w_struct_unlogged, Toggles, 0:
        { a: i32, b: i32, c: i32, }
        -> #[model(unlogged)] { a: i32, b: i32, c: i32, }
        -> { a: i32, b: i32, c: i32, };
    w_unlogged_serial, Toggles, 0:
        { #[model(serial)] a: i32, #[model(identity = "always")] b: i64, }
        -> #[model(unlogged)] { #[model(serial)] a: i32, #[model(identity = "always")] b: i64, }
        -> { #[model(serial)] a: i32, #[model(identity = "always")] b: i64, };
    w_struct_with, Kept, 0:
        { a: String, b: String, }
        -> #[model(with(fillfactor = 70))] { a: String, b: String, }
        -> #[model(with(fillfactor = 80, toast(autovacuum_enabled = false)))] { a: String, b: String, };
    w_struct_comment, Each, 0:
        { a: i32, b: i32, c: i32, }
        -> #[model(comment = "One.")] { a: i32, b: i32, c: i32, }
        -> #[model(comment = "Two.")] { a: i32, b: i32, c: i32, };
    w_field_column, Each, 0:
        { id: i32, a: i32, }
        -> { id: i32, #[model(column = "b")] a: i32, }
        -> { id: i32, #[model(column = "c")] a: i32, };
    w_field_sql_type, Each, 0:
        { id: i32, a: String, }
        -> { id: i32, #[model(sql_type = "varchar(80)")] a: String, }
        -> { id: i32, #[model(sql_type = "varchar(90)")] a: String, };
    w_field_default, Each, 0:
        { id: i32, a: i32, }
        -> { id: i32, #[model(default = "1")] a: i32, }
        -> { id: i32, #[model(default = "2")] a: i32, };
    w_field_primary_key, Each, 0:
        { id: i32, a: i32, }
        -> { id: i32, #[model(primary_key)] a: i32, }
        -> { id: i32, #[model(primary_key(name = "w_pk"))] a: i32, };
    w_field_identity, Each, 0:
        { id: i32, a: i32, }
        -> { id: i32, #[model(identity = "always")] a: i32, }
        -> { id: i32, #[model(identity = "by default")] a: i32, };
    w_field_serial, Toggles, 0:
        { id: i32, a: i32, }
        -> { id: i32, #[model(serial)] a: i32, }
        -> { id: i32, a: i32, };
    w_field_generated, Each, 0:
        { id: i32, a: i32, }
        -> { id: i32, #[model(generated = "id + 1")] a: i32, }
        -> { id: i32, #[model(generated = "id + 2")] a: i32, };
    w_field_unique, Each, 0:
        { id: i32, a: i32, }
        -> { id: i32, #[model(unique)] a: i32, }
        -> { id: i32, #[model(unique(name = "w_one"))] a: i32, };
    w_field_index, Each, 0:
        { id: i32, a: i32, }
        -> { id: i32, #[model(index)] a: i32, }
        -> { id: i32, #[model(index(desc))] a: i32, };
    w_field_check, Each, 0:
        { id: i32, a: i32, }
        -> { id: i32, #[model(check("a > 0"))] a: i32, }
        -> { id: i32, #[model(check("a > 1"))] a: i32, };
    w_field_references, Each, 0:
        { id: i32, a: i32, }
        -> { id: i32, #[model(references = Target::id)] a: i32, }
        -> { id: i32, #[model(references = Target::other)] a: i32, };
    w_field_on_delete, Each, 0:
        { id: i32, #[model(references = Target::id)] a: Option<i32>, }
        -> { id: i32, #[model(references = Target::id, on_delete = "cascade")] a: Option<i32>, }
        -> { id: i32, #[model(references = Target::id, on_delete = "set null")] a: Option<i32>, };
    w_field_on_update, Each, 0:
        { id: i32, #[model(references = Target::id)] a: Option<i32>, }
        -> { id: i32, #[model(references = Target::id, on_update = "cascade")] a: Option<i32>, }
        -> { id: i32, #[model(references = Target::id, on_update = "restrict")] a: Option<i32>, };
    w_field_match, Toggles, 0:
        { id: i32, #[model(references = Target::id)] a: i32, }
        -> { id: i32, #[model(references = Target::id, match = "full")] a: i32, }
        -> { id: i32, #[model(references = Target::id)] a: i32, };
    w_field_deferrable, Toggles, 0:
        { id: i32, #[model(references = Target::id)] a: i32, }
        -> { id: i32, #[model(references = Target::id, deferrable)] a: i32, }
        -> { id: i32, #[model(references = Target::id)] a: i32, };
    w_field_initially_deferred, Each, 0:
        { id: i32, #[model(references = Target::id)] a: i32, }
        -> { id: i32, #[model(references = Target::id, initially_deferred)] a: i32, }
        -> { id: i32, #[model(references = Target::id, deferrable)] a: i32, };
    w_field_not_null, Kept, 18:
        { id: i32, a: i32, }
        -> { id: i32, #[model(not_null(name = "w_said"))] a: i32, }
        -> { id: i32, #[model(not_null(name = "w_other"))] a: i32, };
    w_field_collation, Each, 0:
        { id: i32, a: String, }
        -> { id: i32, #[model(collation = "C")] a: String, }
        -> { id: i32, #[model(collation = "POSIX")] a: String, };
    w_field_storage, Kept, 0:
        { id: i32, a: String, }
        -> { id: i32, #[model(storage = "external")] a: String, }
        -> { id: i32, #[model(storage = "main")] a: String, };
    w_field_compression, Kept, 0:
        { id: i32, a: String, }
        -> { id: i32, #[model(compression = "pglz")] a: String, }
        -> { id: i32, #[model(compression = "default")] a: String, };
    w_field_statistics, Kept, 0:
        { id: i32, a: i32, }
        -> { id: i32, #[model(statistics = 500)] a: i32, }
        -> { id: i32, #[model(statistics = 600)] a: i32, };
    w_field_comment, Each, 0:
        { id: i32, a: i32, }
        -> { id: i32, #[model(comment = "One.")] a: i32, }
        -> { id: i32, #[model(comment = "Two.")] a: i32, };
    w_field_skip, Toggles, 0:
        { id: i32, a: i32, }
        -> { id: i32, #[model(skip)] a: i32, }
        -> { id: i32, a: i32, };
    w_primary_key_columns, Each, 0:
        { a: i32, b: i32, c: i32, }
        -> #[model(primary_key(columns(a)))] { a: i32, b: i32, c: i32, }
        -> #[model(primary_key(columns(b)))] { a: i32, b: i32, c: i32, };
    w_primary_key_name, Each, 0:
        { a: i32, b: i32, c: i32, }
        -> #[model(primary_key(columns(a), name = "primarykey_one"))] { a: i32, b: i32, c: i32, }
        -> #[model(primary_key(columns(a), name = "primarykey_two"))] { a: i32, b: i32, c: i32, };
    w_primary_key_comment, Each, 0:
        { a: i32, b: i32, c: i32, }
        -> #[model(primary_key(columns(a), name = "primarykey_said", comment = "One."))] { a: i32, b: i32, c: i32, }
        -> #[model(primary_key(columns(a), name = "primarykey_said", comment = "Two."))] { a: i32, b: i32, c: i32, };
    w_primary_key_include, Each, 0:
        { a: i32, b: i32, c: i32, }
        -> #[model(primary_key(columns(a), include(b)))] { a: i32, b: i32, c: i32, }
        -> #[model(primary_key(columns(a), include(c)))] { a: i32, b: i32, c: i32, };
    w_primary_key_deferrable, Each, 0:
        { a: i32, b: i32, c: i32, }
        -> #[model(primary_key(columns(a), deferrable))] { a: i32, b: i32, c: i32, }
        -> #[model(primary_key(columns(a)))] { a: i32, b: i32, c: i32, };
    w_primary_key_initially_deferred, Each, 0:
        { a: i32, b: i32, c: i32, }
        -> #[model(primary_key(columns(a), initially_deferred))] { a: i32, b: i32, c: i32, }
        -> #[model(primary_key(columns(a), deferrable))] { a: i32, b: i32, c: i32, };
    w_unique_columns, Each, 0:
        { a: i32, b: i32, c: i32, }
        -> #[model(unique(columns(a)))] { a: i32, b: i32, c: i32, }
        -> #[model(unique(columns(b)))] { a: i32, b: i32, c: i32, };
    w_unique_name, Each, 0:
        { a: i32, b: i32, c: i32, }
        -> #[model(unique(columns(a), name = "unique_one"))] { a: i32, b: i32, c: i32, }
        -> #[model(unique(columns(a), name = "unique_two"))] { a: i32, b: i32, c: i32, };
    w_unique_comment, Each, 0:
        { a: i32, b: i32, c: i32, }
        -> #[model(unique(columns(a), name = "unique_said", comment = "One."))] { a: i32, b: i32, c: i32, }
        -> #[model(unique(columns(a), name = "unique_said", comment = "Two."))] { a: i32, b: i32, c: i32, };
    w_unique_include, Each, 0:
        { a: i32, b: i32, c: i32, }
        -> #[model(unique(columns(a), include(b)))] { a: i32, b: i32, c: i32, }
        -> #[model(unique(columns(a), include(c)))] { a: i32, b: i32, c: i32, };
    w_unique_deferrable, Each, 0:
        { a: i32, b: i32, c: i32, }
        -> #[model(unique(columns(a), deferrable))] { a: i32, b: i32, c: i32, }
        -> #[model(unique(columns(a)))] { a: i32, b: i32, c: i32, };
    w_unique_initially_deferred, Each, 0:
        { a: i32, b: i32, c: i32, }
        -> #[model(unique(columns(a), initially_deferred))] { a: i32, b: i32, c: i32, }
        -> #[model(unique(columns(a), deferrable))] { a: i32, b: i32, c: i32, };
    w_unique_nulls_not_distinct, Each, 0:
        { a: Option<i32>, b: i32, }
        -> #[model(unique(columns(a), nulls_not_distinct))] { a: Option<i32>, b: i32, }
        -> #[model(unique(columns(a)))] { a: Option<i32>, b: i32, };
    w_primary_key_without_overlaps, Each, 18:
        { #[model(sql_type = "int4range")] a: String, #[model(sql_type = "int4range")] b: String, }
        -> #[model(primary_key(columns(a, b), without_overlaps))] { #[model(sql_type = "int4range")] a: String, #[model(sql_type = "int4range")] b: String, }
        -> #[model(primary_key(columns(a, b)))] { #[model(sql_type = "int4range")] a: String, #[model(sql_type = "int4range")] b: String, };
    w_unique_without_overlaps, Each, 18:
        { #[model(sql_type = "int4range")] a: String, #[model(sql_type = "int4range")] b: String, }
        -> #[model(unique(columns(a, b), without_overlaps))] { #[model(sql_type = "int4range")] a: String, #[model(sql_type = "int4range")] b: String, }
        -> #[model(unique(columns(a, b)))] { #[model(sql_type = "int4range")] a: String, #[model(sql_type = "int4range")] b: String, };
    w_index_columns, Each, 0:
        { a: i32, b: i32, c: i32, }
        -> #[model(index(columns(a)))] { a: i32, b: i32, c: i32, }
        -> #[model(index(columns(b)))] { a: i32, b: i32, c: i32, };
    w_index_name, Each, 0:
        { a: i32, b: i32, c: i32, }
        -> #[model(index(columns(a), name = "w_index_name_index_one"))] { a: i32, b: i32, c: i32, }
        -> #[model(index(columns(a), name = "w_index_name_index_two"))] { a: i32, b: i32, c: i32, };
    w_index_comment, Each, 0:
        { a: i32, b: i32, c: i32, }
        -> #[model(index(columns(a), name = "w_index_comment_index_said", comment = "One."))] { a: i32, b: i32, c: i32, }
        -> #[model(index(columns(a), name = "w_index_comment_index_said", comment = "Two."))] { a: i32, b: i32, c: i32, };
    w_index_unique, Each, 0:
        { a: i32, b: i32, c: i32, }
        -> #[model(index(columns(a), unique))] { a: i32, b: i32, c: i32, }
        -> #[model(index(columns(a)))] { a: i32, b: i32, c: i32, };
    w_index_nulls_not_distinct, Each, 0:
        { a: Option<i32>, }
        -> #[model(index(columns(a), unique, nulls_not_distinct))] { a: Option<i32>, }
        -> #[model(index(columns(a), unique))] { a: Option<i32>, };
    w_index_method, Each, 0:
        { a: i32, b: i32, c: i32, }
        -> #[model(index(columns(a), method = "hash"))] { a: i32, b: i32, c: i32, }
        -> #[model(index(columns(a), method = "btree"))] { a: i32, b: i32, c: i32, };
    w_index_include, Each, 0:
        { a: i32, b: i32, c: i32, }
        -> #[model(index(columns(a), include(b)))] { a: i32, b: i32, c: i32, }
        -> #[model(index(columns(a), include(c)))] { a: i32, b: i32, c: i32, };
    w_index_where, Each, 0:
        { a: i32, b: i32, c: i32, }
        -> #[model(index(columns(a), where = "b > 0"))] { a: i32, b: i32, c: i32, }
        -> #[model(index(columns(a), where = "b > 1"))] { a: i32, b: i32, c: i32, };
    w_index_with, Each, 0:
        { a: i32, b: i32, c: i32, }
        -> #[model(index(columns(a), with(fillfactor = 70)))] { a: i32, b: i32, c: i32, }
        -> #[model(index(columns(a), with(fillfactor = 80)))] { a: i32, b: i32, c: i32, };
    w_index_key_opclass, Each, 0:
        { a: String, }
        -> #[model(index(columns(a(opclass = "text_pattern_ops"))))] { a: String, }
        -> #[model(index(columns(a(opclass = "text_ops"))))] { a: String, };
    w_index_key_collation, Each, 0:
        { a: String, }
        -> #[model(index(columns(a(collation = "C"))))] { a: String, }
        -> #[model(index(columns(a(collation = "POSIX"))))] { a: String, };
    w_index_key_asc, Each, 0:
        { a: String, }
        -> #[model(index(columns(a(asc))))] { a: String, }
        -> #[model(index(columns(a(desc))))] { a: String, };
    w_index_key_desc, Each, 0:
        { a: String, }
        -> #[model(index(columns(a(desc))))] { a: String, }
        -> #[model(index(columns(a)))] { a: String, };
    w_index_key_nulls, Each, 0:
        { a: String, }
        -> #[model(index(columns(a(nulls = "first"))))] { a: String, }
        -> #[model(index(columns(a(nulls = "last"))))] { a: String, };
    w_check_name, Each, 0:
        { a: i32, b: i32, c: i32, }
        -> #[model(check(name = "w_check_one", expr = "a > 0"))] { a: i32, b: i32, c: i32, }
        -> #[model(check(name = "w_check_two", expr = "a > 0"))] { a: i32, b: i32, c: i32, };
    w_check_expr, Each, 0:
        { a: i32, b: i32, c: i32, }
        -> #[model(check(expr = "a > 0"))] { a: i32, b: i32, c: i32, }
        -> #[model(check(expr = "a > 1"))] { a: i32, b: i32, c: i32, };
    w_check_comment, Each, 0:
        { a: i32, b: i32, c: i32, }
        -> #[model(check(name = "w_check_said", expr = "a > 0", comment = "One."))] { a: i32, b: i32, c: i32, }
        -> #[model(check(name = "w_check_said", expr = "a > 0", comment = "Two."))] { a: i32, b: i32, c: i32, };
    w_check_no_inherit, Each, 0:
        { a: i32, b: i32, c: i32, }
        -> #[model(check(expr = "a > 0", no_inherit))] { a: i32, b: i32, c: i32, }
        -> #[model(check(expr = "a > 0"))] { a: i32, b: i32, c: i32, };
    w_check_not_valid, Each, 0:
        { a: i32, b: i32, c: i32, }
        -> #[model(check(expr = "a > 0", not_valid))] { a: i32, b: i32, c: i32, }
        -> #[model(check(expr = "a > 0"))] { a: i32, b: i32, c: i32, };
    w_check_not_enforced, Each, 18:
        { a: i32, b: i32, c: i32, }
        -> #[model(check(expr = "a > 0", not_enforced))] { a: i32, b: i32, c: i32, }
        -> #[model(check(expr = "a > 0"))] { a: i32, b: i32, c: i32, };
    w_exclude_columns, Each, 0:
        { a: i32, b: i32, c: i32, }
        -> #[model(exclude(columns(a(with = "="))))] { a: i32, b: i32, c: i32, }
        -> #[model(exclude(columns(b(with = "="))))] { a: i32, b: i32, c: i32, };
    w_exclude_name, Each, 0:
        { a: i32, b: i32, c: i32, }
        -> #[model(exclude(columns(a(with = "=")), name = "w_exclude_one"))] { a: i32, b: i32, c: i32, }
        -> #[model(exclude(columns(a(with = "=")), name = "w_exclude_two"))] { a: i32, b: i32, c: i32, };
    w_exclude_comment, Each, 0:
        { a: i32, b: i32, c: i32, }
        -> #[model(exclude(columns(a(with = "=")), name = "w_exclude_said", comment = "One."))] { a: i32, b: i32, c: i32, }
        -> #[model(exclude(columns(a(with = "=")), name = "w_exclude_said", comment = "Two."))] { a: i32, b: i32, c: i32, };
    w_exclude_method, Each, 0:
        { a: i32, b: i32, c: i32, }
        -> #[model(exclude(columns(a(with = "=")), method = "hash"))] { a: i32, b: i32, c: i32, }
        -> #[model(exclude(columns(a(with = "=")), method = "btree"))] { a: i32, b: i32, c: i32, };
    w_exclude_include, Each, 0:
        { a: i32, b: i32, c: i32, }
        -> #[model(exclude(columns(a(with = "=")), include(b)))] { a: i32, b: i32, c: i32, }
        -> #[model(exclude(columns(a(with = "=")), include(c)))] { a: i32, b: i32, c: i32, };
    w_exclude_where, Each, 0:
        { a: i32, b: i32, c: i32, }
        -> #[model(exclude(columns(a(with = "=")), where = "b > 0"))] { a: i32, b: i32, c: i32, }
        -> #[model(exclude(columns(a(with = "=")), where = "b > 1"))] { a: i32, b: i32, c: i32, };
    w_exclude_with, Each, 0:
        { a: i32, b: i32, c: i32, }
        -> #[model(exclude(columns(a(with = "=")), with(fillfactor = 70)))] { a: i32, b: i32, c: i32, }
        -> #[model(exclude(columns(a(with = "=")), with(fillfactor = 80)))] { a: i32, b: i32, c: i32, };
    w_exclude_deferrable, Each, 0:
        { a: i32, b: i32, c: i32, }
        -> #[model(exclude(columns(a(with = "=")), deferrable))] { a: i32, b: i32, c: i32, }
        -> #[model(exclude(columns(a(with = "="))))] { a: i32, b: i32, c: i32, };
    w_exclude_initially_deferred, Each, 0:
        { a: i32, b: i32, c: i32, }
        -> #[model(exclude(columns(a(with = "=")), initially_deferred))] { a: i32, b: i32, c: i32, }
        -> #[model(exclude(columns(a(with = "=")), deferrable))] { a: i32, b: i32, c: i32, };
    w_compared_with, Each, 0:
        { #[model(sql_type = "int4range")] a: String, }
        -> #[model(exclude(a(with = "&&"), method = "gist"))] { #[model(sql_type = "int4range")] a: String, }
        -> #[model(exclude(a(with = "="), method = "gist"))] { #[model(sql_type = "int4range")] a: String, };
    w_compared_opclass, Each, 0:
        { a: String, }
        -> #[model(exclude(a(with = "=", opclass = "text_pattern_ops")))] { a: String, }
        -> #[model(exclude(a(with = "=", opclass = "text_ops")))] { a: String, };
    w_compared_collation, Each, 0:
        { a: String, }
        -> #[model(exclude(a(with = "=", collation = "C")))] { a: String, }
        -> #[model(exclude(a(with = "=", collation = "POSIX")))] { a: String, };
    w_compared_asc, Each, 0:
        { a: String, }
        -> #[model(exclude(a(with = "=", asc)))] { a: String, }
        -> #[model(exclude(a(with = "=", desc)))] { a: String, };
    w_compared_desc, Each, 0:
        { a: String, }
        -> #[model(exclude(a(with = "=", desc)))] { a: String, }
        -> #[model(exclude(a(with = "=")))] { a: String, };
    w_compared_nulls, Each, 0:
        { a: String, }
        -> #[model(exclude(a(with = "=", nulls = "first")))] { a: String, }
        -> #[model(exclude(a(with = "=", nulls = "last")))] { a: String, };
    w_references_name, Each, 0:
        { a: Option<i32>, }
        -> { #[model(references(Target::id, name = "references_one"))] a: Option<i32>, }
        -> { #[model(references(Target::id, name = "references_two"))] a: Option<i32>, };
    w_references_comment, Each, 0:
        { a: Option<i32>, }
        -> { #[model(references(Target::id, name = "references_said", comment = "One."))] a: Option<i32>, }
        -> { #[model(references(Target::id, name = "references_said", comment = "Two."))] a: Option<i32>, };
    w_references_ondelete, Each, 0:
        { a: Option<i32>, }
        -> { #[model(references(Target::id, on_delete = "cascade"))] a: Option<i32>, }
        -> { #[model(references(Target::id, on_delete = "set null"))] a: Option<i32>, };
    w_references_onupdate, Each, 0:
        { a: Option<i32>, }
        -> { #[model(references(Target::id, on_update = "cascade"))] a: Option<i32>, }
        -> { #[model(references(Target::id, on_update = "restrict"))] a: Option<i32>, };
    w_references_match, Each, 0:
        { a: Option<i32>, }
        -> { #[model(references(Target::id, match = "full"))] a: Option<i32>, }
        -> { #[model(references(Target::id))] a: Option<i32>, };
    w_references_deferrable, Each, 0:
        { a: Option<i32>, }
        -> { #[model(references(Target::id, deferrable))] a: Option<i32>, }
        -> { #[model(references(Target::id))] a: Option<i32>, };
    w_references_initiallydeferred, Each, 0:
        { a: Option<i32>, }
        -> { #[model(references(Target::id, initially_deferred))] a: Option<i32>, }
        -> { #[model(references(Target::id, deferrable))] a: Option<i32>, };
    w_references_notvalid, Each, 0:
        { a: Option<i32>, }
        -> { #[model(references(Target::id, not_valid))] a: Option<i32>, }
        -> { #[model(references(Target::id))] a: Option<i32>, };
    w_references_notenforced, Each, 18:
        { a: Option<i32>, }
        -> { #[model(references(Target::id, not_enforced))] a: Option<i32>, }
        -> { #[model(references(Target::id))] a: Option<i32>, };
    w_foreignkey_name, Each, 0:
        { a: Option<i32>, }
        -> #[model(foreign_key(columns(a), references = Target(id), name = "foreignkey_one"))] { a: Option<i32>, }
        -> #[model(foreign_key(columns(a), references = Target(id), name = "foreignkey_two"))] { a: Option<i32>, };
    w_foreignkey_comment, Each, 0:
        { a: Option<i32>, }
        -> #[model(foreign_key(columns(a), references = Target(id), name = "foreignkey_said", comment = "One."))] { a: Option<i32>, }
        -> #[model(foreign_key(columns(a), references = Target(id), name = "foreignkey_said", comment = "Two."))] { a: Option<i32>, };
    w_foreignkey_ondelete, Each, 0:
        { a: Option<i32>, }
        -> #[model(foreign_key(columns(a), references = Target(id), on_delete = "cascade"))] { a: Option<i32>, }
        -> #[model(foreign_key(columns(a), references = Target(id), on_delete = "set null"))] { a: Option<i32>, };
    w_foreignkey_onupdate, Each, 0:
        { a: Option<i32>, }
        -> #[model(foreign_key(columns(a), references = Target(id), on_update = "cascade"))] { a: Option<i32>, }
        -> #[model(foreign_key(columns(a), references = Target(id), on_update = "restrict"))] { a: Option<i32>, };
    w_foreignkey_match, Each, 0:
        { a: Option<i32>, }
        -> #[model(foreign_key(columns(a), references = Target(id), match = "full"))] { a: Option<i32>, }
        -> #[model(foreign_key(columns(a), references = Target(id)))] { a: Option<i32>, };
    w_foreignkey_deferrable, Each, 0:
        { a: Option<i32>, }
        -> #[model(foreign_key(columns(a), references = Target(id), deferrable))] { a: Option<i32>, }
        -> #[model(foreign_key(columns(a), references = Target(id)))] { a: Option<i32>, };
    w_foreignkey_initiallydeferred, Each, 0:
        { a: Option<i32>, }
        -> #[model(foreign_key(columns(a), references = Target(id), initially_deferred))] { a: Option<i32>, }
        -> #[model(foreign_key(columns(a), references = Target(id), deferrable))] { a: Option<i32>, };
    w_foreignkey_notvalid, Each, 0:
        { a: Option<i32>, }
        -> #[model(foreign_key(columns(a), references = Target(id), not_valid))] { a: Option<i32>, }
        -> #[model(foreign_key(columns(a), references = Target(id)))] { a: Option<i32>, };
    w_foreignkey_notenforced, Each, 18:
        { a: Option<i32>, }
        -> #[model(foreign_key(columns(a), references = Target(id), not_enforced))] { a: Option<i32>, }
        -> #[model(foreign_key(columns(a), references = Target(id)))] { a: Option<i32>, };
    w_foreign_key_references, Each, 0:
        { a: i32, }
        -> #[model(foreign_key(columns(a), references = Target(id)))] { a: i32, }
        -> #[model(foreign_key(columns(a), references = Target(other)))] { a: i32, };
    w_statistics_columns, Each, 0:
        { a: i32, b: i32, c: i32, }
        -> #[model(statistics(columns(a, b), name = "w_statistics_columns_stats_columns"))] { a: i32, b: i32, c: i32, }
        -> #[model(statistics(columns(a, c), name = "w_statistics_columns_stats_columns"))] { a: i32, b: i32, c: i32, };
    w_statistics_name, Each, 0:
        { a: i32, b: i32, c: i32, }
        -> #[model(statistics(a, b, name = "w_statistics_name_stats_one"))] { a: i32, b: i32, c: i32, }
        -> #[model(statistics(a, b, name = "w_statistics_name_stats_two"))] { a: i32, b: i32, c: i32, };
    w_statistics_comment, Each, 0:
        { a: i32, b: i32, c: i32, }
        -> #[model(statistics(a, b, name = "w_statistics_comment_stats_said", comment = "One."))] { a: i32, b: i32, c: i32, }
        -> #[model(statistics(a, b, name = "w_statistics_comment_stats_said", comment = "Two."))] { a: i32, b: i32, c: i32, };
    w_statistics_kinds, Each, 0:
        { a: i32, b: i32, c: i32, }
        -> #[model(statistics(a, b, name = "w_statistics_kinds_stats_kinds", kinds(mcv)))] { a: i32, b: i32, c: i32, }
        -> #[model(statistics(a, b, name = "w_statistics_kinds_stats_kinds", kinds(ndistinct, mcv)))] { a: i32, b: i32, c: i32, };
    w_statistics_target, Each, 0:
        { a: i32, b: i32, c: i32, }
        -> #[model(statistics(a, b, name = "w_statistics_target_stats_target", target = 500))] { a: i32, b: i32, c: i32, }
        -> #[model(statistics(a, b, name = "w_statistics_target_stats_target", target = 600))] { a: i32, b: i32, c: i32, };
    w_partition_from, Each, 0:
        #[model(partition_by(range(a)))] { a: i32, b: i32, c: i32, }
        -> #[model(partition_by(range(a)))] #[model(partition("w_from", from = "1", to = "9"))] { a: i32, b: i32, c: i32, }
        -> #[model(partition_by(range(a)))] #[model(partition("w_from", from = "0", to = "9"))] { a: i32, b: i32, c: i32, };
    w_partition_values, Each, 0:
        #[model(partition_by(list(a)))] { a: i32, b: i32, c: i32, }
        -> #[model(partition_by(list(a)))] #[model(partition("w_values", values("1")))] { a: i32, b: i32, c: i32, }
        -> #[model(partition_by(list(a)))] #[model(partition("w_values", values("1", "2")))] { a: i32, b: i32, c: i32, };
    w_partition_modulus, Each, 0:
        #[model(partition_by(hash(a)))] { a: i32, b: i32, c: i32, }
        -> #[model(partition_by(hash(a)))] #[model(partition("w_modulus", modulus = 2, remainder = 0))] { a: i32, b: i32, c: i32, }
        -> #[model(partition_by(hash(a)))] #[model(partition("w_modulus", modulus = 1, remainder = 0))] { a: i32, b: i32, c: i32, };
    w_partition_remainder, Each, 0:
        #[model(partition_by(hash(a)))] { a: i32, b: i32, c: i32, }
        -> #[model(partition_by(hash(a)))] #[model(partition("w_remainder", modulus = 2, remainder = 0))] { a: i32, b: i32, c: i32, }
        -> #[model(partition_by(hash(a)))] #[model(partition("w_remainder", modulus = 2, remainder = 1))] { a: i32, b: i32, c: i32, };
    w_partition_default, Each, 0:
        #[model(partition_by(list(a)))] { a: i32, b: i32, c: i32, }
        -> #[model(partition_by(list(a)))] #[model(partition("w_default", default))] { a: i32, b: i32, c: i32, }
        -> #[model(partition_by(list(a)))] #[model(partition("w_default", values("1")))] { a: i32, b: i32, c: i32, };
    w_partition_partition_by, Each, 0:
        #[model(partition_by(range(a)))] { a: i32, b: i32, c: i32, }
        -> #[model(partition_by(range(a)))] #[model(partition("w_partition_partition_by_below", default, partition_by(range(b))))] { a: i32, b: i32, c: i32, }
        -> #[model(partition_by(range(a)))] #[model(partition("w_partition_partition_by_below", default, partition_by(list(b))))] { a: i32, b: i32, c: i32, };
    w_partition_partition, Each, 0:
        #[model(partition_by(range(a)))] { a: i32, b: i32, c: i32, }
        -> #[model(partition_by(range(a)))] #[model(partition("w_partition_partition_below2", default, partition_by(range(b)), partition("w_partition_partition_below3", from = "1", to = "2")))] { a: i32, b: i32, c: i32, }
        -> #[model(partition_by(range(a)))] #[model(partition("w_partition_partition_below2", default, partition_by(range(b)), partition("w_partition_partition_below3", from = "1", to = "3")))] { a: i32, b: i32, c: i32, };
    w_partition_partitions, Each, 0:
        #[model(partition_by(range(a)))] { a: i32, b: i32, c: i32, }
        -> #[model(partition_by(range(a)))] #[model(partition("w_partition_partitions_below4", default, partition_by(hash(b)), partitions(hash = 1)))] { a: i32, b: i32, c: i32, }
        -> #[model(partition_by(range(a)))] #[model(partition("w_partition_partitions_below4", default, partition_by(hash(b))))] { a: i32, b: i32, c: i32, };
    w_partitions_monthly, Each, 0:
        #[model(partition_by(range(a)))] { #[model(sql_type = "date")] a: String, }
        -> #[model(partition_by(range(a)))] #[model(partitions(monthly, from = "2026-01", to = "2026-02"))] { #[model(sql_type = "date")] a: String, }
        -> #[model(partition_by(range(a)))] #[model(partitions(monthly, from = "2026-01", to = "2026-03"))] { #[model(sql_type = "date")] a: String, };
    w_partitions_quarterly, Each, 0:
        #[model(partition_by(range(a)))] { #[model(sql_type = "date")] a: String, }
        -> #[model(partition_by(range(a)))] #[model(partitions(quarterly, from = "2026-01", to = "2026-04"))] { #[model(sql_type = "date")] a: String, }
        -> #[model(partition_by(range(a)))] #[model(partitions(quarterly, from = "2026-01", to = "2026-07"))] { #[model(sql_type = "date")] a: String, };
    w_partitions_yearly, Each, 0:
        #[model(partition_by(range(a)))] { #[model(sql_type = "date")] a: String, }
        -> #[model(partition_by(range(a)))] #[model(partitions(yearly, from = "2026-01", to = "2027-01"))] { #[model(sql_type = "date")] a: String, }
        -> #[model(partition_by(range(a)))] #[model(partitions(yearly, from = "2026-01", to = "2028-01"))] { #[model(sql_type = "date")] a: String, };
    w_partitions_from, Each, 0:
        #[model(partition_by(range(a)))] { #[model(sql_type = "date")] a: String, }
        -> #[model(partition_by(range(a)))] #[model(partitions(yearly, from = "2026-01", to = "2027-01"))] { #[model(sql_type = "date")] a: String, }
        -> #[model(partition_by(range(a)))] #[model(partitions(yearly, from = "2025-01", to = "2027-01"))] { #[model(sql_type = "date")] a: String, };
    w_identity_always, Each, 0:
        { id: i32, a: i32, }
        -> { id: i32, #[model(identity(always))] a: i32, }
        -> { id: i32, #[model(identity(by_default))] a: i32, };
    w_identity_by_default, Each, 0:
        { id: i32, a: i32, }
        -> { id: i32, #[model(identity(by_default))] a: i32, }
        -> { id: i32, #[model(identity(always))] a: i32, };
    w_identity_start, Each, 0:
        { id: i32, a: i32, }
        -> { id: i32, #[model(identity(always, start = 10))] a: i32, }
        -> { id: i32, #[model(identity(always, start = 20))] a: i32, };
    w_identity_increment, Each, 0:
        { id: i32, a: i32, }
        -> { id: i32, #[model(identity(always, increment = 2))] a: i32, }
        -> { id: i32, #[model(identity(always, increment = 3))] a: i32, };
    w_identity_min, Each, 0:
        { id: i32, a: i32, }
        -> { id: i32, #[model(identity(always, min = 0, start = 5))] a: i32, }
        -> { id: i32, #[model(identity(always, min = 1, start = 5))] a: i32, };
    w_identity_max, Each, 0:
        { id: i32, a: i32, }
        -> { id: i32, #[model(identity(always, max = 1000))] a: i32, }
        -> { id: i32, #[model(identity(always, max = 2000))] a: i32, };
    w_identity_cache, Each, 0:
        { id: i32, a: i32, }
        -> { id: i32, #[model(identity(always, cache = 20))] a: i32, }
        -> { id: i32, #[model(identity(always, cache = 30))] a: i32, };
    w_identity_cycle, Each, 0:
        { id: i32, a: i32, }
        -> { id: i32, #[model(identity(always, cycle))] a: i32, }
        -> { id: i32, #[model(identity(always))] a: i32, };
    w_generated_expr, Each, 0:
        { id: i32, a: i32, }
        -> { id: i32, #[model(generated(expr = "id + 1"))] a: i32, }
        -> { id: i32, #[model(generated(expr = "id + 2"))] a: i32, };
    w_generated_virtual, Each, 18:
        { id: i32, a: i32, }
        -> { id: i32, #[model(generated(expr = "id + 1", virtual))] a: i32, }
        -> { id: i32, #[model(generated(expr = "id + 1"))] a: i32, };
}
