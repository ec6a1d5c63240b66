use chrono::{DateTime, Utc};

use super::*;

fn folder(dir: &Path, name: &str, files: &[(&str, &[u8])]) {
    fs::create_dir(dir.join(name)).expect("a folder");
    for (file, bytes) in files {
        fs::write(dir.join(name).join(file), bytes).expect("a file");
    }
}

fn migration(version: &str, up: &str) -> Migration {
    let header = Header::parse(up);
    let name = format!("{version}_m");
    Migration {
        version: version.to_owned(),
        dir: PathBuf::from(&name),
        name,
        up: up.to_owned(),
        down: None,
        run_in_transaction: true,
        header,
    }
}

fn new(message: &str) -> NewMigration {
    NewMigration {
        message: message.to_owned(),
        up: "SELECT 1;\n".to_owned(),
        down: "SELECT 2;\n".to_owned(),
        run_in_transaction: true,
        summary: vec![("change", "~ table public.t: + column a".to_owned())],
        proof: vec!["up and down on PostgreSQL 15.18".to_owned()],
    }
}

fn time(text: &str) -> DateTime<Utc> {
    text.parse().expect("a time")
}

#[test]
fn reads_what_diesel_reads_in_its_order() {
    let dir = tempfile::tempdir().expect("a folder");
    folder(
        dir.path(),
        "2026-01-02-000000-0000_b_c",
        &[
            ("up.sql", b"\xef\xbb\xbfSELECT 1;\r\n"),
            ("metadata.toml", b""),
        ],
    );
    folder(
        dir.path(),
        "00000000000000_setup",
        &[("up.sql", b"SELECT 1"), ("down.sql", b"SELECT 2")],
    );
    folder(dir.path(), ".dot", &[]);
    fs::write(dir.path().join("file_x"), "").expect("a file");
    let found = read(dir.path()).expect("two migrations");
    let facts: Vec<_> = found
        .iter()
        .map(|m| {
            (
                m.version.as_str(),
                m.title(),
                m.down.is_some(),
                m.run_in_transaction,
            )
        })
        .collect();
    assert_eq!(
        facts,
        [
            ("00000000000000", "setup", true, true),
            ("202601020000000000", "b_c", false, false)
        ]
    );
}

#[test]
fn names_what_is_broken() {
    let broken = |name: &str, files: &[(&str, &[u8])]| {
        let dir = tempfile::tempdir().expect("a folder");
        folder(dir.path(), "1_a", &[("up.sql", b"SELECT 1")]);
        folder(dir.path(), name, files);
        read(dir.path())
            .expect_err("broken")
            .to_string()
            .replace(&*dir.path().to_string_lossy(), "")
    };
    assert_eq!(
        broken("2_b", &[]),
        "/2_b has no up.sql; Diesel refuses the whole directory for that"
    );
    assert_eq!(
        broken("2_b", &[("up.sql", b"\xff")]),
        "/2_b/up.sql is not UTF-8"
    );
    assert_eq!(
        broken("1_b", &[("up.sql", b"")]),
        "1_a and 1_b have one version, 1"
    );
    let metadata = broken(
        "2_b",
        &[
            ("up.sql", b""),
            ("metadata.toml", b"run_in_transaction = 1"),
        ],
    );
    assert!(
        metadata.starts_with("/2_b/metadata.toml does not parse: "),
        "{metadata}"
    );
    assert!(matches!(
        read(Path::new("/nowhere")),
        Err(MigrationError::NoDirectory { .. })
    ));
}

#[test]
fn versions_only_grow() {
    let now = time("2026-11-21T06:30:00Z");
    let next = |newest: &str| new_version(&[migration(newest, "")], now);
    assert_eq!(new_version(&[], now), "2026-11-21-063000-0000");
    assert_eq!(next("00000000000000"), "2026-11-21-063000-0000");
    assert_eq!(next("20261121063000"), "2026-11-21-063000-0000");
    assert_eq!(next("202611210630000000"), "2026-11-21-063000-0001");
    assert_eq!(next("20261121063000000f"), "2026-11-21-063000-0010");
    assert_eq!(next("20261121063000ffff"), "2026-11-21-063001-0000");
    assert_eq!(next("20270101000000"), "2027-01-01-000000-0000");
    assert_eq!(next("zz"), "zz-0000");
}

