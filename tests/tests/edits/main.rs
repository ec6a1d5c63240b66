//! Edits of models as people make them, each on a table with rows: what is said before, what becomes of the rows there and back,
//! and that nothing is left to do.

mod models;

use std::path::Path;

use generator::{
    migrations::apply::{self, DownTarget, Options},
    named::Named,
    pipeline::autogen::{self, Autogen, AutogenOptions},
    postgres::{binaries::Binaries, dump},
    rename::Refused,
};
use models::{BadLabels, BadNumbers, Place, Split, Stuck};
use tests::walk::{Walk, declared};
use trueup::{__private::Submitted, Declarations, Id, Model, PgEnum};

/// The edits that need SQL by hand, or another word in the model: their tables and types.
const BY_HAND: [&str; 5] = ["bad_numbers", "stuck", "bad_labels", "split", "places"];

struct Edit {
    /// The table.
    of: &'static str,
    /// Hazards, or statements; each stands in up.sql.
    said: &'static [&'static str],
    /// True of the rows after the upgrade.
    there: &'static str,
    /// True of the rows after the downgrade.
    back: &'static str,
}

const EDITS: &[Edit] = &[
    Edit {
        of: "add_nullable",
        said: &["ALTER TABLE public.add_nullable ADD COLUMN note text;"],
        there: "(SELECT note IS NULL FROM add_nullable)",
        back: "(SELECT count(*) = 1 FROM add_nullable)",
    },
    Edit {
        of: "add_filled",
        said: &[
            "ADD COLUMN phone text DEFAULT 'none'::text NOT NULL;",
            "ALTER COLUMN phone DROP DEFAULT;",
        ],
        there: "(SELECT phone = 'none' FROM add_filled)",
        back: "(SELECT count(*) = 1 FROM add_filled)",
    },
    Edit {
        of: "add_computed",
        said: &[
            "UPDATE public.add_computed SET slug = lower(name)",
            "updates every row of public.add_computed",
        ],
        there: "(SELECT array_agg(slug ORDER BY id) = '{ada,bob}' FROM add_computed)",
        back: "(SELECT count(*) = 2 FROM add_computed)",
    },
    Edit {
        of: "add_default",
        said: &["ADD COLUMN active boolean DEFAULT true NOT NULL;"],
        there: "(SELECT active FROM add_default)",
        back: "(SELECT count(*) = 1 FROM add_default)",
    },
    Edit {
        of: "drop_column",
        said: &["loses every value of public.drop_column.fax"],
        there: "(SELECT count(*) = 1 FROM drop_column)",
        back: "(SELECT fax IS NULL FROM drop_column)",
    },
    Edit {
        of: "rename_column",
        said: &["breaks deployed code that names public.rename_column.phone"],
        there: "(SELECT mobile = '123' FROM rename_column)",
        back: "(SELECT phone = '123' FROM rename_column)",
    },
    Edit {
        of: "rename_table",
        said: &["ALTER TABLE public.old_table RENAME TO rename_table;"],
        there: "(SELECT array_agg(name ORDER BY id) = '{Ada,Bob}' FROM rename_table)",
        back: "(SELECT array_agg(name ORDER BY id) = '{Ada,Bob}' FROM old_table)",
    },
    Edit {
        of: "rename_labels",
        said: &[
            "RENAME VALUE 'loud' TO 'noisy'",
            "RENAME VALUE 'soft' TO 'quiet'",
        ],
        there: "(SELECT array_agg(tone::text ORDER BY id) = '{noisy,quiet}' FROM rename_labels)",
        back: "(SELECT array_agg(tone::text ORDER BY id) = '{loud,soft}' FROM rename_labels)",
    },
    Edit {
        of: "rename_enum",
        said: &["ALTER TYPE public.old_enum RENAME TO new_enum;"],
        there: "(SELECT array_agg(kind::text ORDER BY id) = '{a,b}' FROM rename_enum)",
        back: "(SELECT array_agg(kind::text ORDER BY id) = '{a,b}' FROM rename_enum)",
    },
    Edit {
        of: "widen",
        said: &["rewrites public.widen under ACCESS EXCLUSIVE"],
        there: "(SELECT total = 2147483647 FROM widen)",
        back: "(SELECT total = 2147483647 FROM widen)",
    },
    Edit {
        of: "shrink",
        said: &["SELECT * FROM public.shrink WHERE length(rtrim(code::text)) > 5"],
        there: "(SELECT code = 'short' FROM shrink)",
        back: "(SELECT code = 'short' FROM shrink)",
    },
    Edit {
        of: "text_to_integer",
        said: &[
            "fails while this fails: SELECT size::integer FROM public.text_to_integer",
            "rewrites public.text_to_integer",
        ],
        there: "(SELECT array_agg(size ORDER BY id) = '{7,7}' FROM text_to_integer)",
        back: "(SELECT array_agg(size ORDER BY id) = '{7,7}' FROM text_to_integer)",
    },
    Edit {
        of: "defaults",
        said: &[
            "ALTER COLUMN added SET DEFAULT 'new'::text;",
            "ALTER COLUMN changed SET DEFAULT 2;",
            "ALTER COLUMN dropped DROP DEFAULT;",
            "breaks deployed code that leaves out public.defaults.dropped",
        ],
        there: "(SELECT (added, changed, dropped) = ('a', 1, 1) FROM defaults)",
        back: "(SELECT (added, changed, dropped) = ('a', 1, 1) FROM defaults)",
    },
    Edit {
        of: "unique_comes",
        said: &["SELECT email, count(*) FROM public.unique_comes GROUP BY 1 HAVING count(*) > 1"],
        there: "(SELECT count(*) = 2 FROM unique_comes)",
        back: "(SELECT count(*) = 2 FROM unique_comes)",
    },
    Edit {
        of: "check_comes",
        said: &["SELECT * FROM public.check_comes WHERE NOT (age >= 18)"],
        there: "(SELECT age = 18 FROM check_comes)",
        back: "(SELECT age = 18 FROM check_comes)",
    },
    Edit {
        of: "key_comes",
        said: &[
            "SELECT * FROM public.key_comes child WHERE child.other IS NOT NULL AND NOT EXISTS",
        ],
        there: "(SELECT count(*) = 2 FROM key_comes)",
        back: "(SELECT count(*) = 2 FROM key_comes)",
    },
    Edit {
        of: "indexed",
        said: &[
            "CREATE INDEX plain ON public.indexed",
            "CREATE UNIQUE INDEX partial ON public.indexed USING btree (email)\n    WHERE active;",
            "CREATE INDEX expression ON public.indexed USING btree (lower(email))",
            "scans public.indexed under",
        ],
        there: "(SELECT count(*) = 1 FROM indexed)",
        back: "(SELECT count(*) = 1 FROM indexed)",
    },
    Edit {
        of: "composite",
        said: &["PRIMARY KEY (a, b)", "UNIQUE (b, c)"],
        there: "(SELECT count(*) = 2 FROM composite)",
        back: "(SELECT count(*) = 2 FROM composite)",
    },
    Edit {
        of: "label_added",
        said: &["ALTER TYPE public.grows ADD VALUE 'middle' BEFORE 'high';"],
        there: "(SELECT array_agg(level::text ORDER BY id) = '{low,high}' FROM label_added)",
        back: "(SELECT array_agg(level::text ORDER BY id) = '{low,high}' FROM label_added)",
    },
    Edit {
        of: "label_removed",
        said: &["changes every 'gone' in public.label_removed.state to 'done'"],
        there: "(SELECT array_agg(state::text ORDER BY id) = '{done,done}' FROM label_removed)",
        back: "(SELECT count(*) = 2 FROM label_removed)",
    },
    Edit {
        of: "labels_reordered",
        said: &["rewrites public.labels_reordered"],
        there: "(SELECT array_agg(turn::text ORDER BY turn) = '{three,one}' FROM labels_reordered)",
        back: "(SELECT array_agg(turn::text ORDER BY turn) = '{one,three}' FROM labels_reordered)",
    },
    Edit {
        of: "serial_to_identity",
        said: &["public.serial_to_identity"],
        there: "(SELECT last_value = 5 AND is_called FROM serial_to_identity_id_seq)",
        // The down states it: it resets the sequence, which counts on from the values.
        back: "(SELECT last_value = 2 AND is_called FROM serial_to_identity_id_seq)",
    },
    Edit {
        of: "commented",
        said: &["COMMENT ON TABLE public.commented IS 'It''s commented.';"],
        there: "(SELECT count(*) = 1 FROM commented)",
        back: "obj_description('commented'::regclass) IS NULL",
    },
    Edit {
        of: "generated",
        said: &[
            "GENERATED ALWAYS AS (lower(name)) STORED",
            "rewrites public.generated",
        ],
        there: "(SELECT lower_name = 'ada' FROM generated)",
        back: "(SELECT name = 'Ada' FROM generated)",
    },
    Edit {
        of: "on_delete",
        said: &["REFERENCES public.widen(id) ON DELETE CASCADE"],
        there: "(SELECT count(*) = 1 FROM on_delete)",
        back: "(SELECT count(*) = 1 FROM on_delete)",
    },
    Edit {
        of: "nullable",
        said: &["ALTER TABLE public.nullable ALTER COLUMN name DROP NOT NULL;"],
        there: "(SELECT name = 'Ada' FROM nullable)",
        back: "(SELECT name = 'Ada' FROM nullable)",
    },
    Edit {
        of: "required",
        said: &[
            "changes every NULL in public.required.name to 'nobody'",
            "breaks deployed code that leaves NULL in public.required.name",
        ],
        there: "(SELECT array_agg(name ORDER BY id) = '{nobody,Ada}' FROM required)",
        back: "(SELECT array_agg(name ORDER BY id) = '{nobody,Ada}' FROM required)",
    },
    Edit {
        of: "json_to_jsonb",
        said: &["rewrites public.json_to_jsonb"],
        there: "(SELECT data = '{\"a\": [1, 2]}' FROM json_to_jsonb)",
        back: "(SELECT data::jsonb = '{\"a\": [1, 2]}' FROM json_to_jsonb)",
    },
    Edit {
        of: "to_timestamptz",
        said: &["USING at AT TIME ZONE 'UTC'"],
        there: "(SELECT at = '2026-01-01 12:00+00' FROM to_timestamptz)",
        back: "(SELECT at = '2026-01-01 12:00' FROM to_timestamptz)",
    },
    Edit {
        of: "to_array",
        said: &["USING string_to_array(tags, ',')"],
        there: "(SELECT tags = '{a,b}' FROM to_array)",
        back: "(SELECT tags = 'a,b' FROM to_array)",
    },
    Edit {
        of: "new_key",
        said: &[
            "PRIMARY KEY (code)",
            "SELECT code, count(*) FROM public.new_key GROUP BY 1 HAVING count(*) > 1",
        ],
        there: "(SELECT count(*) = 2 FROM new_key)",
        back: "(SELECT count(*) = 2 FROM new_key)",
    },
    Edit {
        of: "coarser",
        said: &["loses the digits of public.coarser.amount after place 2 behind the point"],
        there: "(SELECT amount = 1.23 FROM coarser)",
        back: "(SELECT amount = 1.23 FROM coarser)",
    },
    Edit {
        of: "hens",
        said: &[
            "CREATE TABLE public.hens",
            "CREATE TABLE public.eggs",
            "hens_egg_fkey",
        ],
        there: "(SELECT count(*) = 0 FROM hens)",
        back: "to_regclass('hens') IS NULL AND to_regclass('eggs') IS NULL",
    },
    Edit {
        of: "loses_parent",
        said: &[
            "loses every row of public.goes",
            "loses every value of public.loses_parent.parent",
        ],
        there: "(SELECT count(*) = 1 FROM loses_parent)",
        back: "(SELECT parent IS NULL FROM loses_parent)",
    },
];

