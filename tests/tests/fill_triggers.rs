//! Rows that are filled meet the code around their table: triggers, rules, policies and publications. Each is legal, so it is
//! told, and the way goes around what is in its way.

use diesel::connection::SimpleConnection;
use generator::{
    draft::Draft,
    pipeline::autogen::{self, AutogenOptions},
    postgres::scratch::Database,
};
use trueup::Model;

#[derive(Model)]
#[model(table = "users")]
#[allow(dead_code, reason = "only what it declares is of interest")]
struct User {
    #[model(primary_key)]
    id: i32,
    #[model(sql_type = "timestamp")]
    updated_at: String,
    #[model(fill = "'user ' || id")]
    label: String,
}

#[derive(Model)]
#[model(table = "quiet")]
#[allow(dead_code, reason = "only what it declares is of interest")]
struct Quiet {
    #[model(primary_key)]
    id: i32,
    #[model(sql_type = "timestamp")]
    updated_at: String,
    #[model(fill("'user ' || id", triggers = "off"))]
    label: String,
}

/// Has no key, so nothing tells its rows apart.
#[derive(Model)]
#[model(table = "events")]
#[allow(dead_code, reason = "only what it declares is of interest")]
struct Event {
    kind: String,
    #[model(fill = "upper(kind)")]
    title: String,
}

#[derive(Model)]
#[model(
    table = "parted",
    partition_by(range(id)),
    partition("parted_low", from = "0", to = "10")
)]
#[allow(dead_code, reason = "only what it declares is of interest")]
struct Parted {
    id: i32,
    #[model(sql_type = "timestamp")]
    updated_at: String,
    #[model(fill = "'parted ' || id")]
    label: String,
}

const UPDATED_AT: &str = "
    CREATE FUNCTION set_updated_at() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF NEW IS DISTINCT FROM OLD AND NEW.updated_at IS NOT DISTINCT FROM OLD.updated_at THEN
            NEW.updated_at := current_timestamp;
        END IF;
        RETURN NEW;
    END $$;";

fn users(there: &str) -> String {
    format!(
        "{UPDATED_AT}
        CREATE TABLE users (id integer PRIMARY KEY, updated_at timestamp NOT NULL, label text);
        {there}"
    )
}

/// A database that somebody made by hand, and what leads from there to the models.
struct Tried {
    draft: Draft,
    database: Database,
}

impl Tried {
    fn on(there: &str) -> Self {
        let (_, database) = tests::database();
        tests::run(&database, there);
        let project = tests::project_with("no migrations".into(), &database);
        let declarations = autogen::declarations().expect("models");
        let draft = tests::draft(&project, &declarations).expect("a change");
        Self { draft, database }
    }

    /// Applies the draft to the database with these rows in it.
    fn applied(&self, rows: &str) -> &Database {
        tests::run(&self.database, rows);
        for part in &self.draft.parts {
            tests::run(&self.database, &format!("BEGIN; {} COMMIT;", part.up_sql()));
        }
        &self.database
    }

    fn tells(&self, wanted: &str) {
        let told: Vec<String> = self.draft.hazards().map(ToString::to_string).collect();
        assert!(told.iter().any(|told| told == wanted), "{told:#?}");
    }
}

fn holds(database: &Database, condition: &str) {
    let mut connection = database.connect().expect("a connection");
    assert!(tests::holds(&mut connection, condition), "{condition}");
}

/// Why there is no way from there to the models.
fn refused(there: &str) -> generator::Error {
    let (_, database) = tests::database();
    tests::run(&database, there);
    let project = tests::project_with("no migrations".into(), &database);
    let declarations = autogen::declarations().expect("models");
    autogen::autogen(&project, &declarations, AutogenOptions::default())
        .expect_err("it is not yet done")
}

const ROWS: &str = "INSERT INTO users VALUES (1, '2001-01-01', NULL), (2, '2001-01-01', 'set')";

const AUDIT: &str = "
    CREATE TABLE audit (id serial PRIMARY KEY, who integer, label text);
    CREATE FUNCTION audit() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN INSERT INTO audit (who) VALUES (NEW.id); RETURN NULL; END $$;";