#[test]
fn slugs_are_safe() {
    assert_eq!(
        slug("Add ../phone \"number\"'s Größe!").expect("a slug"),
        "add_phone_number_s_größe"
    );
    assert!(slug(&"x".repeat(300)).expect("a slug").len() <= 80);
    assert!(matches!(
        slug("/ '\" "),
        Err(MigrationError::Message { .. })
    ));
}

#[test]
fn headers_are_read_back() {
    let header = Header {
        message: "two\nlines".to_owned(),
        parents: ["1", "2"]
            .map(|version| Parent {
                version: version.to_owned(),
                hash: "ab".to_owned(),
            })
            .into(),
        replaces: vec![Parent {
            version: "3".to_owned(),
            hash: "cd".to_owned(),
        }],
        replaced: Vec::new(),
        summary: vec![("change".to_owned(), "+ table public.t".to_owned())],
        proof: vec!["up".to_owned(), "down: too".to_owned()],
        seal: Some(Seal::of("SELECT 1;", None, false)),
        by_hand: true,
        after: None,
        was: Some("ef".to_owned()),
        known_by: KnownBy::Body,
        drafted: true,
    };
    let text = header.render() + "-- message: not this\nSELECT 1;\n";
    assert_eq!(Header::body(&text), "-- message: not this\nSELECT 1;\n");
    let read = Header::parse(&text.replace('\n', "\r\n")).expect("a header");
    assert_eq!(
        read,
        Header {
            message: "two lines".to_owned(),
            ..header
        }
    );
    assert_eq!(Header::parse("-- by hand\nSELECT 1;"), None);
    // An empty line is the header's, and what comes after it is the text as it was written.
    for body in ["", "\n\nSELECT 1;", "\r\nSELECT 1;", "-- x\nSELECT 1;"] {
        assert_eq!(Header::body(&(read.render() + body)), body);
    }
}

#[test]
fn a_header_makes_no_migration_another_one() {
    let bare = migration("1", "\n\nSELECT 1;\n");
    let new = Reheaded::new(&bare, &proved_header(&bare, &[], "up".to_owned())).as_migration();
    assert_eq!(Parent::of(&new), Parent::of(&bare));
    assert_eq!(
        (bare.proved(), new.proved()),
        (Proved::Never, Proved::Sealed)
    );
    assert!(!new.is_generated());
    let old = migration("1", "-- trueup migration 1\n-- proved: up\n\nSELECT 1;\n");
    let new = Reheaded::new(&old, &proved_header(&old, &[], "down".to_owned())).as_migration();
    assert_eq!(
        (old.proved(), new.proved()),
        (Proved::Unsealed, Proved::Sealed)
    );
    assert!(
        new.is_generated() && new.is_still(&Parent::of(&old)) && new.is_still(&Parent::of(&new))
    );
    let edited = Migration {
        up: new.up.replace("SELECT 1", "SELECT 2"),
        ..new.clone()
    };
    assert!(!edited.is_still(&Parent::of(&old)));
    let header = proved_header(&edited, &[], "up".to_owned());
    assert!(header.by_hand && header.was.is_none());
    let unproved = migration(
        "1",
        "-- trueup migration 2\n-- proved: nothing (--no-proof)\n\nSELECT 1;\n",
    );
    assert_eq!(unproved.proved(), Proved::Never);
}

#[test]
fn finds_where_the_history_is_broken() {
    let on = |parent: Option<(&str, &str)>| {
        let parent = parent.map(|(version, up)| Parent {
            version: version.to_owned(),
            hash: history::hash_of(up),
        });
        Header {
            message: "m".to_owned(),
            parents: parent.into_iter().collect(),
            ..Header::default()
        }
        .render()
    };
    let one = migration("1", "SELECT 1;\n");
    let two = migration("2", &on(Some(("1", "SELECT 1;\r\n"))));
    assert_eq!(history_problems(&[one.clone(), two.clone()]), []);
    let edited = migration("1", "SELECT 3;\n");
    let child = HistoryProblem::Edited {
        name: "1_m".to_owned(),
        child: "2_m".to_owned(),
    };
    assert_eq!(history_problems(&[edited, two.clone()]), [child]);
    let missing = HistoryProblem::ParentMissing {
        name: "2_m".to_owned(),
        parent: "1".to_owned(),
    };
    assert_eq!(history_problems(std::slice::from_ref(&two)), [missing]);
    let three = migration("3", &two.up);
    let children = vec!["2_m".to_owned(), "3_m".to_owned()];
    let siblings = HistoryProblem::TwoChildren {
        parent: Some("1_m".to_owned()),
        children,
    };
    assert_eq!(history_problems(&[one, two, three]), [siblings]);
}