fn begin() -> Walk {
    let walk = Walk::begin(include_str!("before.sql"));
    tests::run(&walk.database, include_str!("rows.sql"));
    walk
}

fn declarations(wanted: impl Fn(&str) -> bool) -> Declarations {
    let all = autogen::declarations().expect("models");
    all.only(|id: &Id| id.path().get(1).is_some_and(|name| wanted(name)))
}

/// The hazards that fail on rows that are there.
fn fails(found: &Autogen) -> Vec<String> {
    found
        .answers
        .fails
        .iter()
        .map(ToString::to_string)
        .collect()
}

fn found(walk: &Walk, declarations: &Declarations, drops: &[Named]) -> Autogen {
    let none = [Refused::parse("").expect("all")];
    let options = AutogenOptions {
        no_renames: &none,
        drops,
        ..AutogenOptions::default()
    };
    let found = autogen::autogen(&walk.project, declarations, options);
    found.map_err(|error| error.full()).expect("a draft")
}

/// Output of pg_dump for the schema.
fn dump(walk: &Walk) -> String {
    let binaries = Binaries::find(std::env::var_os("TRUEUP_PG_BIN").as_deref());
    let pg_dump = binaries.pg_dump(walk.major()).expect("pg_dump");
    dump::dump(Path::new(&pg_dump), &walk.database.url()).expect("a dump")
}

