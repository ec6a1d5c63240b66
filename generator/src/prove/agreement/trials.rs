//! Remembers what came of migrations that were tried, so that one that stands where it stood is not tried again.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::{Hash, begin_key, contents, forget, hash, put, read};
use crate::{Project, migrations::folder::Migration, prove::migrations::Outcome};

/// The outcomes of the migrations of one folder.
#[derive(Debug)]
pub(crate) struct Trials {
    folder: PathBuf,
    name: String,
    /// For each migration, a hash of all that decides what comes of it: itself, and the ups before it.
    keys: Vec<String>,
}

#[derive(Serialize, Deserialize)]
struct Known {
    extensions: [PathBuf; 2],
    brought: String,
    outcomes: BTreeMap<String, Outcome>,
}

impl Trials {
    /// Finds the place; `None` where nothing may be remembered.
    pub(crate) fn of(
        project: &Project,
        migrations: &[Migration],
        major: Option<u32>,
    ) -> Option<Self> {
        let folder = project.memory.clone()?;
        // On a server that we do not start, anything may be otherwise the next time.
        if project.scratch_url.is_some() {
            return None;
        }
        let server = project.binaries.server(major).ok()?;
        let mut ups = begin_key(&server)?;
        let mut keys = Vec::new();
        for migration in migrations {
            ups.part(&migration.up)
                .part([u8::from(migration.run_in_transaction)]);
            let mut key = ups.clone();
            key.part([u8::from(migration.down.is_some())])
                .part(migration.down.as_deref().unwrap_or_default());
            keys.push(key.finish());
        }
        let place = std::path::absolute(&project.migrations).ok()?;
        Some(Self {
            name: name(&place),
            folder,
            keys,
        })
    }

    /// The key of the migration that comes at this place.
    pub(crate) fn key(&self, at: usize) -> &str {
        self.keys.get(at).map_or("", String::as_str)
    }

    /// The remembered outcomes, by the migrations' keys.
    pub(crate) fn recall(&self) -> BTreeMap<String, Outcome> {
        self.known().unwrap_or_default()
    }

    fn known(&self) -> Option<BTreeMap<String, Outcome>> {
        let text = read(&self.folder.join(&self.name))?;
        let (sealed, seal) = text.strip_suffix('\n')?.rsplit_once('\n')?;
        let known: Known = (hash(sealed) == seal).then(|| serde_json::from_str(sealed).ok())??;
        let brought = contents(&known.extensions).ok()?;
        (brought == known.brought).then_some(known.outcomes)
    }

    /// Remembers the outcomes of migrations, by their places. Those that fail are tried again each time.
    pub(crate) fn remember(&self, tried: &[(usize, Outcome)], extensions: [PathBuf; 2]) {
        let Ok(brought) = contents(&extensions) else {
            return;
        };
        let lasting = tried
            .iter()
            .filter(|(_, outcome)| !matches!(outcome, Outcome::Broken(_)));
        let known = Known {
            extensions,
            brought,
            outcomes: lasting
                .map(|(at, outcome)| (self.key(*at).to_owned(), outcome.clone()))
                .collect(),
        };
        let Ok(sealed) = serde_json::to_string(&known) else {
            return;
        };
        // If it cannot be written, the next check tries again.
        let _ = put(
            &self.folder,
            &self.name,
            &format!("{sealed}\n{}\n", hash(&sealed)),
        );
        let _ = forget(&self.folder);
    }
}

fn name(place: &Path) -> String {
    let mut hash = Hash::default();
    hash.part("trials")
        .part(place.as_os_str().as_encoded_bytes());
    hash.finish()
}
