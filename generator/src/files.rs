//! Files that people write, and those of ours beside them.

pub(crate) mod hash;
pub(crate) mod lock;

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::OFlags;

/// Reads a file of text. Anything else of that name, a pipe above all, would be waited for until somebody writes to it, and
/// so is an error that says what it is.
pub fn read(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    open(path)?.read_to_string(&mut text)?;
    Ok(text)
}

/// Opens a file to read it, which must be one.
pub fn open(path: &Path) -> io::Result<File> {
    only(File::options().read(true), path)
}

/// Opens what must be a file, and waits for nobody.
fn only(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    let not_waiting = OFlags::NONBLOCK | OFlags::NOCTTY;
    let file = options
        .custom_flags(not_waiting.bits().cast_signed())
        .open(path)?;
    let found = file.metadata()?.file_type();
    if found.is_file() {
        return Ok(file);
    }
    let what = if found.is_dir() {
        "a folder"
    } else if found.is_fifo() {
        "a pipe (FIFO)"
    } else if found.is_socket() {
        "a socket"
    } else {
        "a device"
    };
    Err(io::Error::new(
        io::ErrorKind::InvalidInput,
        format!("it is {what}, not a file"),
    ))
}

/// Writes a file of ours anew. A link of its name may have come with a checkout: it goes, and what it leads to stays.
pub(crate) fn write_anew(path: &Path, text: &str) -> io::Result<()> {
    let folder = path.parent().unwrap_or(path);
    let mut file = tempfile::Builder::new()
        .prefix(".trueup-")
        .tempfile_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.persist(path)?;
    Ok(())
}

/// Refuses a link where a folder of ours is to be: it may have come with a checkout, and lead to somebody else's.
pub(crate) fn refuse_link(folder: &Path) -> io::Result<()> {
    if fs::symlink_metadata(folder).is_ok_and(|found| found.is_symlink()) {
        let said = format!(
            "{} is a link, and what it leads to may be somebody else's: put a folder there, or nothing",
            folder.display()
        );
        return Err(io::Error::new(io::ErrorKind::InvalidInput, said));
    }
    Ok(())
}

/// Has git ignore all that is in a folder. A file that a killed command left empty is written again.
pub(crate) fn ignore_all(folder: &Path) -> io::Result<()> {
    let ignore = folder.join(".gitignore");
    if fs::metadata(&ignore).is_ok_and(|found| found.len() > 0) {
        return Ok(());
    }
    let mut file = tempfile::Builder::new()
        .prefix(".gitignore-")
        .tempfile_in(folder)?;
    file.write_all(b"*\n")?;
    file.persist(ignore)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener;

    use super::*;

    #[test]
    fn only_a_file_is_read() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        fs::write(at("file"), "text").expect("a file");
        assert_eq!(read(&at("file")).expect("text"), "text");
        rustix::fs::mkfifoat(rustix::fs::CWD, at("pipe"), 0o600.into()).expect("a pipe");
        let _socket = UnixListener::bind(at("socket")).expect("a socket");
        std::os::unix::fs::symlink("/dev/zero", at("device")).expect("a link");
        fs::create_dir(at("folder")).expect("a folder");
        for (name, what) in [
            ("pipe", "FIFO"),
            ("device", "a device"),
            ("folder", "a folder"),
        ] {
            let error = read(&at(name)).expect_err("no file").to_string();
            assert!(error.contains(what), "{name}: {error}");
        }
        assert!(read(&at("socket")).is_err());
        let missing = read(&at("missing")).expect_err("no file");
        assert_eq!(missing.kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn a_link_is_neither_written_to_nor_taken_for_a_folder() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        fs::write(at("precious"), "mine").expect("a file");
        std::os::unix::fs::symlink(at("precious"), at("kept")).expect("a link");
        write_anew(&at("kept"), "ours").expect("written");
        assert_eq!(read(&at("precious")).expect("text"), "mine");
        assert_eq!(read(&at("kept")).expect("text"), "ours");
        std::os::unix::fs::symlink(folder.path(), at("link")).expect("a link");
        assert!(refuse_link(&at("link")).is_err());
        assert!(refuse_link(folder.path()).is_ok() && refuse_link(&at("missing")).is_ok());
    }

    #[test]
    fn an_empty_gitignore_is_written_again_and_anothers_is_left() {
        let folder = tempfile::tempdir().expect("a folder");
        let ignore = folder.path().join(".gitignore");
        for (there, then) in [(None, "*\n"), (Some(""), "*\n"), (Some("x\n"), "x\n")] {
            if let Some(there) = there {
                fs::write(&ignore, there).expect("a file");
            }
            ignore_all(folder.path()).expect("written");
            assert_eq!(fs::read_to_string(&ignore).expect("a file"), then);
        }
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 1);
    }
}