fn must_hold(walk: &Walk, when: &str, condition: impl Fn(&Edit) -> &'static str) {
    let mut connection = walk.database.connect().expect("a connection");
    let wrong: Vec<&str> = EDITS
        .iter()
        .filter(|edit| !tests::holds(&mut connection, condition(edit)))
        .map(|edit| edit.of)
        .collect();
    assert!(wrong.is_empty(), "{when}: {wrong:?}");
}

#[test]
fn edits_keep_what_they_say_they_keep() {
    let walk = begin();
    let before = dump(&walk);
    let models = declarations(|name| !BY_HAND.contains(&name));
    let drop = [Named::parse("public.goes").expect("a name")];
    let found_first = found(&walk, &models, &drop);
    let draft = found_first.draft.as_ref().expect("a draft");
    let up = tests::ups(Some(draft));
    let missing: Vec<(&str, &str)> = EDITS
        .iter()
        .flat_map(|edit| edit.said.iter().map(|said| (edit.of, *said)))
        .filter(|(_, said)| !up.contains(said))
        .collect();
    assert!(missing.is_empty(), "{missing:#?}\n{up}");
    // Each has a value for the rows that are there, and none of those fails.
    assert_eq!(found_first.unfilled, []);
    assert_eq!(found_first.answers.fails, []);
    let sentence = draft.proof.sentence();
    assert!(
        sentence.contains("rows in 37 of 37 tables kept"),
        "{sentence}"
    );

    let written = autogen::write(&walk.project, "edits", draft).expect("migrations");
    walk.upgrade();
    must_hold(&walk, "after the upgrade", |edit| edit.there);
    let again = found(&walk, &models, &[]);
    assert!(
        again.draft.is_none(),
        "{}",
        tests::ups(again.draft.as_ref())
    );

    let mut connection = walk.database.connect().expect("a connection");
    let back = DownTarget::Minus(written.len());
    apply::downgrade(
        &mut connection,
        &walk.project.migrations,
        &back,
        Options::default(),
    )
    .expect("a downgrade");
    must_hold(&walk, "after the downgrade", |edit| edit.back);
    let agreed = dump::agree(&before, &dump(&walk));
    assert!(agreed.is_ok(), "{agreed:#?}");
    walk.upgrade();
}

