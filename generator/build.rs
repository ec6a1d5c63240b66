//! Gives the program a mark of the sources that it was made of: what an older trueup found out, a newer one tries again.

use std::{
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    io,
    path::{Path, PathBuf},
};

/// All that decides what a comparison finds; the models are not among it.
const SOURCES: &[&str] = &["src", "schema/src", "derive/src"];

fn main() -> io::Result<()> {
    let mut hasher = DefaultHasher::new();
    for folder in SOURCES {
        println!("cargo::rerun-if-changed={folder}");
        for file in files(Path::new(folder))? {
            (&file, fs::read(&file)?).hash(&mut hasher);
        }
    }
    println!("cargo::rustc-env=TRUEUP_SOURCES={:016x}", hasher.finish());
    Ok(())
}

/// All files below a folder, in an order that is the same everywhere.
fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    // Where it is published, each crate stands alone.
    let entries = if folder.is_dir() {
        Some(fs::read_dir(folder)?)
    } else {
        None
    };
    for entry in entries.into_iter().flatten() {
        let path = entry?.path();
        if path.is_dir() {
            files.extend(self::files(&path)?);
        } else {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}
