//! Models → SQL, as snapshots: every setting once.
#![allow(dead_code, reason = "models are declared, not used")]
#![allow(
    clippy::duplicated_attributes,
    reason = "clippy takes a column that two indexes have for an attribute that is written twice"
)]

use super::definition::Submitted;
use super::gathered::Gathered;
use super::{Declarations, Model, ModelErrors, PgEnum, declare};

fn declare_all(submitted: &[Submitted]) -> Result<Declarations, ModelErrors> {
    declare(&Gathered::new(submitted))
}

fn sql(submitted: &[Submitted]) -> String {
    let declarations = declare_all(submitted).expect("these models are right");
    let statements: Vec<String> = declarations.iter().map(|one| one.sql() + ";").collect();
    statements.join("\n")
}

const fn model<M: Model>() -> Submitted {
    Submitted::Model(M::DEFINITION)
}

const fn pg_enum<E: PgEnum>() -> Submitted {
    Submitted::Enum(E::DEFINITION)
}

mod columns {
    use super::{model, pg_enum, sql};
    use crate::{Model, PgEnum};

    /// How it feels.
    #[derive(PgEnum)]
    #[model(type = "Mood", namespace = "shop", rename_all = "SCREAMING_SNAKE_CASE")]
    enum Mood {
        VeryGood,
        #[model(label = "it's bad")]
        Bad,
    }

    type Maybe = Option<String>;

    /// A thing
    /// with columns.
    #[derive(Model)]
    #[model(
        namespace = "shop",
        of = "a_type",
        unlogged,
        with(
            fillfactor = 70,
            autovacuum_enabled = false,
            toast(autovacuum_vacuum_threshold = 9)
        )
    )]
    #[diesel(table_name = crate::schema::things, primary_key(id))]
    struct Thing {
        #[model(identity(always, start = 10, increment = -2, min = -90, max = 10, cache = 5, cycle))]
        id: i64,
        #[model(serial, not_null(name = "a number"))]
        number: i32,
        /// The user's "name".
        #[model(collation = "C", default = "'it''s'")]
        name: String,
        #[model(
            sql_type = "varchar(80)",
            collation = "pg_catalog.\"C\"",
            storage = "main",
            compression = "pglz"
        )]
        alias: Maybe,
        r#type: Mood,
        #[diesel(column_name = "Moods")]
        moods: Vec<Mood>,
        #[model(column = "the bytes", comment = "")]
        /// Not shown.
        bytes: Option<Vec<u8>>,
        #[model(generated = "number * 2")]
        twice: i32,
        #[model(generated(expr = "number * 3", virtual))]
        thrice: Option<i32>,
        #[model(skip)]
        cache: std::collections::HashMap<u8, u8>,
    }

    #[test]
    fn every_setting() {
        insta::assert_snapshot!(sql(&[model::<Thing>(), pg_enum::<Mood>()]));
    }
}

mod constraints {
    use super::{model, sql};
    use crate::Model;

