//! Submissions of a program's derives, in the order of its files: the linker's order is arbitrary.

use super::definition::{EnumDef, ExtensionDef, ModelDef, SequenceDef, Submitted};

/// All submissions, in the order of the files.
#[derive(Default)]
pub(super) struct Gathered {
    pub(super) models: Vec<&'static ModelDef>,
    pub(super) enums: Vec<&'static EnumDef>,
    pub(super) extensions: Vec<&'static ExtensionDef>,
    pub(super) sequences: Vec<&'static SequenceDef>,
}

impl Gathered {
    /// Takes what was submitted.
    pub(super) fn new<'a>(submitted: impl IntoIterator<Item = &'a Submitted>) -> Self {
        let mut gathered = Self::default();
        for one in submitted {
            match one {
                Submitted::Model(model) => gathered.models.push(model),
                Submitted::Enum(pg_enum) => gathered.enums.push(pg_enum),
                Submitted::Extension(extension) => gathered.extensions.push(extension),
                Submitted::Sequence(sequence) => gathered.sequences.push(sequence),
            }
        }
        gathered.models.sort_by_key(|model| model.item);
        gathered.enums.sort_by_key(|pg_enum| pg_enum.item);
        gathered.extensions.sort_by_key(|extension| extension.item);
        gathered.sequences.sort_by_key(|sequence| sequence.item);
        gathered
    }
}