#[test]
fn a_trigger_that_sets_updated_at_is_told() {
    let tried = Tried::on(&users(
        "CREATE TRIGGER set_updated_at BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION set_updated_at();",
    ));

    tried.tells(
        "runs trigger set_updated_at of public.users, which calls public.set_updated_at, for what it fills",
    );
    tried.tells(
        "changes public.users.updated_at of the rows that it fills, by trigger set_updated_at of public.users",
    );
    let proof = tried.draft.proof.sentence();
    assert!(proof.contains("rows in 1 of 1 tables kept"), "{proof}");
    holds(
        tried.applied(ROWS),
        "(SELECT label = 'user 1' AND updated_at > '2002-01-01' FROM users WHERE id = 1)",
    );
}

#[test]
fn a_trigger_of_another_column_or_event_does_not_run() {
    let tried = Tried::on(&users(
        "CREATE TRIGGER of_id BEFORE UPDATE OF id ON users FOR EACH ROW EXECUTE FUNCTION set_updated_at();
        CREATE TRIGGER on_delete BEFORE DELETE ON users FOR EACH ROW EXECUTE FUNCTION set_updated_at();",
    ));

    let up = tests::ups(Some(&tried.draft));
    assert!(!up.contains("trigger"), "{up}");
}

#[test]
fn triggers_are_switched_off_and_on_as_they_were() {
    let tried = Tried::on(&format!(
        "{UPDATED_AT}
        CREATE TABLE quiet (id integer PRIMARY KEY, updated_at timestamp NOT NULL, label text);
        CREATE TRIGGER \"Always\" BEFORE UPDATE ON quiet FOR EACH ROW EXECUTE FUNCTION set_updated_at();
        CREATE TRIGGER origin BEFORE UPDATE ON quiet FOR EACH ROW EXECUTE FUNCTION set_updated_at();
        CREATE TRIGGER replica BEFORE UPDATE ON quiet FOR EACH ROW EXECUTE FUNCTION set_updated_at();
        CREATE TRIGGER disabled BEFORE UPDATE ON quiet FOR EACH ROW EXECUTE FUNCTION set_updated_at();
        ALTER TABLE quiet ENABLE ALWAYS TRIGGER \"Always\", ENABLE REPLICA TRIGGER replica, DISABLE TRIGGER disabled;
        CREATE RULE nothing AS ON UPDATE TO quiet DO INSTEAD NOTHING;"
    ));

    insta::assert_snapshot!("off", tests::ups(Some(&tried.draft)));
    let database = tried.applied("INSERT INTO quiet VALUES (1, '2001-01-01', NULL)");
    holds(
        database,
        "(SELECT label = 'user 1' AND updated_at = '2001-01-01' FROM quiet)",
    );
    holds(
        database,
        "(SELECT array_agg(concat(tgname, ' ', tgenabled) ORDER BY tgname) = '{Always A,disabled D,origin O,replica R}'
            FROM pg_trigger WHERE tgrelid = 'quiet'::regclass)",
    );
    holds(
        database,
        "(SELECT ev_enabled = 'O' FROM pg_rewrite WHERE rulename = 'nothing')",
    );
}

#[test]
fn rows_that_a_trigger_writes_elsewhere_are_told() {
    let tried = Tried::on(&users(&format!(
        "{AUDIT} CREATE TRIGGER audit AFTER UPDATE ON users FOR EACH ROW EXECUTE FUNCTION audit();"
    )));

    tried.tells("writes rows into public.audit, by trigger audit of public.users");
    let back = tried.draft.parts[0].down_sql();
    let wanted = "-- This does not undo that up.sql writes rows into public.audit, by trigger audit of public.users.";
    assert!(back.contains(wanted), "{back}");
}

#[test]
fn values_that_a_trigger_changes_elsewhere_are_told_and_deleted_rows_are_lost() {
    let tried = Tried::on(&users(
        "CREATE TABLE totals (id serial PRIMARY KEY, count integer NOT NULL);
        CREATE TABLE sessions (id serial PRIMARY KEY, who integer);
        CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            UPDATE totals SET count = 7; DELETE FROM sessions; RETURN NULL;
        END $$;
        CREATE TRIGGER touch AFTER UPDATE ON users FOR EACH STATEMENT EXECUTE FUNCTION touch();",
    ));

    tried.tells("changes public.totals.count, by trigger touch of public.users");
    tried.tells("loses rows of public.sessions, by trigger touch of public.users");
}