    #[derive(Model)]
    #[model(
        table = "order",
        primary_key(columns(shop, number), name = "order_key", include(note))
    )]
    #[model(unique(number, note, nulls_not_distinct, deferrable))]
    #[model(unique(
        columns(note),
        name = "one note",
        include(number),
        initially_deferred,
        comment = "It's one."
    ))]
    #[model(
        check("number > 0"),
        check(name = "small", expr = "number < 100", no_inherit, comment = "Small.")
    )]
    #[model(check("number <> 7", not_valid), check("number <> 8", not_enforced))]
    #[model(unique(shop, number, without_overlaps))]
    #[model(exclude(number(with = "=")))]
    #[model(exclude(
        columns(
            note(with = "OPERATOR(pg_catalog.=)", collation = "C", opclass = "text_ops"),
            expr("int4range(shop, number)", with = "&&")
        ),
        name = "one at a time",
        method = "gist",
        include(shop),
        where = "number > 0",
        with(fillfactor = 70),
        initially_deferred,
        comment = ""
    ))]
    struct Order {
        #[model(check("shop <> 13"), unique)]
        shop: i32,
        number: i32,
        note: String,
    }

    #[derive(Model)]
    #[model(table = "items")]
    #[model(foreign_key(
        columns(shop, number),
        references = Order(shop, number),
        on_delete = "cascade",
        on_update = "set default",
        match = "full",
        initially_deferred,
        name = "items_order"
    ))]
    #[model(foreign_key(
        columns(shop, number),
        references = Order(shop, number),
        period,
        on_delete(set_null(number)),
        not_valid
    ))]
    struct Item {
        #[model(primary_key(name = "items_key"))]
        id: i64,
        shop: i32,
        number: i32,
        #[model(references = Self::id, on_delete = "set null", deferrable)]
        part_of: Option<i64>,
        #[model(references(
            super::columns_elsewhere::Elsewhere::id,
            name = "far",
            on_update = "restrict",
            comment = "Far.",
            not_enforced
        ))]
        elsewhere: i64,
    }

    #[test]
    fn every_setting() {
        insta::assert_snapshot!(sql(&[
            model::<Item>(),
            model::<Order>(),
            model::<super::columns_elsewhere::Elsewhere>()
        ]));
    }

    #[test]
    fn only_what_was_named_has_an_id() {
        let declarations = super::declare_all(&[model::<Order>(), model::<Item>()]).expect("right");
        let named: Vec<String> = declarations.named().map(ToString::to_string).collect();
        insta::assert_snapshot!(named.join("\n"));
    }
}

mod partitions {
    use super::{model, sql};
    use crate::Model;

    #[derive(Model)]
    #[model(
        table = "events",
        namespace = "log",
        partition_by(range(created, "id % 10")),
        primary_key(created, id)
    )]
    #[model(partition("old", from = "MINVALUE, MINVALUE", to = "'2026-01-01', 0"))]
    #[model(partition(
        "new",
        from = "'2026-01-01', 0",
        to = "MAXVALUE, MAXVALUE",
        partition_by(list(kind)),
        partition("new a", values("'a'", "NULL")),
        partition("new rest", default)
    ))]
    struct Event {
        #[model(column = "Created", sql_type = "date", statistics = 500)]
        created: String,
        id: i64,
        kind: Option<String>,
    }

    #[derive(Model)]
    #[model(
        table = "visits",
        partition_by(range(day)),
        partitions(monthly, from = "2025-11", to = "2026-02")
    )]
    #[model(
        partitions(quarterly, from = "2026-04", to = "2026-10"),
        partitions(yearly, from = "2027", to = "2029")
    )]
    struct Visit {
        #[model(sql_type = "date")]
        day: String,
    }

    #[derive(Model)]
    #[model(table = "clicks", partition_by(hash(id)), partitions(hash = 2))]
    #[model(partition("more", modulus = 4, remainder = 3))]
    struct Click {
        id: i64,
    }

    #[test]
    fn every_setting() {
        insta::assert_snapshot!(sql(&[model::<Event>(), model::<Visit>(), model::<Click>()]));
    }
}

mod columns_elsewhere {
    use crate::Model;

    #[derive(Model)]
    #[model(table = "elsewhere", namespace = "Far Away")]
    pub(super) struct Elsewhere {
        #[model(primary_key)]
        id: i64,
    }
}

mod indexes {
    use super::{declare_all, model, sql};
    use crate::Model;

    #[derive(Model)]
    #[model(table = "docs", index(title))]
    #[model(statistics(id, "lower(body)", name = "docs id and body"))]
    #[model(statistics(
        columns(id, title),
        name = "docs_id_title",
        kinds(ndistinct, mcv),
        target = 500,
        comment = "Both."
    ))]
    #[model(index(title, "lower(body)", unique))]
    #[model(index(
        columns(
            title(opclass = "text_pattern_ops", collation = "C", desc, nulls = "first"),
            expr("lower(body)", desc),
            body(nulls = "last", asc)
        ),
        method = "btree",
        include(id),
        where = "id > 0",
        with(fillfactor = 70, deduplicate_items = off),
        unique,
        nulls_not_distinct,
        name = "docs_all",
        comment = "All."
    ))]
    struct Doc {
        #[model(sql_type = "int8")]
        id: i64,
        #[model(index, index(unique, desc, name = "docs_title"))]
        title: String,
        #[model(index(method = "hash", where = "body IS NOT NULL"))]
        body: Option<String>,
    }

    #[test]
    fn every_setting() {
        insta::assert_snapshot!(sql(&[model::<Doc>()]));
    }

    #[test]
    fn fragments_know_their_attribute_and_place() {
        let declarations = declare_all(&[model::<Doc>()]).expect("right");
        let fragments = declarations.fragments().iter().map(|one| {
            let field = one.origin.field.as_deref().unwrap_or("-");
            format!("{:?} {} {} {}", one.kind, one.attribute, field, one.sql)
        });
        insta::assert_snapshot!(fragments.collect::<Vec<_>>().join("\n"));
    }
}

