//! The texts for which a migration was proved, as hashes in its header: what was edited since can be told, file by file.

use std::fmt;

use super::{Header, Migration, history::hash_of};

/// The hashes of what was proved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seal {
    /// Of `up.sql`, without its header.
    up: String,
    /// Of `down.sql`, where there was one.
    down: Option<String>,
    run_in_transaction: bool,
}

/// The state of a migration relative to its proof.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proved {
    /// Nothing was ever proved of it.
    Never,
    /// Something was, and its header does not say for which texts.
    Unsealed,
    /// It is what was proved.
    Sealed,
    /// These files are not what was proved.
    Edited(Vec<&'static str>),
}

impl Seal {
    /// Seals the texts of a migration: `up` without its header.
    #[must_use]
    pub fn of(up: &str, down: Option<&str>, run_in_transaction: bool) -> Self {
        Self {
            up: hash_of(up),
            down: down.map(hash_of),
            run_in_transaction,
        }
    }

    /// The seal that a migration would get as it is now.
    #[must_use]
    pub fn of_migration(migration: &Migration) -> Self {
        Self::of(
            Header::body(&migration.up),
            migration.down.as_deref(),
            migration.run_in_transaction,
        )
    }

    pub(super) fn holds_for(&self, migration: &Migration) -> bool {
        *self == Self::of_migration(migration)
    }

    /// The files of a migration that are not what was sealed.
    #[must_use]
    pub fn broken_by(&self, migration: &Migration) -> Vec<&'static str> {
        let now = Self::of_migration(migration);
        let files = [
            ("up.sql", now.up != self.up),
            ("down.sql", now.down != self.down),
            (
                "metadata.toml",
                now.run_in_transaction != self.run_in_transaction,
            ),
        ];
        let edited = files.into_iter().filter(|(_, is_edited)| *is_edited);
        edited.map(|(file, _)| file).collect()
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split(", ");
        let up = parts.next()?.strip_prefix(UP)?.to_owned();
        let down = match parts.next()? {
            NO_DOWN => None,
            down => Some(down.strip_prefix(DOWN)?.to_owned()),
        };
        let run_in_transaction = match parts.next()?.strip_prefix(TRANSACTION)? {
            "true" => true,
            "false" => false,
            _ => return None,
        };
        Some(Self {
            up,
            down,
            run_in_transaction,
        })
    }
}

const UP: &str = "up.sql ";
const DOWN: &str = "down.sql ";
const NO_DOWN: &str = "no down.sql";
const TRANSACTION: &str = "run_in_transaction = ";

impl fmt::Display for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            up,
            down,
            run_in_transaction,
        } = self;
        write!(f, "{UP}{up}, ")?;
        match down {
            Some(down) => write!(f, "{DOWN}{down}")?,
            None => f.write_str(NO_DOWN)?,
        }
        write!(f, ", {TRANSACTION}{run_in_transaction}")
    }
}

impl Migration {
    /// Compares it with its proof.
    #[must_use]
    pub fn proved(&self) -> Proved {
        let Some(header) = self.header.as_ref().filter(|header| header.is_proved()) else {
            return Proved::Never;
        };
        let Some(seal) = &header.seal else {
            return Proved::Unsealed;
        };
        match seal.broken_by(self) {
            edited if edited.is_empty() => Proved::Sealed,
            edited => Proved::Edited(edited),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seal_is_read_back() {
        for (down, in_transaction) in [(Some("SELECT 2;"), true), (None, false)] {
            let seal = Seal::of("SELECT 1;", down, in_transaction);
            assert_eq!(Seal::parse(&seal.to_string()), Some(seal));
        }
        assert_eq!(Seal::parse("up.sql ab, down.sql cd"), None);
        assert_eq!(
            Seal::parse("up.sql ab, down.sql cd, run_in_transaction = maybe"),
            None
        );
    }
}
