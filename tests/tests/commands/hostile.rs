//! A checkout is hostile input: what came with it is shown, and neither obeyed nor followed.

use std::{fs, os::unix::fs::symlink, path::Path, process::Command};

use tests::checkout::Checkout;

use crate::checkout;

const CHANGE: &str = "migrations/.trueup-change";

/// All files and links below a folder, with what is in them.
fn all(folder: &Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let kind = fs::symlink_metadata(&path).expect("an entry");
        if kind.is_dir() {
            found.extend(all(&path));
        } else {
            let text = fs::read_to_string(&path).unwrap_or_default();
            found.push((path.display().to_string(), text));
        }
    }
    found.sort();
    found
}

#[test]
fn the_journal_of_a_change_leads_nowhere_else() {
    let outside = tempfile::tempdir().expect("a folder");
    let precious = outside.path().join("precious");
    fs::create_dir(&precious).expect("a folder");
    fs::write(precious.join("file"), "mine").expect("a file");
    let absolute = precious.display().to_string();
    let relative = format!(
        "../../{}/precious",
        outside
            .path()
            .file_name()
            .expect("a name")
            .to_string_lossy()
    );

    let project = checkout().shipped();
    let migrations = project.path().join("migrations");
    fs::write(migrations.join("README"), "read me").expect("a file");
    symlink(&precious, migrations.join("2030-01-02-000000_link")).expect("a link");
    symlink(
        &precious,
        migrations.join(".trueup-unfinished-2030-01-03-000000_planted"),
    )
    .expect("a link");
    fs::create_dir(migrations.join(".git")).expect("a folder");
    fs::write(precious.join("up.sql"), "SELECT 1;").expect("a file");
    let names = [
        absolute.as_str(),
        &relative,
        "..",
        ".",
        "",
        "./2030-01-02-000000_link/../../models",
        "2030-01-02-000000_link/up.sql",
        "2030-01-03-000000_planted/",
        ".git",
        ".diesel_lock",
        "README",
        "a\0b",
    ];
    let before = (all(outside.path()), all(project.path()));
    for name in names {
        for plan in [
            serde_json::json!({ "remove": [name], "add": [] }),
            serde_json::json!({ "remove": [], "add": [name] }),
        ] {
            let is_unfinished = name == "README";
            if is_unfinished && plan["remove"] == serde_json::json!([]) {
                continue;
            }
            fs::write(project.path().join(CHANGE), plan.to_string()).expect("a file");
            for command in ["status", "history", "check", "autogen"] {
                let arguments: &[&str] = if command == "autogen" {
                    &["autogen", "x"]
                } else {
                    &[command]
                };
                let said = project.run(arguments).refused(&[
                    ".trueup-change",
                    "nothing was changed",
                    "remove it",
                ]);
                assert!(!said.contains("panicked"), "{said}");
            }
            fs::remove_file(project.path().join(CHANGE)).expect("the file");
            let _ = fs::remove_file(migrations.join(".diesel_lock"));
            assert_eq!((all(outside.path()), all(project.path())), before, "{plan}");
        }
    }
    let planted = serde_json::json!({ "remove": [], "add": ["2030-01-03-000000_planted"] });
    fs::write(project.path().join(CHANGE), planted.to_string()).expect("a file");
    project
        .run(&["status"])
        .refused(&["a file or a link, and no folder"]);
    fs::remove_file(project.path().join(CHANGE)).expect("the file");

    // The journal itself may be something else.
    for target in ["/dev/zero", "/etc/passwd", &absolute] {
        symlink(target, project.path().join(CHANGE)).expect("a link");
        project
            .run(&["status"])
            .refused(&[".trueup-change", "it is no file, or a link"]);
        fs::remove_file(project.path().join(CHANGE)).expect("the link");
    }
    assert_eq!(all(outside.path()), before.0);
}

#[test]
fn of_a_folder_that_is_a_link_the_link_goes() {
    let outside = tempfile::tempdir().expect("a folder");
    let project = checkout().shipped();
    let theirs = outside.path().join("2030-01-01-000000_theirs");
    fs::create_dir(&theirs).expect("a folder");
    fs::write(theirs.join("up.sql"), "SELECT 1;").expect("a file");
    fs::write(theirs.join("down.sql"), "SELECT 1;").expect("a file");
    symlink(
        &theirs,
        project.path().join("migrations/2030-01-01-000000_theirs"),
    )
    .expect("a link");
    project.run(&["uncommit", "--yes", "--force"]).done();
    assert!(theirs.join("up.sql").exists());
    assert!(
        !project
            .folders()
            .iter()
            .any(|name| name.ends_with("theirs"))
    );
}

