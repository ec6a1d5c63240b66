//! Possible renames: asked about, answered, and never taken for a loss in silence.

use std::fs;

use tests::checkout::Checkout;

use crate::checkout;

/// The shipped tables as they were when a column had another name.
fn before() -> Checkout {
    let project = checkout().shipped();
    let rename = "ALTER TABLE users RENAME full_name TO name; ALTER INDEX users_lower_idx RENAME TO by_name;";
    project.migration("2030-01-01-000000_before", rename, "SELECT 1;");
    project
}

#[test]
fn a_look_alike_is_refused_where_nobody_can_be_asked() {
    let project = before();
    let folders = project.folders();

    for more in [&[][..], &["--allow", "data-loss"], &["--dry-run"]] {
        project.run(&[&["autogen", "x"], more].concat()).refused(&[
            "this looks like a rename; nothing was written",
            "column public.users.name goes, and full_name comes",
            "where it is one: --rename public.users.name=full_name",
            "--no-rename public.users.name",
        ]);
    }
    assert_eq!(project.folders(), folders);
}

#[test]
fn rename_keeps_the_values_and_goes_back() {
    let (_server, database) = tests::database();
    let project = before().on(&database);
    project.run(&["upgrade"]).done();
    let insert = "INSERT INTO users (email, name) VALUES ('a@b', 'Ada')";
    tests::run(&database, insert);

    let rename = ["autogen", "full name", "--rename", "users.name=full_name"];
    let said = project.run(&rename).done();
    let hazard = "hazard  breaks deployed code that names public.users.name\n";
    assert!(said.contains(hazard), "{said}");
    assert_eq!(said.matches("hazard").count(), 1, "{said}");
    let up = fs::read_to_string(project.newest().join("up.sql")).expect("a file");
    assert!(
        up.contains("-- Rename column public.users.name to full_name\n-- hazard: breaks deployed code that names public.users.name\nALTER TABLE public.users RENAME COLUMN name TO full_name;"),
        "{up}"
    );
    project.run(&["upgrade"]).done();
    project.run(&["check"]).done();
    let mut connection = database.connect().expect("a connection");
    let ada = "(SELECT full_name FROM users) = 'Ada'";
    assert!(tests::holds(&mut connection, ada));
    project.run(&["downgrade"]).done();
    let ada = "(SELECT name FROM users) = 'Ada'";
    assert!(tests::holds(&mut connection, ada));
}

#[test]
fn no_rename_drops_and_adds() {
    for answer in [
        &["--no-rename"][..],
        &["--no-rename", "users.name"],
        &["--no-rename=public.users.name"],
    ] {
        let project = before();
        let autogen = [
            &["autogen", "x", "--allow", "fails=users.full_name"],
            answer,
        ]
        .concat();
        project
            .run(&autogen)
            .refused(&["loses every value of public.users.name", "--rename"]);
        project
            .run(&[&autogen[..], &["--allow", "data-loss=users.name"]].concat())
            .done();
        let up = fs::read_to_string(project.newest().join("up.sql")).expect("a file");
        assert!(up.contains("DROP COLUMN name;"), "{up}");
        assert!(up.contains("ADD COLUMN full_name text NOT NULL;"), "{up}");
    }
}

#[test]
fn answers_about_nothing_are_refused() {
    let project = before();
    project
        .run(&["autogen", "x", "--rename", "users.nmae=full_name"])
        .refused(&["there is nothing called users.nmae; similar: public.users.name"]);
    project
        .run(&["autogen", "x", "--rename", "users.name=fullname"])
        .refused(&["there is no column public.users.fullname in the models; similar: full_name"]);
    project
        .run(&["autogen", "x", "--no-rename", "users.nmae"])
        .refused(&["there is nothing called users.nmae"]);
    project
        .run(&["autogen", "x", "--rename", "users.name"])
        .refused(&[
            "this is no rename",
            "write --rename users.phone=phone_number",
        ]);
}

#[test]
fn a_comparison_takes_renames_too() {
    let (_server, database) = tests::database();
    let project = before().on(&database);
    let diff = |from: &str, to: &str, rename: &str| {
        let arguments = ["diff", "--from", from, "--to", to, "--rename", rename];
        project.run(&arguments).with(1).stdout
    };
    let rename = "ALTER TABLE public.users RENAME COLUMN name TO full_name;\n";

    let said = diff("migrations", "models", "users.name=full_name");
    assert!(said.contains(rename), "{said}");
    assert!(!said.contains("COLUMN name;"), "{said}");
    project.run(&["upgrade"]).done();
    let said = diff("database", "models", "users.name=full_name");
    assert!(said.contains(rename), "{said}");
    let said = diff("models", "database", "users.full_name=name");
    assert!(
        said.contains("RENAME COLUMN full_name TO name;\n"),
        "{said}"
    );
}