mod mistakes;

mod extensions {
    use super::{Submitted, model, sql};
    use crate::model::definition::ExtensionDef;
    use crate::model::definition::Item;

    const fn extension(name: &'static str, namespace: Option<&'static str>) -> ExtensionDef {
        let item = Item {
            file: "src/lib.rs",
            line: 1,
            module: "app",
            name: "extension!",
        };
        ExtensionDef {
            item,
            name,
            namespace,
        }
    }

    static CITEXT: ExtensionDef = extension("citext", None);
    static TRIGRAMS: ExtensionDef = extension("pg_trgm", Some("ext"));

    crate::extension!("citext");

    #[test]
    fn come_after_their_namespace() {
        insta::assert_snapshot!(sql(&[
            Submitted::Extension(&TRIGRAMS),
            Submitted::Extension(&CITEXT),
            Submitted::Extension(&CITEXT),
            model::<super::columns_elsewhere::Elsewhere>(),
        ]));
    }

    #[test]
    fn are_gathered_from_the_macro() {
        let declarations = crate::declarations();
        // The models of the other tests claim one table twice, which says that all of them were gathered.
        assert!(declarations.is_err_and(|errors| errors.to_string().contains("twice")));
        let extensions =
            inventory::iter::<Submitted>().filter(|one| matches!(one, Submitted::Extension(_)));
        assert_eq!(extensions.count(), 1);
    }
}

mod sequences {
    use super::{Submitted, model, sql};
    use crate::model::definition::{Item, SequenceDef};

    const ITEM: Item = Item {
        file: "src/lib.rs",
        line: 1,
        module: "app",
        name: "sequence!",
    };

    static PLAIN: SequenceDef = SequenceDef::new(ITEM, "plain");
    static FULL: SequenceDef = SequenceDef::new(ITEM, "In Full")
        .namespace("shop")
        .data_type("integer")
        .increment(-5)
        .min(-100)
        .max(-10)
        .start(-20)
        .cache(3)
        .cycle()
        .comment("It's full.");

    #[test]
    fn every_setting() {
        insta::assert_snapshot!(sql(&[
            Submitted::Sequence(&PLAIN),
            Submitted::Sequence(&FULL),
            model::<super::columns_elsewhere::Elsewhere>(),
        ]));
    }
}

mod origins {
    use super::{declare_all, model};
    use crate::Model;

    const ABOVE: u32 = line!();
    /// Documentation comes before the struct, and the struct counts.
    #[derive(Model)]
    #[model(table = "placed")]
    #[model(check("b > 0"))]
    struct Placed {
        /// The first.
        #[model(default = "1")]
        a: i32,
        #[model(default = "2", check("b < 9"))]
        b: i32,
    }

    #[test]
    fn are_the_lines_of_the_source() {
        let declarations = declare_all(&[model::<Placed>()]).expect("right");
        let table = declarations.iter().next().expect("one table");
        let parts = table.parts.iter().map(|part| &part.origin);
        let found: Vec<(u32, Option<&str>)> = std::iter::once(&table.origin)
            .chain(parts)
            .map(|origin| (origin.line - ABOVE, origin.field.as_deref()))
            .collect();
        let expected = [
            (5, None),
            (8, Some("a")),
            (10, Some("b")),
            (9, Some("b")),
            (4, None),
        ];
        assert_eq!(found, expected);
        assert_eq!(table.origin.item, "Placed");
    }
}
