//! Mistakes in models that each compile.

use crate::{Name, Origin};

/// Failure to declare the models.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ModelErrors {
    /// No model is linked into the program. Taken for an empty database, it would mean: drop everything.
    #[error(
        "there are no models in this program. A crate that is mentioned nowhere is not linked: write `use models as _;` \
         in the binary, and derive `Model` on at least one struct"
    )]
    NoModels,
    /// All mistakes in the models, in the order of their files.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Wrong(Vec<ModelError>),
}

/// One mistake in the models.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the message says what each field is")]
pub enum ModelError {
    /// Two structs are one table, two enums one type, two macros one sequence, or one of each.
    #[error(
        "{second}: {name} is declared already, at {first}. Give one of them another name, or remove it (a table takes \
         the name of a type too)"
    )]
    DeclaredTwice {
        name: Name,
        first: Origin,
        second: Origin,
    },
    /// Two structs are one table.
    #[error(
        "{second}: {name} is what another struct declares, at {first}. One struct says what a table is: take `Model` and `#[model(…)]` \
         off the other, which Diesel's own derives do without; or, where it is another table, write its name: #[model(table = \"…\")]"
    )]
    TwoStructs {
        name: Name,
        first: Origin,
        second: Origin,
    },
    /// One extension is wanted in two namespaces.
    #[error(
        "{second}: the extension {name} is declared in another schema at {first}. A database has an extension once"
    )]
    ExtensionInTwoPlaces {
        name: String,
        first: Origin,
        second: Origin,
    },
    /// A name that Postgres would truncate.
    #[error(
        "{origin}: the name {name:?} is {} bytes long, and Postgres cuts names after 63. Write a shorter one", .name.len()
    )]
    NameTooLong { name: String, origin: Origin },
    /// A `renamed_from` is not a valid name.
    #[error(
        "{origin}: renamed_from = {name:?} is no name. Write \"table\", or \"namespace.table\" where it was in another one"
    )]
    NoName { name: String, origin: Origin },
    /// One former name for two objects.
    #[error("{second}: {name} is what {first} is renamed from already")]
    RenamedTwice {
        name: String,
        first: Origin,
        second: Origin,
    },
    /// Renames in a cycle: the names are the same before and after, so nobody can tell whether they were applied.
    #[error(
        "{origin}: {name} is declared still, as what another is renamed to: names that go round in a circle look the same \
         before and after. Say it once, on the command line: `trueup autogen … --rename a=b --rename b=a`"
    )]
    RenamedInACircle { name: String, origin: Origin },
    /// A name for a NOT NULL on a column that takes NULL.
    #[error(
        "{origin}: a column that takes NULL has no NOT NULL to name. Take the Option from the field's type, or leave the name out"
    )]
    NoNotNull { origin: Origin },
    /// A column that is never NULL, with a field that is an `Option`.
    #[error("{origin}: {because} is never NULL. Take the Option from the field's type")]
    NeverNull {
        because: &'static str,
        origin: Origin,
    },
}