#[test]
fn writes_a_chain_that_reads_back() {
    let dir = tempfile::tempdir().expect("a folder");
    let migrations = dir.path().join("migrations");
    folder(dir.path(), "migrations", &[]);
    folder(&migrations, ".trueup-unfinished-x", &[("up.sql", b"half")]);
    let written = write(&migrations, None, &[new("add phone"), new("add phone")]).expect("written");
    let third = write(&migrations, None, &[new("third")]).expect("written");
    let found = read(&migrations).expect("three migrations");
    assert_eq!(
        found.iter().map(|m| m.dir.clone()).collect::<Vec<_>>(),
        [written, third].concat()
    );
    assert_eq!(history_problems(&found), []);
    assert_eq!(
        found[0]
            .header
            .as_ref()
            .map(|header| header.parents.clone()),
        Some(Vec::new())
    );
    assert!(
        found
            .iter()
            .all(|m| m.run_in_transaction && m.down.as_deref() == Some("SELECT 2;\n"))
    );
    let names: Vec<_> = fs::read_dir(&migrations)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").file_name())
        .collect();
    assert!(
        !names
            .iter()
            .any(|name| name.to_string_lossy().contains("unfinished")),
        "{names:?}"
    );
}

#[test]
fn writes_nothing_that_diesel_cannot_run() {
    let dir = tempfile::tempdir().expect("a folder");
    let empty = NewMigration {
        up: "-- nothing\n".to_owned(),
        ..new("empty")
    };
    let error = write(dir.path(), None, &[new("good"), empty]).expect_err("empty");
    assert!(matches!(error, MigrationError::Empty { what: "up.sql" }));
    assert_eq!(read(dir.path()).expect("nothing"), []);
}

#[test]
fn writers_wait_for_each_other() {
    let dir = tempfile::tempdir().expect("a folder");
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| write(dir.path(), None, &[new("same")]).expect("written"));
        }
    });
    let found = read(dir.path()).expect("four migrations");
    assert_eq!((found.len(), history_problems(&found)), (4, Vec::new()));
}

#[test]
fn what_was_drafted_after_other_migrations_is_not_written() {
    let dir = tempfile::tempdir().expect("a folder");
    let first = write(dir.path(), Some(&[]), &[new("first")]).expect("written");
    let error = write(dir.path(), Some(&[]), &[new("second")]).expect_err("there is one");
    assert!(
        matches!(&error, MigrationError::Meanwhile { names } if first[0].ends_with(&names[0])),
        "{error}"
    );
    let seen = read(dir.path()).expect("one")[0].version.clone();
    write(dir.path(), Some(&[seen]), &[new("second")]).expect("written");
}