#[test]
fn the_name_of_a_folder_is_no_sql_and_no_command() {
    let project = Checkout::new(env!("CARGO_BIN_EXE_shipped"));
    for (number, name) in [
        "2030-01-01-000001_x\nDROP TABLE canary;\n--",
        "2030-01-01-000002_x\r\nDROP TABLE canary;",
        "2030-01-01-000003_x\u{1b}]0;owned\u{7}\u{202e}",
        "2030-01-01-00000'; DROP TABLE canary; --",
        "2030-01-01-000005_x\n\\! touch owned",
        "2030-01-01-000006_x\n::error file=user.rs,line=1::owned",
        "2030-01-01-000007_x##[error]owned",
    ]
    .iter()
    .enumerate()
    {
        project.migration(
            name,
            &format!("CREATE TABLE t{number} ();"),
            &format!("DROP TABLE t{number};"),
        );
    }
    let (server, database) = tests::database();
    tests::run(&database, "CREATE TABLE canary ()");
    let sql = project.run(&["upgrade", "--sql"]).done();
    let file = project.file("all.sql", &sql);
    let ran = Command::new(server.binaries.psql().expect("psql"))
        .args([
            "--no-psqlrc",
            "--set=ON_ERROR_STOP=1",
            "--dbname",
            database.url().as_secret_str(),
        ])
        .args(["--file", &file])
        .current_dir(project.path())
        .output()
        .expect("psql");
    assert!(ran.status.success(), "{ran:?}");
    let mut connection = database.connect().expect("a connection");
    assert!(tests::holds(
        &mut connection,
        "to_regclass('canary') IS NOT NULL AND to_regclass('t6') IS NOT NULL"
    ));
    assert!(!project.path().join("owned").exists());

    for arguments in [
        &["status"][..],
        &["history", "--verbose"],
        &["check", "--offline", "--format", "github"],
        &["heads"],
        &["upgrade"],
    ] {
        let said = project.run(arguments);
        let said = format!("{}{}", said.stdout, said.stderr);
        assert!(
            !said.contains(['\u{1b}', '\u{7}', '\u{202e}', '\r']),
            "{said:?}"
        );
        if arguments.contains(&"github") {
            let is_command =
                |line: &str| line.trim_start().starts_with("::") && !line.starts_with("::error ");
            assert!(!said.lines().any(is_command), "{said}");
            assert!(!said.contains("##["), "{said}");
            assert!(
                !said
                    .lines()
                    .any(|line| line.starts_with("::error file=user.rs,line=1::owned")),
                "{said}"
            );
        }
    }
}

#[test]
fn github_sees_no_command_in_a_name_on_either_stream() {
    let (_server, database) = tests::database();
    let project = checkout().shipped().on(&database);
    project.run(&["upgrade"]).done();
    tests::run(
        &database,
        "CREATE SCHEMA \"x\n::error::owned\"; CREATE TABLE \"x\n::error::owned\".\"y\r::warning::owned\" (\"##[error]z\" int);
         CREATE TABLE \"x\n::error::owned\".t (n int CHECK (n > 0))",
    );
    let mut commands: Vec<&[&str]> = vec![&["check", "--format", "github"]];
    let said = project.run(commands.remove(0));
    for line in said
        .stdout
        .split(['\n', '\r'])
        .chain(said.stderr.split(['\n', '\r']))
    {
        let line = line.trim_start();
        assert!(
            !line.starts_with("::") || line.starts_with("::error title="),
            "{line}"
        );
        assert!(!line.contains("##["), "{line}");
    }
    assert!(said.stdout.contains("%0A::error::owned"), "{said:?}");
    // In Actions whatever is said goes through the same.
    let mut actions = checkout().shipped().on(&database);
    actions.environment = vec![("GITHUB_ACTIONS", "true")];
    for arguments in [
        &["check"][..],
        &[
            "diff",
            "--from",
            "migrations",
            "--to",
            "database",
            "--ignore-unread",
        ],
        &["autogen", "x"],
    ] {
        let said = actions.run(arguments);
        for line in said.stderr.split(['\n', '\r']) {
            assert!(
                !line.trim_start().starts_with("::") && !line.contains("##["),
                "{line}"
            );
        }
    }
}

