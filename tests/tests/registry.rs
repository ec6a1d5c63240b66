//! A schema in the manner of a public package registry, with code around most of its tables: what breaks that code is found.

use generator::{draft::Draft, prove::code::Broken};
use tests::drafted::drafted;

const REGISTRY: &str = include_str!("registry/from.sql");

fn registry(change: &str, renames: &[&str]) -> Draft {
    drafted(REGISTRY, change, renames).unwrap_or_else(|error| panic!("{}", error.full()))
}

fn broken(draft: &Draft) -> &[Broken] {
    &draft.proof.broken
}

fn said(draft: &Draft) -> Vec<String> {
    broken(draft).iter().map(ToString::to_string).collect()
}

#[test]
fn a_harmless_change_breaks_nothing_and_rows_reach_every_table() {
    let draft = registry("ALTER TABLE versions ADD COLUMN license text", &[]);
    assert_eq!(broken(&draft), []);
    let sentence = draft.proof.sentence();
    let says = "rows in 22 of 22 tables kept, with triggers off while they came into public.publish_limits; the code around \
                10 tables runs as before";
    assert!(sentence.ends_with(says), "{sentence}");
}

#[test]
fn a_renamed_column_that_a_trigger_reads_is_refused() {
    let draft = registry(
        "ALTER TABLE versions RENAME crate_id TO package_id",
        &["versions.crate_id=package_id"],
    );
    let said = said(&draft);
    for one in [
        "compilation, after up.sql: column v.crate_id does not exist\n    \
         in function public.total_of(crate integer) line 4\n    at WHERE v.crate_id = crate",
        "UPDATE public.crates, after up.sql: column v.crate_id does not exist\n    \
         in function public.rebuild_reverse_dependencies(ids integer[]) line 7\n    \
         at INSERT INTO reverse_dependencies",
        "INSERT INTO public.versions, after up.sql: record \"new\" has no field \"crate_id\"\n    \
         in function public.touch_crate() line 7, called by trigger touch_crate on public.versions",
    ] {
        assert!(
            said.iter().any(|said| said.starts_with(one)),
            "{one}\n{said:#?}"
        );
    }
    let up = draft.parts[0].up_sql();
    assert!(
        up.contains("-- hazard: breaks function public.total_of(crate integer) line 4"),
        "{up}"
    );
}

#[test]
fn another_type_that_a_function_is_called_with_is_refused() {
    let draft = registry("ALTER TABLE crates ALTER id TYPE bigint", &[]);
    assert_eq!(
        said(&draft),
        [
            "UPDATE public.crates, after up.sql: function rebuild_reverse_dependencies(bigint[]) does not exist\n    \
             in function public.reverse_dependencies_of_crate() line 3, called by trigger reverse_dependencies on \
             public.crates\n    at PERFORM rebuild_reverse_dependencies(ARRAY[NEW.id]);"
        ]
    );
}