#[test]
fn a_change_that_was_killed_is_finished_by_whoever_reads() {
    let dir = tempfile::tempdir().expect("a folder");
    let sql: &[(&str, &[u8])] = &[("up.sql", b"SELECT 1")];
    let plan = r#"{"remove":["1_a","2_b"],"add":["2_b","3_c"]}"#;
    let begun = |done: usize| {
        let dir = dir.path().join(done.to_string());
        fs::create_dir(&dir).expect("a folder");
        for name in ["0_stays", "1_a", "2_b"] {
            folder(&dir, name, &[("up.sql", b"SELECT 'old'")]);
        }
        for name in ["2_b", "3_c"] {
            folder(&dir, &format!(".trueup-unfinished-{name}"), sql);
        }
        fs::write(dir.join(".trueup-change"), plan).expect("a file");
        let steps = [
            ("1_a", ".trueup-unfinished-going-1_a"),
            ("2_b", ".trueup-unfinished-going-2_b"),
            (".trueup-unfinished-2_b", "2_b"),
            (".trueup-unfinished-3_c", "3_c"),
        ];
        for (from, to) in &steps[..done] {
            fs::rename(dir.join(from), dir.join(to)).expect("a step");
        }
        dir
    };
    for done in 0..=4 {
        let dir = begun(done);
        let found = read(&dir).expect("migrations");
        let found: Vec<_> = found
            .iter()
            .map(|one| (one.name.as_str(), one.up.as_str()))
            .collect();
        let wanted = [
            ("0_stays", "SELECT 'old'"),
            ("2_b", "SELECT 1"),
            ("3_c", "SELECT 1"),
        ];
        assert_eq!(found, wanted, "after {done} steps");
        let left = fs::read_dir(&dir).expect("a folder");
        let name = |entry: io::Result<fs::DirEntry>| entry.expect("an entry").file_name();
        let mut left: Vec<_> = left.map(name).collect();
        left.sort();
        assert_eq!(left, [".diesel_lock", "0_stays", "2_b", "3_c"]);
    }
    fs::write(dir.path().join(".trueup-change"), "no plan").expect("a file");
    assert!(matches!(
        read(dir.path()),
        Err(MigrationError::Interrupted { .. })
    ));
}

/// Migrations by version, each with the versions that it was made on; nothing for one without a header.
fn family(members: &[(&str, Option<&[&str]>)]) -> Vec<Migration> {
    let on = |parents: &[&str]| {
        let parent = |version: &&str| Parent {
            version: (*version).to_owned(),
            hash: "ab".to_owned(),
        };
        Header {
            parents: parents.iter().map(parent).collect(),
            ..Header::default()
        }
        .render()
    };
    let member = |(version, parents): &(&str, Option<&[&str]>)| {
        migration(version, &parents.map_or_else(String::new, on))
    };
    members.iter().map(member).collect()
}

#[test]
fn heads_are_where_lines_end() {
    let heads = |members: &[(&str, Option<&[&str]>)]| {
        let all = family(members);
        let heads = Lineage::of(&all).heads();
        heads
            .iter()
            .map(|head| head.version.clone())
            .collect::<Vec<_>>()
    };
    assert!(heads(&[]).is_empty());
    assert_eq!(heads(&[("1", Some(&[])), ("2", Some(&["1"]))]), ["2"]);
    let two = [
        ("1", Some(&[][..])),
        ("2", Some(&["1"])),
        ("3", Some(&["1"])),
    ];
    assert_eq!(heads(&two), ["2", "3"]);
    assert_eq!(
        heads(&[&two[..], &[("4", Some(&["2", "3"]))]].concat()),
        ["4"]
    );
    // Two that were each the first.
    assert_eq!(heads(&[("1", Some(&[])), ("2", Some(&[]))]), ["1", "2"]);
    // Those without a header break no line.
    assert_eq!(heads(&[("0", None), ("1", Some(&[])), ("2", None)]), ["2"]);
    assert_eq!(
        heads(&[("1", Some(&[])), ("2", None), ("3", Some(&["1"]))]),
        ["3"]
    );
    // Nor does one whose parent is gone.
    assert_eq!(heads(&[("1", Some(&[])), ("3", Some(&["2"]))]), ["3"]);
}

#[test]
fn only_a_merge_joins() {
    let mut all = family(&[
        ("1", Some(&[])),
        ("2", Some(&["1"])),
        ("3", Some(&["1"])),
        ("4", Some(&["2", "3"])),
    ]);
    assert!(Lineage::of(&all).are_joined("2", "3"));
    assert!(!Lineage::of(&all).are_joined("1", "3"));
    let branches = |all: &[Migration]| {
        let branches = Lineage::of(all).branches();
        let versions = |branch: &Branch| {
            branch
                .migrations
                .iter()
                .map(|one| one.version.clone())
                .collect()
        };
        branches.iter().map(versions).collect::<Vec<Vec<_>>>()
    };
    assert_eq!(branches(&all).len(), 1);
    all.pop();
    assert!(!Lineage::of(&all).are_joined("2", "3"));
    assert_eq!(branches(&all), [["2"], ["3"]]);
}