#[test]
fn what_waits_for_the_commit_is_done_before_the_table_is_altered() {
    let tried = Tried::on(&users(&format!(
        "{AUDIT} CREATE CONSTRAINT TRIGGER late AFTER UPDATE ON users DEFERRABLE INITIALLY DEFERRED
            FOR EACH ROW EXECUTE FUNCTION audit();"
    )));

    tried.tells("writes rows into public.audit, by trigger late of public.users");
    holds(tried.applied(ROWS), "(SELECT count(*) = 1 FROM audit)");
}

#[test]
fn what_a_trigger_leaves_waiting_in_another_table_is_done_too() {
    let tried = Tried::on(&users(
        "CREATE TABLE kinds (id integer PRIMARY KEY);
        INSERT INTO kinds VALUES (1);
        CREATE TABLE audit (id serial PRIMARY KEY, kind integer REFERENCES kinds DEFERRABLE INITIALLY DEFERRED);
        CREATE FUNCTION audit() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN INSERT INTO audit (kind) VALUES (1); RETURN NULL; END $$;
        CREATE TRIGGER audit AFTER UPDATE ON users FOR EACH ROW EXECUTE FUNCTION audit();",
    ));

    let up = tests::ups(Some(&tried.draft));
    assert!(up.contains("SET CONSTRAINTS ALL IMMEDIATE"), "{up}");
    tried.applied(ROWS);
}

#[test]
fn a_trigger_that_refuses_rows_is_told() {
    let tried = Tried::on(&users(
        "CREATE FUNCTION never() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN RAISE EXCEPTION 'users are final'; END $$;
        CREATE TRIGGER never BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION never();",
    ));

    tried.tells("fails while trigger never of public.users refuses a row: users are final");
    // Rows that have a value already are not filled, and are kept.
    let proof = tried.draft.proof.sentence();
    assert!(proof.contains("rows in 1 of 1 tables kept"), "{proof}");
}

#[test]
fn a_trigger_that_refuses_rows_at_the_end_is_told() {
    let tried = Tried::on(&users(
        "CREATE FUNCTION never() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN RAISE EXCEPTION 'users are final'; END $$;
        CREATE CONSTRAINT TRIGGER never AFTER UPDATE ON users DEFERRABLE INITIALLY DEFERRED
            FOR EACH ROW EXECUTE FUNCTION never();",
    ));

    tried.tells("fails while trigger never of public.users refuses a row: users are final");
}

#[test]
fn a_trigger_that_keeps_rows_as_they_are_is_no_way() {
    let error = refused(&users(
        "CREATE FUNCTION skip() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
        CREATE TRIGGER skip BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION skip();",
    ));

    assert_eq!(
        error.to_string(),
        "not yet: public.users.label cannot be filled, because trigger skip of public.users keeps rows as they are"
    );
    let advice = error.advice().join("\n");
    assert!(advice.contains("triggers = \"off\""), "{advice}");
}

#[test]
fn a_rule_in_place_of_the_update_is_no_way() {
    let error = refused(&users(
        "CREATE RULE nothing AS ON UPDATE TO users DO INSTEAD NOTHING;",
    ));

    let said = error.to_string();
    let wanted = "rows of public.users cannot be filled, because rule nothing takes the place of every UPDATE";
    assert!(said.contains(wanted), "{said}");
    let advice = error.advice().join("\n");
    assert!(advice.contains("triggers = \"off\""), "{advice}");
}

#[test]
fn a_rule_beside_the_update_is_told() {
    let tried = Tried::on(&users(
        "CREATE TABLE audit (who integer);
        CREATE RULE notes AS ON UPDATE TO users DO ALSO INSERT INTO audit VALUES (OLD.id);",
    ));

    tried.tells("runs rule notes of public.users");
    tried.tells("writes rows into public.audit, by rule notes of public.users");
}

#[test]
fn partitions_have_triggers_of_their_own() {
    let tried = Tried::on(&format!(
        "{UPDATED_AT}
        CREATE TABLE parted (id integer NOT NULL, updated_at timestamp NOT NULL, label text) PARTITION BY RANGE (id);
        CREATE TABLE parted_low PARTITION OF parted FOR VALUES FROM (0) TO (10);
        CREATE TRIGGER high BEFORE UPDATE ON parted_low FOR EACH ROW EXECUTE FUNCTION set_updated_at();
        CREATE PUBLICATION everything FOR ALL TABLES;"
    ));

    tried.tells("runs trigger high of public.parted_low, which calls public.set_updated_at, for what it fills");
    tried.tells(
        "changes public.parted_low.updated_at of the rows that it fills, by trigger high of public.parted_low",
    );
    holds(
        tried.applied("INSERT INTO parted VALUES (1, '2001-01-01', NULL)"),
        "(SELECT label = 'parted 1' FROM parted)",
    );
}