/// Functions are none of autogen's business yet, and a trigger reads the column by its old name.
#[test]
fn a_rename_under_a_trigger_is_refused_until_that_is_meant() {
    let project = before();
    let code = "
        CREATE FUNCTION shout() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            NEW.name := upper(NEW.name);
            RETURN NEW;
        END $$;
        CREATE TRIGGER shout BEFORE INSERT OR UPDATE ON users FOR EACH ROW EXECUTE FUNCTION shout();";
    project.migration(
        "2030-01-02-000000_code",
        code,
        "DROP FUNCTION shout() CASCADE;",
    );
    let autogen = ["autogen", "x", "--rename", "users.name=full_name"];
    let folders = project.folders();
    project.run(&autogen).refused(&[
        "code in the database that ran before does not run after this migration; nothing was written",
        "- INSERT INTO public.users, after up.sql: record \"new\" has no field \"name\"",
        "in function public.shout() line 3, called by trigger shout on public.users",
        "--allow 'code-breaks=public.shout'",
    ]);
    assert_eq!(project.folders(), folders);
    let dry = project.run(&[&autogen[..], &["--dry-run"]].concat()).done();
    let says = "-- hazard: breaks function public.shout() line 3 (INSERT INTO public.users): record \"new\" has no field";
    assert!(dry.contains(says), "{dry}");
    let other = [&autogen[..], &["--allow", "code-breaks=other"]].concat();
    project.run(&other).refused(&[
        "--allow code-breaks=other: this migration breaks no function or trigger of that name",
        "- INSERT INTO public.users, after up.sql",
        "--allow 'code-breaks=public.shout'",
    ]);
    assert_eq!(project.folders(), folders);
    for name in [
        "code-breaks",
        "code-breaks=public.shout",
        "code-breaks=shout,users.shout",
        "code-breaks=function:shout",
        "code-breaks=trigger:public.users.shout",
        "code-breaks=users.shout",
    ] {
        project
            .run(&[&autogen[..], &["--allow", name]].concat())
            .done();
        assert_eq!(project.folders().len(), folders.len() + 1, "{name}");
        project.run(&["uncommit", "--force", "--yes"]).done();
    }
}

#[test]
fn a_comparison_tells_what_code_its_sql_breaks() {
    let project = checkout();
    let made = |column: &str| {
        format!(
            "CREATE TABLE users (id bigint PRIMARY KEY, {column} text);
             CREATE FUNCTION shout() RETURNS trigger LANGUAGE plpgsql AS $$
             BEGIN
                 NEW.name := upper(NEW.name);
                 RETURN NEW;
             END $$;
             CREATE TRIGGER shouted BEFORE INSERT ON users FOR EACH ROW EXECUTE FUNCTION shout();"
        )
    };
    let _ = project.file("from.sql", &made("name"));
    let _ = project.file("to.sql", &made("title"));
    let diff = ["diff", "--from", "from.sql", "--to", "to.sql"];
    let rename = ["--rename", "public.users.name=title"];
    let sql = project
        .run(&[&diff[..], &rename[..]].concat())
        .with(1)
        .stdout;
    assert!(
        sql.contains("-- hazard: breaks function public.shout() line 3"),
        "{sql}"
    );
}

#[test]
fn labels_that_are_renamed_together_are_asked_about() {
    let project = checkout().shipped();
    let rename = "ALTER TYPE calibration_status RENAME VALUE 'passed' TO 'good';
        ALTER TYPE calibration_status RENAME VALUE 'failed' TO 'bad';";
    project.migration("2030-01-01-000000_before", rename, "SELECT 1;");
    project.run(&["autogen", "x"]).refused(&[
        "this looks like a rename; nothing was written",
        "--rename public.calibration_status.good=passed",
        "--rename public.calibration_status.bad=failed",
    ]);
    // One answer leaves the other question open.
    let one = ["autogen", "x", "--rename", "calibration_status.good=passed"];
    project
        .run(&one)
        .refused(&["--rename public.calibration_status.bad=failed"]);
    let both = [&one[..], &["--rename", "calibration_status.bad=failed"]].concat();
    project.run(&both).done();
    let up = fs::read_to_string(project.newest().join("up.sql")).expect("a file");
    for sql in [
        "RENAME VALUE 'good' TO 'passed'",
        "RENAME VALUE 'bad' TO 'failed'",
    ] {
        assert!(up.contains(sql), "{sql} is not in: {up}");
    }
    assert!(!up.contains("CREATE TYPE"), "{up}");
}
