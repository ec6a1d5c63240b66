//! Every word of `model.md` and `pg_enum.md` counts on a table that is there: it is added, changed and taken away, and
//! autogen finds that, applies it, is silent then, and goes back. A new word without an answer here does not compile.

#![allow(dead_code, reason = "only what the models declare is of interest")]
#![allow(
    clippy::duplicated_attributes,
    reason = "two constraints may have a column in common"
)]

mod apart;
mod rows;

use std::collections::BTreeSet;

use tests::walk::{Walk, declared};
use trueup::{__private::Submitted, Declarations, Model};

use apart::{APART, Apart};
use rows::{ROWS, Row};

trueup::__private::words!();

/// What others refer to.
#[derive(Model)]
#[model(table = "target")]
struct Target {
    #[model(primary_key)]
    id: i32,
    #[model(unique)]
    other: i32,
}

/// Differences that autogen finds when a word is added, changed and removed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Found {
    /// Each of the three.
    Each,
    /// The first two: without the word, what is there stays.
    Kept,
    /// It comes and goes, and there is nothing else to say.
    Toggles,
    /// It comes, and is left alone from then on.
    Comes,
}

/// Test that tries a word.
enum Tried {
    /// By the row of this table.
    Row(&'static str),
    /// By a test in `apart.rs`.
    Apart,
    /// It is about the next migration alone: tests/ways.rs, filled.rs, fill_triggers.rs and renames.rs.
    Way,
}

#[allow(
    clippy::too_many_lines,
    clippy::match_same_arms,
    reason = "one line a word"
)]
fn tried(word: Word) -> Tried {
    match word {
        Word::StructPrimaryKey => Tried::Row("w_struct_primary_key"),
        Word::StructUnique => Tried::Row("w_struct_unique"),
        Word::StructIndex => Tried::Row("w_struct_index"),
        Word::StructCheck => Tried::Row("w_struct_check"),
        Word::StructExclude => Tried::Row("w_struct_exclude"),
        Word::StructForeignKey => Tried::Row("w_struct_foreign_key"),
        Word::StructStatistics => Tried::Row("w_struct_statistics"),
        Word::StructPartitionBy => Tried::Row("w_struct_partition_by"),
        Word::StructPartition => Tried::Row("w_struct_partition"),
        Word::StructPartitions => Tried::Row("w_struct_partitions"),
        Word::StructUnlogged => Tried::Row("w_struct_unlogged"),
        Word::StructWith => Tried::Row("w_struct_with"),
        Word::StructComment => Tried::Row("w_struct_comment"),
        Word::FieldColumn => Tried::Row("w_field_column"),
        Word::FieldSqlType => Tried::Row("w_field_sql_type"),
        Word::FieldDefault => Tried::Row("w_field_default"),
        Word::FieldPrimaryKey => Tried::Row("w_field_primary_key"),
        Word::FieldIdentity => Tried::Row("w_field_identity"),
        Word::FieldSerial => Tried::Row("w_field_serial"),
        Word::FieldGenerated => Tried::Row("w_field_generated"),
        Word::FieldUnique => Tried::Row("w_field_unique"),
        Word::FieldIndex => Tried::Row("w_field_index"),
        Word::FieldCheck => Tried::Row("w_field_check"),
        Word::FieldReferences => Tried::Row("w_field_references"),
        Word::FieldOnDelete => Tried::Row("w_field_on_delete"),
        Word::FieldOnUpdate => Tried::Row("w_field_on_update"),
        Word::FieldMatch => Tried::Row("w_field_match"),
        Word::FieldDeferrable => Tried::Row("w_field_deferrable"),
        Word::FieldInitiallyDeferred => Tried::Row("w_field_initially_deferred"),
        Word::FieldNotNull => Tried::Row("w_field_not_null"),
        Word::FieldCollation => Tried::Row("w_field_collation"),
        Word::FieldStorage => Tried::Row("w_field_storage"),
        Word::FieldCompression => Tried::Row("w_field_compression"),
        Word::FieldStatistics => Tried::Row("w_field_statistics"),
        Word::FieldComment => Tried::Row("w_field_comment"),
        Word::FieldSkip => Tried::Row("w_field_skip"),
        Word::PrimaryKeyColumns => Tried::Row("w_primary_key_columns"),
        Word::PrimaryKeyName => Tried::Row("w_primary_key_name"),
        Word::PrimaryKeyComment => Tried::Row("w_primary_key_comment"),
        Word::PrimaryKeyInclude => Tried::Row("w_primary_key_include"),
        Word::PrimaryKeyDeferrable => Tried::Row("w_primary_key_deferrable"),
        Word::PrimaryKeyInitiallyDeferred => Tried::Row("w_primary_key_initially_deferred"),
        Word::UniqueColumns => Tried::Row("w_unique_columns"),
        Word::UniqueName => Tried::Row("w_unique_name"),
        Word::UniqueComment => Tried::Row("w_unique_comment"),
        Word::UniqueInclude => Tried::Row("w_unique_include"),
        Word::UniqueDeferrable => Tried::Row("w_unique_deferrable"),
        Word::UniqueInitiallyDeferred => Tried::Row("w_unique_initially_deferred"),
        Word::UniqueNullsNotDistinct => Tried::Row("w_unique_nulls_not_distinct"),
        Word::PrimaryKeyWithoutOverlaps => Tried::Row("w_primary_key_without_overlaps"),
        Word::UniqueWithoutOverlaps => Tried::Row("w_unique_without_overlaps"),
        Word::IndexColumns => Tried::Row("w_index_columns"),
        Word::IndexName => Tried::Row("w_index_name"),
        Word::IndexComment => Tried::Row("w_index_comment"),
        Word::IndexUnique => Tried::Row("w_index_unique"),
        Word::IndexNullsNotDistinct => Tried::Row("w_index_nulls_not_distinct"),
        Word::IndexMethod => Tried::Row("w_index_method"),
        Word::IndexInclude => Tried::Row("w_index_include"),
        Word::IndexWhere => Tried::Row("w_index_where"),
        Word::IndexWith => Tried::Row("w_index_with"),
        Word::IndexKeyOpclass => Tried::Row("w_index_key_opclass"),
        Word::IndexKeyCollation => Tried::Row("w_index_key_collation"),
        Word::IndexKeyAsc => Tried::Row("w_index_key_asc"),
        Word::IndexKeyDesc => Tried::Row("w_index_key_desc"),
        Word::IndexKeyNulls => Tried::Row("w_index_key_nulls"),
        Word::CheckName => Tried::Row("w_check_name"),
        Word::CheckExpr => Tried::Row("w_check_expr"),
        Word::CheckComment => Tried::Row("w_check_comment"),
        Word::CheckNoInherit => Tried::Row("w_check_no_inherit"),
        Word::CheckNotValid => Tried::Row("w_check_not_valid"),
        Word::CheckNotEnforced => Tried::Row("w_check_not_enforced"),
        Word::ExcludeColumns => Tried::Row("w_exclude_columns"),
        Word::ExcludeName => Tried::Row("w_exclude_name"),
        Word::ExcludeComment => Tried::Row("w_exclude_comment"),
        Word::ExcludeMethod => Tried::Row("w_exclude_method"),
        Word::ExcludeInclude => Tried::Row("w_exclude_include"),
        Word::ExcludeWhere => Tried::Row("w_exclude_where"),
        Word::ExcludeWith => Tried::Row("w_exclude_with"),
        Word::ExcludeDeferrable => Tried::Row("w_exclude_deferrable"),
        Word::ExcludeInitiallyDeferred => Tried::Row("w_exclude_initially_deferred"),
        Word::ComparedWith => Tried::Row("w_compared_with"),
        Word::ComparedOpclass => Tried::Row("w_compared_opclass"),
        Word::ComparedCollation => Tried::Row("w_compared_collation"),
        Word::ComparedAsc => Tried::Row("w_compared_asc"),
        Word::ComparedDesc => Tried::Row("w_compared_desc"),
        Word::ComparedNulls => Tried::Row("w_compared_nulls"),
        Word::ReferencesName => Tried::Row("w_references_name"),
        Word::ReferencesComment => Tried::Row("w_references_comment"),
        Word::ReferencesOnDelete => Tried::Row("w_references_ondelete"),
        Word::ReferencesOnUpdate => Tried::Row("w_references_onupdate"),
        Word::ReferencesMatch => Tried::Row("w_references_match"),
        Word::ReferencesDeferrable => Tried::Row("w_references_deferrable"),
        Word::ReferencesInitiallyDeferred => Tried::Row("w_references_initiallydeferred"),
        Word::ReferencesNotValid => Tried::Row("w_references_notvalid"),
        Word::ReferencesNotEnforced => Tried::Row("w_references_notenforced"),
        Word::ForeignKeyName => Tried::Row("w_foreignkey_name"),
        Word::ForeignKeyComment => Tried::Row("w_foreignkey_comment"),
        Word::ForeignKeyOnDelete => Tried::Row("w_foreignkey_ondelete"),
        Word::ForeignKeyOnUpdate => Tried::Row("w_foreignkey_onupdate"),
        Word::ForeignKeyMatch => Tried::Row("w_foreignkey_match"),
        Word::ForeignKeyDeferrable => Tried::Row("w_foreignkey_deferrable"),
        Word::ForeignKeyInitiallyDeferred => Tried::Row("w_foreignkey_initiallydeferred"),
        Word::ForeignKeyNotValid => Tried::Row("w_foreignkey_notvalid"),
        Word::ForeignKeyNotEnforced => Tried::Row("w_foreignkey_notenforced"),
        Word::ForeignKeyColumns => Tried::Row("w_struct_foreign_key"),
        Word::ForeignKeyReferences => Tried::Row("w_foreign_key_references"),
        Word::StatisticsColumns => Tried::Row("w_statistics_columns"),
        Word::StatisticsName => Tried::Row("w_statistics_name"),
        Word::StatisticsComment => Tried::Row("w_statistics_comment"),
        Word::StatisticsKinds => Tried::Row("w_statistics_kinds"),
        Word::StatisticsTarget => Tried::Row("w_statistics_target"),
        Word::PartitionFrom => Tried::Row("w_partition_from"),
        Word::PartitionTo => Tried::Row("w_struct_partition"),
        Word::PartitionValues => Tried::Row("w_partition_values"),
        Word::PartitionModulus => Tried::Row("w_partition_modulus"),
        Word::PartitionRemainder => Tried::Row("w_partition_remainder"),
        Word::PartitionDefault => Tried::Row("w_partition_default"),
        Word::PartitionPartitionBy => Tried::Row("w_partition_partition_by"),
        Word::PartitionPartition => Tried::Row("w_partition_partition"),
        Word::PartitionPartitions => Tried::Row("w_partition_partitions"),
        Word::PartitionsMonthly => Tried::Row("w_partitions_monthly"),
        Word::PartitionsQuarterly => Tried::Row("w_partitions_quarterly"),
        Word::PartitionsYearly => Tried::Row("w_partitions_yearly"),
        Word::PartitionsFrom => Tried::Row("w_partitions_from"),
        Word::PartitionsTo => Tried::Row("w_partitions_monthly"),
        Word::PartitionsHash => Tried::Row("w_struct_partitions"),
        Word::IdentityAlways => Tried::Row("w_identity_always"),
        Word::IdentityByDefault => Tried::Row("w_identity_by_default"),
        Word::IdentityStart => Tried::Row("w_identity_start"),
        Word::IdentityIncrement => Tried::Row("w_identity_increment"),
        Word::IdentityMin => Tried::Row("w_identity_min"),
        Word::IdentityMax => Tried::Row("w_identity_max"),
        Word::IdentityCache => Tried::Row("w_identity_cache"),
        Word::IdentityCycle => Tried::Row("w_identity_cycle"),
        Word::GeneratedExpr => Tried::Row("w_generated_expr"),
        Word::GeneratedVirtual => Tried::Row("w_generated_virtual"),
        Word::StructTable => Tried::Apart,
        Word::StructNamespace => Tried::Apart,
        Word::StructOf => Tried::Apart,
        Word::StructRenamedFrom => Tried::Way,
        Word::FieldUsing => Tried::Way,
        Word::FieldFill => Tried::Way,
        Word::FieldRenamedFrom => Tried::Way,
        Word::UsingBack => Tried::Way,
        Word::FillTriggers => Tried::Way,
        Word::ForeignKeyPeriod => Tried::Apart,
        Word::EnumType => Tried::Apart,
        Word::EnumNamespace => Tried::Apart,
        Word::EnumRenameAll => Tried::Apart,
        Word::EnumRenamedFrom => Tried::Way,
        Word::EnumComment => Tried::Apart,
        Word::VariantLabel => Tried::Apart,
        Word::VariantRenamedFrom => Tried::Way,
        Word::VariantReplaces => Tried::Way,
    }
}