#[test]
fn a_published_table_without_a_key_logs_whole_rows_meanwhile() {
    let tried = Tried::on(
        "CREATE TABLE events (kind text NOT NULL, title text);
        CREATE PUBLICATION everything FOR ALL TABLES;",
    );

    insta::assert_snapshot!("published", tests::ups(Some(&tried.draft)));
    let database = tried.applied("INSERT INTO events VALUES ('start', NULL)");
    holds(database, "(SELECT title = 'START' FROM events)");
    holds(
        database,
        "(SELECT relreplident = 'd' FROM pg_class WHERE relname = 'events')",
    );
}

#[test]
fn a_published_table_with_no_identity_keeps_none() {
    let tried = Tried::on(
        "CREATE TABLE events (kind text NOT NULL, title text);
        ALTER TABLE events REPLICA IDENTITY NOTHING;
        CREATE PUBLICATION events FOR TABLE events;",
    );

    holds(
        tried.applied("INSERT INTO events VALUES ('start', NULL)"),
        "(SELECT relreplident = 'n' FROM pg_class WHERE relname = 'events')",
    );
}

#[test]
fn a_publication_of_inserts_is_in_nobodys_way() {
    let tried = Tried::on(
        "CREATE TABLE events (kind text NOT NULL, title text);
        CREATE PUBLICATION inserts FOR TABLE events WITH (publish = 'insert');",
    );

    let up = tests::ups(Some(&tried.draft));
    assert!(!up.contains("REPLICA IDENTITY"), "{up}");
}

#[test]
fn a_publication_that_lets_no_row_be_updated_at_all_is_no_way() {
    let error = refused(
        "CREATE TABLE events (kind text NOT NULL, title text);
        CREATE PUBLICATION kinds FOR TABLE events (kind);",
    );

    let said = error.to_string();
    assert!(
        said.contains("rows of public.events cannot be filled"),
        "{said}"
    );
}

#[test]
fn an_owner_whom_policies_bind_fills_every_row() {
    let tried = Tried::on(&users(
        "ALTER TABLE users ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
        CREATE POLICY mine ON users USING (label = current_setting('app.label', true));",
    ));

    insta::assert_snapshot!("forced", tests::ups(Some(&tried.draft)));
    let database = &tried.database;
    tests::run(database, ROWS);
    tests::run(
        database,
        "CREATE ROLE bound; GRANT ALL ON SCHEMA public TO bound; ALTER TABLE users OWNER TO bound",
    );
    let mut connection = database.connect().expect("a connection");
    for part in &tried.draft.parts {
        let up = part.up_sql();
        connection
            .batch_execute(&format!("SET ROLE bound; BEGIN; {up} COMMIT; RESET ROLE"))
            .expect("what an owner may whom policies bind");
    }
    holds(
        database,
        "(SELECT label = 'user 1' FROM users WHERE id = 1)",
    );
    holds(
        database,
        "(SELECT relforcerowsecurity FROM pg_class WHERE relname = 'users')",
    );
}

#[derive(Model)]
#[model(table = "owned")]
#[allow(dead_code, reason = "only what it declares is of interest")]
struct Owned {
    #[model(primary_key)]
    id: i32,
    #[model(fill = "(SELECT max(t.name) FROM teams t)")]
    team: String,
}

/// The fill would find no team, and leave NULL where it is meant to leave a name; the scratch's own user sees all.
#[test]
fn policies_that_hide_rows_from_what_a_fill_reads_are_no_way() {
    let teams = |security: &str| {
        format!(
            "CREATE TABLE owned (id integer PRIMARY KEY, team text);
            CREATE TABLE teams (name text PRIMARY KEY);
            ALTER TABLE teams {security};
            CREATE POLICY mine ON teams USING (name = current_setting('app.team', true));"
        )
    };
    let error = refused(&teams(
        "ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY",
    ));
    let said = error.full();
    assert!(said.contains("not yet: public.owned.team cannot be filled as it is meant: public.teams has forced row level security"), "{said}");
    // An owner whom nothing binds reads all of its own tables.
    let _ = Tried::on(&teams("ENABLE ROW LEVEL SECURITY"));
}
