//! Partitions declared for an existing table: it comes to be partitioned, with another key or strategy, and unpartitioned;
//! and so does a partition of its own.

#![allow(dead_code, reason = "only what the models declare is of interest")]

use generator::{
    pipeline::autogen::{self, AutogenOptions},
    rename::{Asked, Refused},
    source::Source,
};
use tests::walk::{Walk, declared};
use trueup::{__private::Submitted, Declarations, Model};

mod plain {
    use trueup::Model;

    #[derive(Model)]
    #[model(table = "m", primary_key(id, taken), index(value))]
    pub(super) struct M {
        id: i64,
        #[model(sql_type = "date")]
        taken: String,
        #[model(default = "0", check("value >= 0"))]
        value: i32,
    }

    #[derive(Model)]
    #[model(table = "m_old", primary_key(id, taken), index(value))]
    pub(super) struct Old {
        id: i64,
        #[model(sql_type = "date")]
        taken: String,
        #[model(default = "0", check("value >= 0"))]
        value: i32,
    }
}

/// The same table, partitioned as these attributes say.
macro_rules! partitioned {
    ($name:ident, $($attribute:meta),* $(,)?) => {
        mod $name {
            use trueup::Model;

            #[derive(Model)]
            #[model(table = "m", primary_key(id, taken), index(value))]
            $(#[$attribute])*
            pub(super) struct M {
                id: i64,
                #[model(sql_type = "date")]
                taken: String,
                #[model(default = "0", check("value >= 0"))]
                value: i32,
            }
        }
    };
}

partitioned!(bare, model(partition_by(range(taken))));
partitioned!(by_id, model(partition_by(range(id))));
partitioned!(by_both, model(partition_by(range(id, taken))));
partitioned!(by_hash, model(partition_by(hash(id))));
partitioned!(
    with_children,
    model(partition_by(range(taken))),
    model(partition(
        "m_2026",
        from = "'2026-01-01'",
        to = "'2027-01-01'"
    )),
    model(partition("m_rest", default)),
);
partitioned!(
    other_bounds,
    model(partition_by(range(taken))),
    model(partition(
        "m_2026",
        from = "'2025-01-01'",
        to = "'2027-01-01'"
    )),
    model(partition("m_rest", default)),
);
partitioned!(
    children_by_id,
    model(partition_by(range(id))),
    model(partition("m_2026", from = "1", to = "2026")),
    model(partition("m_rest", default)),
);
partitioned!(
    with_parts_below,
    model(partition_by(range(taken))),
    model(partition(
        "m_2026",
        from = "'2026-01-01'",
        to = "'2027-01-01'",
        partition_by(hash(id)),
        partitions(hash = 2)
    )),
    model(partition("m_rest", default)),
);
partitioned!(
    with_others_below,
    model(partition_by(range(taken))),
    model(partition(
        "m_2026",
        from = "'2026-01-01'",
        to = "'2027-01-01'",
        partition_by(list(id)),
        partition("m_2026_some", values("1", "2"))
    )),
    model(partition("m_rest", default)),
);

macro_rules! models {
    ($($name:path),*) => {
        declared(&[$(Submitted::Model(<$name as Model>::DEFINITION)),*])
    };
}

/// Checks that the change is found on the way there and on the way back.
fn is_found(from: &Declarations, to: &Declarations) {
    let walk = Walk::begin("");
    walk.hurry(from).expect("a table");
    for (way, models) in [("there", to), ("back", from)] {
        match walk.go(models, &[]) {
            Ok(sql) => assert!(!sql.is_empty(), "{way}: nothing to do"),
            Err(error) => panic!("{way}: {error}"),
        }
    }
}

macro_rules! found {
    ($($name:ident: $from:ident => $to:ident),* $(,)?) => {
        $(#[test] fn $name() { is_found(&models![$from::M], &models![$to::M]); })*
    };
}

found! {
    a_partition_key_is_gained: plain => bare,
    a_partition_key_is_gained_with_children: plain => with_children,
    a_partition_key_is_gained_at_two_depths: plain => with_parts_below,
    a_partition_key_is_another: bare => by_id,
    a_partition_key_has_one_column_more: bare => by_both,
    a_method_is_another: by_id => by_hash,
    a_partition_key_is_another_with_children: with_children => children_by_id,
    bounds_are_others: with_children => other_bounds,
    children_come: bare => with_children,
    a_partition_is_partitioned: with_children => with_parts_below,
    a_partition_is_partitioned_otherwise: with_parts_below => with_others_below,
}

const ROWS: &str = "
    INSERT INTO m (id, taken, value) VALUES (1, '2026-05-01', 7), (2, '2030-01-01', 8);";

#[test]
fn rows_are_kept_under_another_name_where_that_is_said() {
    let walk = Walk::begin("");
    walk.hurry(&models![plain::M]).expect("a table");
    tests::run(&walk.database, ROWS);

    let both = models![with_children::M, plain::Old];
    let rename = Asked::parse("m=m_old").expect("a rename");
    let sql = walk.go(&both, &[rename]).expect("a rename");
    insta::assert_snapshot!(sql);

    let mut connection = walk.database.connect().expect("a connection");
    let kept = "(SELECT count(*) = 2 FROM m_old) AND NOT EXISTS (SELECT FROM m)";
    assert!(tests::holds(&mut connection, kept));
}

#[test]
fn rows_are_kept_until_somebody_says_that_they_go() {
    let walk = Walk::begin("");
    walk.hurry(&models![plain::M]).expect("a table");
    tests::run(&walk.database, ROWS);

    let models = models![with_children::M];
    let offered = tests::autogen(&walk.project, &models).remade;
    let offered: Vec<&str> = offered.iter().map(|one| one.rename.as_str()).collect();
    assert_eq!(offered, ["public.m=m_old"]);

    let rename = Asked::parse(offered[0]).expect("a rename");
    let draft = walk.draft(&models, &[rename]).expect("a draft");
    let draft = draft.expect("a change");
    assert_eq!(
        draft.hazards().filter(|hazard| hazard.loses_data()).count(),
        0
    );
    walk.apply(&draft);
    let mut connection = walk.database.connect().expect("a connection");
    assert!(tests::holds(
        &mut connection,
        "(SELECT count(*) = 2 FROM m_old)"
    ));

    let then = walk
        .draft(&models, &[])
        .expect("a draft")
        .expect("a change");
    let losses: Vec<String> = then.hazards().map(ToString::to_string).collect();
    let says = "loses every row of public.m_old, and breaks deployed code that names it";
    assert_eq!(losses, [says]);
}

/// Partitions that no model declares: a job made one, and a migration another.
#[test]
fn a_partition_that_no_model_declares_is_named_where_it_cannot_stay() {
    let walk = Walk::begin("");
    walk.hurry(&models![bare::M]).expect("a table");
    tests::run(
        &walk.database,
        "CREATE TABLE m_2030 PARTITION OF m FOR VALUES FROM ('2030-01-01') TO ('2031-01-01')",
    );
    let mut said = Vec::new();
    for models in [models![plain::M], models![by_id::M], models![plain::Old]] {
        said.push(walk.draft(&models, &[]).expect_err("a refusal"));
    }
    insta::assert_snapshot!(said.join("\n"));
}

/// A job made a partition in production, which no migration and no model knows: what is drafted from the migrations alone says so.
#[test]
fn partitions_that_only_a_database_has_are_lost_with_their_table() {
    for (from, to) in [
        (models![bare::M], models![by_id::M]),
        (models![bare::M], models![plain::M]),
        (models![with_children::M], models![children_by_id::M]),
        (models![with_children::M], models![plain::Old]),
    ] {
        let walk = Walk::begin("");
        walk.hurry(&from).expect("a table");
        tests::run(
            &walk.database,
            "CREATE TABLE m_1900 PARTITION OF m FOR VALUES FROM ('1900-01-01') TO ('1901-01-01');
             INSERT INTO m VALUES (1, '1900-05-05')",
        );
        let none = [Refused::parse("").expect("a pattern")];
        let migrations = Source::Migrations(walk.project.migrations.clone());
        let options = AutogenOptions {
            from: Some(&migrations),
            no_renames: &none,
            ..AutogenOptions::default()
        };
        let found = autogen::autogen(&walk.project, &to, options).expect("a draft");
        let losses: Vec<String> = found.losses().map(ToString::to_string).collect();
        let says =
            "loses every row of partitions of public.m that no migration made, where there are any";
        assert!(
            losses.iter().any(|loss| loss.starts_with(says)),
            "{losses:?}"
        );
        walk.apply(&found.draft.expect("a change"));
        let mut connection = walk.database.connect().expect("a connection");
        assert!(tests::holds(
            &mut connection,
            "to_regclass('m_1900') IS NULL"
        ));
    }
}

#[test]
fn partitions_that_change_with_their_table_there_lose_nothing() {
    let walk = Walk::begin("");
    walk.hurry(&models![with_children::M]).expect("a table");
    let draft = walk.draft(&models![other_bounds::M], &[]);
    let draft = draft.expect("a draft").expect("a change");
    assert!(draft.hazards().all(|hazard| !hazard.loses_data()));
}