fn all(state: usize, major: u32) -> Declarations {
    let rows = ROWS.iter().filter(|row| row.since <= major);
    let mut submitted: Vec<Submitted> = rows
        .map(|row| Submitted::Model(row.states[state]))
        .collect();
    submitted.push(Submitted::Model(Target::DEFINITION));
    let apart = APART.iter().filter(|one| one.since <= major);
    let apart = apart.flat_map(|one| one.states[state]);
    submitted.extend(apart.map(|one| match one {
        Submitted::Model(model) => Submitted::Model(model),
        Submitted::Enum(pg_enum) => Submitted::Enum(pg_enum),
        Submitted::Extension(extension) => Submitted::Extension(extension),
        Submitted::Sequence(sequence) => Submitted::Sequence(sequence),
    }));
    declared(&submitted)
}

#[test]
fn every_word_has_a_row() {
    let rows: BTreeSet<&str> = ROWS.iter().map(|row| row.name).collect();
    let missing = WORDS.iter().filter(|word| match tried(**word) {
        Tried::Row(name) => !rows.contains(name),
        Tried::Apart | Tried::Way => false,
    });
    assert_eq!(missing.count(), 0);
}

#[test]
fn every_word_comes_and_changes_and_goes() {
    let walk = Walk::begin(apart::THERE);
    let major = walk.major();
    walk.hurry(&all(0, major)).expect("tables");
    let mut told = String::new();
    let mut wrong = Vec::new();
    for (step, state) in [1, 2, 0].into_iter().enumerate() {
        let found = walk.differing(&all(state, major)).expect("a draft");
        let rows = ROWS.iter().map(
            |Row {
                 name, found, since, ..
             }| (name, found, since),
        );
        let apart = APART.iter().map(
            |Apart {
                 name, found, since, ..
             }| (name, found, since),
        );
        for (name, wanted, since) in rows.chain(apart).filter(|(_, _, since)| **since <= major) {
            let of_it: Vec<&String> = found.iter().filter(|id| is_of(name, id)).collect();
            let is_wanted = match wanted {
                Found::Each => true,
                Found::Kept | Found::Toggles => step < 2,
                Found::Comes => step < 1,
            };
            if of_it.is_empty() == is_wanted {
                wrong.push(format!("{name}, step {step}: {of_it:?} (since {since})"));
            }
            told += &format!("{step} {name}: {of_it:?}\n");
        }
        if let Err(error) = walk.go(&all(state, major), &[]) {
            wrong.push(format!("step {step}: {error}"));
            break;
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // Other majors have more words, and call some things otherwise.
    if major == 15 {
        insta::assert_snapshot!(format!("found_on_{major}"), told);
    }
}

/// True if something is the table of a row, or hangs on it or on a partition of it, and on no row with a longer name.
fn is_of(row: &str, id: &str) -> bool {
    let rows = ROWS.iter().map(|row| row.name);
    let names: Vec<&str> = rows.chain(APART.iter().map(|one| one.name)).collect();
    id.split(|c: char| !c.is_alphanumeric() && c != '_')
        .any(|part| {
            let of = names.iter().filter(|name| {
                part.strip_prefix(**name)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('_'))
            });
            of.max_by_key(|name| name.len()) == Some(&row)
        })
}