#[test]
fn edits_that_need_a_hand_say_so_before() {
    let walk = begin();
    let numbers = declared(&[Submitted::Model(BadNumbers::DEFINITION)]);
    let labels = [
        Submitted::Model(BadLabels::DEFINITION),
        Submitted::Enum(Stuck::DEFINITION),
    ];
    let places = [
        Submitted::Model(Split::DEFINITION),
        Submitted::Model(Place::DEFINITION),
    ];

    let found_numbers = found(&walk, &numbers, &[]);
    let failing = fails(&found_numbers);
    assert!(
        failing[0].ends_with("a value does not fit: SELECT size::integer FROM public.bad_numbers"),
        "{failing:?}"
    );
    let up = tests::ups(found_numbers.draft.as_ref());
    assert!(
        up.contains("#[model(using(\"…\", back = \"…\"))] on the field of public.bad_numbers.size"),
        "{up}"
    );

    let found_labels = found(&walk, &declared(&labels), &[]);
    let failing = fails(&found_labels);
    assert!(
        failing[0].contains("1 row: SELECT * FROM public.bad_labels WHERE state::text IN ('gone')"),
        "{failing:?}"
    );
    let up = tests::ups(found_labels.draft.as_ref());
    assert!(
        up.contains("#[model(replaces = \"…\")] on a label of the model"),
        "{up}"
    );

    // The rows' places are lost, and the new column has no value.
    let split = found(&walk, &declared(&places), &[]);
    let lost: Vec<String> = split.losses().map(ToString::to_string).collect();
    assert!(
        lost.iter().any(|one| one.contains("public.split.street")),
        "{lost:?}"
    );
    let unfilled: Vec<String> = split.unfilled.iter().map(autogen::Unfilled::path).collect();
    assert_eq!(unfilled, ["public.split.place"]);
    assert_eq!(split.answers.fails.len(), 1, "{:?}", split.answers.fails);
}
