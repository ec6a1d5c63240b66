//! Words that are not about one table: the table itself, its namespace and type, periods, enums, sequences, extensions.

use trueup::{
    __private::{ExtensionDef, Item, SequenceDef, Submitted},
    Model, PgEnum,
};

use crate::Found;

/// Something in three states.
pub(crate) struct Apart {
    /// Its name, and the prefix of its names.
    pub(crate) name: &'static str,
    /// Differences that autogen finds.
    pub(crate) found: Found,
    /// The first major that has a word for it.
    pub(crate) since: u32,
    /// The states, one after the other.
    pub(crate) states: [&'static [Submitted]; 3],
}

/// Types that the models refer to and no word makes.
pub(crate) const THERE: &str = "
    CREATE TYPE a_type AS (id integer);
    CREATE TYPE another_type AS (id integer);";

macro_rules! table {
    ($struct:ident, $(#[$attribute:meta])*) => {
        #[derive(Model)]
        $(#[$attribute])*
        struct $struct { id: Option<i32> }
    };
}

table!(Table, #[model(table = "a_table")]);
table!(OtherTable, #[model(table = "a_table_other")]);
table!(Bare, #[model(table = "a_namespace")]);
table!(InOne, #[model(table = "a_namespace", namespace = "one")]);
table!(InTwo, #[model(table = "a_namespace", namespace = "two")]);
table!(OfNone, #[model(table = "a_of")]);
table!(OfOne, #[model(table = "a_of", of = "a_type")]);
table!(OfOther, #[model(table = "a_of", of = "another_type")]);

#[derive(Model)]
#[model(table = "a_period", primary_key(columns(id, at), without_overlaps))]
struct Periods {
    #[model(sql_type = "int4range")]
    id: String,
    #[model(sql_type = "int4range")]
    at: String,
}

#[derive(Model)]
#[model(table = "a_period_of")]
struct NoPeriod {
    #[model(sql_type = "int4range")]
    id: String,
    #[model(sql_type = "int4range")]
    at: String,
}

#[derive(Model)]
#[model(
    table = "a_period_of",
    foreign_key(columns(id, at), references = Periods(id, at), period)
)]
struct Period {
    #[model(sql_type = "int4range")]
    id: String,
    #[model(sql_type = "int4range")]
    at: String,
}

#[derive(Model)]
#[model(
    table = "a_period_of",
    foreign_key(columns(id, at), references = Periods(id, at), period, name = "a_period_said")
)]
struct NamedPeriod {
    #[model(sql_type = "int4range")]
    id: String,
    #[model(sql_type = "int4range")]
    at: String,
}

macro_rules! pg_enum {
    ($enum:ident, $(#[$attribute:meta])* { $($labels:tt)* }) => {
        #[derive(PgEnum)]
        $(#[$attribute])*
        enum $enum { $($labels)* }
    };
}

pg_enum!(
    Type,
    #[model(type = "an_enum_type")]
    {
        One
    }
);
pg_enum!(
    OtherType,
    #[model(type = "an_enum_type_other")]
    {
        One
    }
);
pg_enum!(
    EnumBare,
    #[model(type = "an_enum_namespace")]
    {
        One
    }
);
pg_enum!(
    EnumInOne,
    #[model(type = "an_enum_namespace", namespace = "one")]
    {
        One
    }
);
pg_enum!(
    EnumInTwo,
    #[model(type = "an_enum_namespace", namespace = "two")]
    {
        One
    }
);
pg_enum!(
    Snake,
    #[model(type = "an_enum_rename_all")]
    {
        OneTwo
    }
);
pg_enum!(
    Upper,
    #[model(type = "an_enum_rename_all", rename_all = "UPPERCASE")]
    {
        OneTwo
    }
);
pg_enum!(
    Camel,
    #[model(type = "an_enum_rename_all", rename_all = "camelCase")]
    {
        OneTwo
    }
);
pg_enum!(
    Silent,
    #[model(type = "an_enum_comment")]
    {
        One
    }
);
pg_enum!(
    Said,
    #[model(type = "an_enum_comment", comment = "One.")]
    {
        One
    }
);
pg_enum!(
    SaidOtherwise,
    #[model(type = "an_enum_comment", comment = "Two.")]
    {
        One
    }
);
pg_enum!(
    Label,
    #[model(type = "a_label")]
    {
        One
    }
);
pg_enum!(
    LabelSaid,
    #[model(type = "a_label")]
    {
        #[model(label = "first")]
        One
    }
);
pg_enum!(
    LabelOther,
    #[model(type = "a_label")]
    {
        #[model(label = "1")]
        One
    }
);

const fn item(name: &'static str) -> Item {
    Item {
        file: file!(),
        line: line!(),
        module: module_path!(),
        name,
    }
}

const fn sequence(name: &'static str) -> SequenceDef {
    SequenceDef::new(item("sequence!"), name)
}

const STARTING: &SequenceDef = &sequence("a_sequence").start(10).increment(2).cache(3);
const CHANGED: &SequenceDef = &sequence("a_sequence").start(20).increment(3).cycle();
const EXTENSION: &ExtensionDef = &ExtensionDef {
    item: item("extension!"),
    name: "citext",
    namespace: None,
};
const EXTENSION_ELSEWHERE: &ExtensionDef = &ExtensionDef {
    item: item("extension!"),
    name: "citext",
    namespace: Some("one"),
};

const fn model<M: Model>() -> Submitted {
    Submitted::Model(M::DEFINITION)
}

const fn an_enum<E: PgEnum>() -> Submitted {
    Submitted::Enum(E::DEFINITION)
}

const fn apart(
    name: &'static str,
    found: Found,
    since: u32,
    states: [&'static [Submitted]; 3],
) -> Apart {
    Apart {
        name,
        found,
        since,
        states,
    }
}

/// All of them.
pub(crate) const APART: &[Apart] = &[
    apart(
        "a_table",
        Found::Each,
        0,
        [
            &[],
            &[const { model::<Table>() }],
            &[const { model::<OtherTable>() }],
        ],
    ),
    apart(
        "a_namespace",
        Found::Each,
        0,
        [
            &[const { model::<Bare>() }],
            &[const { model::<InOne>() }],
            &[const { model::<InTwo>() }],
        ],
    ),
    apart(
        "a_of",
        Found::Each,
        0,
        [
            &[const { model::<OfNone>() }],
            &[const { model::<OfOne>() }],
            &[const { model::<OfOther>() }],
        ],
    ),
    apart(
        "a_period",
        Found::Each,
        18,
        [
            &[const { model::<Periods>() }, const { model::<NoPeriod>() }],
            &[const { model::<Periods>() }, const { model::<Period>() }],
            &[
                const { model::<Periods>() },
                const { model::<NamedPeriod>() },
            ],
        ],
    ),
    apart(
        "an_enum_type",
        Found::Each,
        0,
        [
            &[],
            &[const { an_enum::<Type>() }],
            &[const { an_enum::<OtherType>() }],
        ],
    ),
    apart(
        "an_enum_namespace",
        Found::Each,
        0,
        [
            &[const { an_enum::<EnumBare>() }],
            &[const { an_enum::<EnumInOne>() }],
            &[const { an_enum::<EnumInTwo>() }],
        ],
    ),
    apart(
        "an_enum_rename_all",
        Found::Each,
        0,
        [
            &[const { an_enum::<Snake>() }],
            &[const { an_enum::<Upper>() }],
            &[const { an_enum::<Camel>() }],
        ],
    ),
    apart(
        "an_enum_comment",
        Found::Each,
        0,
        [
            &[const { an_enum::<Silent>() }],
            &[const { an_enum::<Said>() }],
            &[const { an_enum::<SaidOtherwise>() }],
        ],
    ),
    apart(
        "a_label",
        Found::Each,
        0,
        [
            &[const { an_enum::<Label>() }],
            &[const { an_enum::<LabelSaid>() }],
            &[const { an_enum::<LabelOther>() }],
        ],
    ),
    apart(
        "a_sequence",
        Found::Kept,
        0,
        [
            &[],
            &[const { Submitted::Sequence(STARTING) }],
            &[const { Submitted::Sequence(CHANGED) }],
        ],
    ),
    apart(
        "citext",
        Found::Comes,
        0,
        [
            &[],
            &[const { Submitted::Extension(EXTENSION) }],
            &[const { Submitted::Extension(EXTENSION_ELSEWHERE) }],
        ],
    ),
];