#[test]
fn github_sees_no_command_in_json() {
    let (_server, database) = tests::database();
    let mut project = checkout().shipped().on(&database);
    project.run(&["upgrade"]).done();
    tests::run(
        &database,
        "CREATE TABLE \"##[error]owned\" (\"##[add-mask]a\" int)",
    );
    let commands: [&[&str]; 3] = [
        &["check", "--format", "json"],
        &["inspect", "database", "--format", "json"],
        &["db", "size", "--format", "json"],
    ];
    let plain = commands.map(|command| project.run(command).stdout);
    project.environment = vec![("GITHUB_ACTIONS", "true")];
    for (command, plain) in commands.iter().zip(&plain) {
        let said = project.run(command).stdout;
        assert!(
            plain.contains("##[error]owned") && !said.contains("##["),
            "{said}"
        );
        let name = |json: &str| {
            let read: serde_json::Value = serde_json::from_str(json).expect("JSON");
            read.to_string().contains("##[error]owned")
        };
        assert!(name(plain) && name(&said), "{said}");
    }
}

#[test]
fn sql_that_is_piped_keeps_every_byte() {
    let (_server, database) = tests::database();
    let project = checkout().shipped().on(&database);
    project.run(&["upgrade"]).done();
    tests::run(
        &database,
        "CREATE TABLE odd (a text DEFAULT E'\\x1b[31m\u{202e}' CHECK (a <> E'\\x1b]0;x\\x07y'));
         COMMENT ON COLUMN odd.a IS E'bell\\x07 and \u{2066}bidi'",
    );
    let wanted = "\u{1b}]0;x\u{7}y";
    let sql = project.run(&["inspect", "database"]).done();
    assert!(
        sql.contains(wanted) && sql.contains("bell\u{7} and \u{2066}bidi"),
        "{sql:?}"
    );
    let diff = project
        .run(&[
            "diff",
            "--from",
            "migrations",
            "--to",
            "database",
            "--ignore-unread",
        ])
        .with(1)
        .stdout;
    assert!(
        diff.contains(wanted) && diff.contains("\u{1b}[31m\u{202e}"),
        "{diff:?}"
    );
    let json = project
        .run(&["inspect", "database", "--format", "json"])
        .done();
    assert!(json.contains("\\u001b]0;x\\u0007y"), "{json}");
    // It makes the same check.
    let (_other_server, other) = tests::database();
    tests::run(&other, &sql);
    let same =
        "(SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'odd_a_check')";
    let of = |database: &generator::postgres::scratch::Database| {
        let mut connection = database.connect().expect("a connection");
        let query = diesel::dsl::sql::<diesel::sql_types::Text>(same);
        let read: String = diesel::RunQueryDsl::get_result(diesel::select(query), &mut connection)
            .expect("a check");
        read
    };
    assert_eq!(of(&database), of(&other));

    // A file that autogen writes, and what `upgrade --sql` prints of it.
    let file = project.file("odd.sql", &sql);
    let written = project
        .run(&[
            "diff",
            "--from",
            "migrations",
            "--to",
            &format!("file:{file}"),
        ])
        .with(1)
        .stdout;
    assert!(written.contains(wanted), "{written:?}");
    project.migration("2030-01-01-000000_odd", &written, "DROP TABLE odd;");
    let printed = project.run(&["upgrade", "--sql"]).done();
    assert!(printed.contains(wanted), "{printed:?}");
    let shown = project.run(&["show", "2030-01-01"]).done();
    assert!(shown.contains(wanted), "{shown:?}");
    let drafted = checkout()
        .run(&["autogen", "x\nDROP TABLE users;", "--dry-run"])
        .done();
    assert!(
        !drafted.lines().any(|line| line == "DROP TABLE users;"),
        "{drafted}"
    );
    // In text for people it is written out.
    let said = project.run(&["check"]);
    let said = format!("{}{}", said.stdout, said.stderr);
    assert!(!said.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{said:?}");
}
