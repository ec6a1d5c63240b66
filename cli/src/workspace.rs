//! Location of a project on disk: its root, and the folder of its migrations.

use std::{
    io,
    path::{Path, PathBuf},
};

use generator::{Error, ErrorKind, files};
use serde::de::DeserializeOwned;

/// The root of the project that `folder` is in: the nearest Cargo workspace, else the nearest package, else `folder`.
pub(crate) fn root(folder: &Path) -> PathBuf {
    let manifests: Vec<&Path> = folder
        .ancestors()
        .filter(|ancestor| ancestor.join("Cargo.toml").is_file())
        .collect();
    let workspace = manifests.iter().find(|ancestor| is_workspace(ancestor));
    let root = workspace.or(manifests.first()).copied();
    root.unwrap_or(folder).to_owned()
}

/// Cargo reads it as well and says what is wrong with it.
fn is_workspace(folder: &Path) -> bool {
    let text = files::read(&folder.join("Cargo.toml")).unwrap_or_default();
    text.parse::<toml::Table>()
        .is_ok_and(|manifest| manifest.contains_key("workspace"))
}

/// The folder of the migrations: what `diesel.toml` says, else `migrations` in the root.
pub(crate) fn migrations(folder: &Path, root: &Path) -> Result<PathBuf, Error> {
    let configured = folder
        .ancestors()
        .take_while(|ancestor| ancestor.starts_with(root))
        .map(|ancestor| ancestor.join("diesel.toml"))
        .find_map(|path| {
            read::<DieselToml>(&path)
                .transpose()
                .map(|read| (path, read))
        });
    let Some((path, diesel)) = configured else {
        return Ok(root.join("migrations"));
    };
    let dir = diesel?
        .migrations_directory
        .and_then(|directory| directory.dir)
        .unwrap_or_else(|| "migrations".into());
    Ok(path.parent().unwrap_or(root).join(dir))
}

#[derive(serde::Deserialize)]
struct DieselToml {
    migrations_directory: Option<MigrationsDirectory>,
}

#[derive(serde::Deserialize)]
struct MigrationsDirectory {
    dir: Option<PathBuf>,
}

fn read<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, Error> {
    let text = match files::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        read => read.map_err(|error| {
            let doing = format!("cannot read {}", path.display());
            Error::caused(ErrorKind::Environment, doing, error)
        })?,
    };
    toml::from_str(&text).map(Some).map_err(|error| {
        let doing = format!("{} does not parse", path.display());
        Error::caused(ErrorKind::Input, doing, error)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_is_the_workspace_and_diesel_names_the_folder() {
        let dir = tempfile::tempdir().expect("a folder");
        let (top, member) = (dir.path(), dir.path().join("member"));
        let inner = member.join("src");
        std::fs::create_dir_all(&inner).expect("folders");
        let write = |path: &Path, text: &str| std::fs::write(path, text).expect("a file");

        assert_eq!(root(&inner), inner);
        write(&member.join("Cargo.toml"), "[package]\nname = 'member'");
        assert_eq!(root(&inner), member);
        write(&top.join("Cargo.toml"), "[workspace]");
        assert_eq!(root(&inner), top);

        let found = || migrations(&inner, top).expect("a folder");
        assert_eq!(found(), top.join("migrations"));
        write(&top.join("diesel.toml"), "[print_schema]\nfile = 'x'");
        assert_eq!(found(), top.join("migrations"));
        write(
            &member.join("diesel.toml"),
            "[migrations_directory]\ndir = 'db'",
        );
        assert_eq!(found(), member.join("db"));
        write(&member.join("diesel.toml"), "[migrations_directory");
        assert!(migrations(&inner, top).is_err());
    }
}
