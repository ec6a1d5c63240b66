//! A database that was there before trueup: what the models name nothing takes the names that it has, what they cannot say
//! stays as it is, and what is not theirs is left alone.

use generator::{
    apply,
    autogen::{self, AutogenOptions},
    check::{Scope, check},
    source::Source,
};
use trueup::{Model, PgEnum};

#[derive(Model)]
#[model(table = "accounts", check("balance > 0"), check("balance < 1000"))]
#[allow(dead_code, reason = "only what it declares is of interest")]
struct Account {
    #[model(primary_key, serial)]
    id: i32,
    #[model(unique, index)]
    email: String,
    balance: i32,
    mood: Mood,
    #[model(references = Account::id)]
    parent_id: Option<i32>,
}

#[derive(PgEnum)]
#[model(type = "mood")]
#[allow(dead_code, reason = "only what it declares is of interest")]
enum Mood {
    Good,
    Bad,
}

const THERE: &str = "
    CREATE TYPE mood AS ENUM ('good', 'bad');
    CREATE SEQUENCE account_numbers AS integer;
    CREATE TABLE accounts (
        id integer NOT NULL DEFAULT nextval('account_numbers'),
        email text NOT NULL,
        balance integer NOT NULL,
        mood mood NOT NULL,
        parent_id integer,
        CONSTRAINT pk_accounts PRIMARY KEY (id) WITH (fillfactor = 70),
        CONSTRAINT uq_accounts_email UNIQUE (email),
        -- The names that Postgres would choose, the other way round.
        CONSTRAINT accounts_balance_check CHECK (balance < 1000),
        CONSTRAINT accounts_balance_check1 CHECK (balance > 0),
        CONSTRAINT fk_parent FOREIGN KEY (parent_id) REFERENCES accounts (id)
    ) WITH (autovacuum_enabled = off);
    ALTER SEQUENCE account_numbers OWNED BY accounts.id;
    ALTER TABLE accounts ENABLE ROW LEVEL SECURITY;
    ALTER TABLE accounts ALTER COLUMN email SET STORAGE EXTERNAL, ALTER COLUMN email SET STATISTICS 500;
    CREATE INDEX ix_email ON accounts (email);
    ALTER TABLE accounts CLUSTER ON ix_email;";

/// Somebody else's, in the same database.
const FOREIGN: &str = "
    CREATE TABLE audit (id integer PRIMARY KEY, account_id integer REFERENCES accounts, mood mood DEFAULT 'good');
    CREATE VIEW good_accounts AS SELECT id, email FROM accounts WHERE mood = 'good';
    CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
    CREATE TRIGGER touched BEFORE UPDATE ON accounts FOR EACH ROW EXECUTE FUNCTION touch();";

#[test]
fn a_database_that_fits_needs_no_migration() {
    let (_server, database) = tests::database();
    tests::run(&database, &format!("{THERE}{FOREIGN}"));
    let folder = tempfile::tempdir().expect("a folder");
    let project = tests::project_with(folder.path().to_owned(), &database);
    let declarations = autogen::declarations().expect("models");

    let found =
        autogen::autogen(&project, &declarations, AutogenOptions::default()).expect("a draft");

    assert_eq!(tests::ups(found.draft.as_ref()), "");
    assert_eq!(found.taken, ["trigger touched on public.accounts"]);
}

#[test]
fn what_models_do_not_know_is_left_alone_when_they_change_something() {
    let (_server, database) = tests::database();
    let without = THERE.replace("        CONSTRAINT uq_accounts_email UNIQUE (email),\n", "");
    tests::run(&database, &format!("{without}{FOREIGN}"));
    let folder = tempfile::tempdir().expect("a folder");
    let project = tests::project_with(folder.path().to_owned(), &database);
    let declarations = autogen::declarations().expect("models");

    let found =
        autogen::autogen(&project, &declarations, AutogenOptions::default()).expect("a draft");

    let up = tests::ups(found.draft.as_ref());
    assert!(
        up.contains(
            "ALTER TABLE public.accounts ADD CONSTRAINT accounts_email_key UNIQUE (email);"
        ),
        "{up}"
    );
    assert_eq!(up.matches(";\n").count(), 1, "{up}");
}

#[test]
fn a_constraint_that_takes_the_name_of_another_does_not_displace_it() {
    let (_server, database) = tests::database();
    let (one, other) = (
        "CONSTRAINT accounts_balance_check CHECK (balance < 1000)",
        "CONSTRAINT accounts_balance_check1 CHECK (balance > 0),",
    );
    // The model's first check is new, and Postgres gives it the name of the one that is there.
    assert!(THERE.contains(one));
    tests::run(&database, &THERE.replace(other, ""));
    let folder = tempfile::tempdir().expect("a folder");
    let project = tests::project_with(folder.path().to_owned(), &database);
    let declarations = autogen::declarations().expect("models");

    let found =
        autogen::autogen(&project, &declarations, AutogenOptions::default()).expect("a draft");

    let up = tests::ups(found.draft.as_ref());
    assert!(
        up.contains("ADD CONSTRAINT accounts_balance_check1 CHECK (balance > 0);"),
        "{up}"
    );
    assert_eq!(up.matches(";\n").count(), 1, "{up}");
}

#[test]
fn check_tells_what_only_the_database_has() {
    let (_server, database) = tests::database();
    let folder = tempfile::tempdir().expect("a folder");
    let project = tests::project_with(folder.path().to_owned(), &database);
    let declarations = autogen::declarations().expect("models");
    let found =
        autogen::autogen(&project, &declarations, AutogenOptions::default()).expect("a draft");
    autogen::write(&project, "begin", &found.draft.expect("something to do")).expect("folders");

    let pending = check(&project, &declarations, Scope::Database).expect("a check");
    assert_eq!(pending.pending.len(), 1);

    let mut connection = database.connect().expect("a connection");
    generator::apply::upgrade(
        &mut connection,
        folder.path(),
        &generator::apply::UpTarget::Head,
        generator::apply::Options::default(),
    )
    .expect("an upgrade");
    let clean = check(&project, &declarations, Scope::Database).expect("a check");
    assert!(clean.is_clean(), "{clean:#?}");

    tests::run(&database, FOREIGN);
    let drifted = check(&project, &declarations, Scope::Database).expect("a check");
    let extra: Vec<&str> = drifted
        .database
        .iter()
        .map(|difference| difference.object.as_str())
        .collect();
    assert_eq!(extra, ["table public.audit", "view public.good_accounts"]);
    assert_eq!(
        drifted.unread,
        [
            "function public.touch()",
            "trigger touched on public.accounts"
        ]
    );
    assert!(drifted.models.is_empty(), "{drifted:#?}");
}

#[test]
fn the_first_migration_of_a_database_that_was_there_is_as_it_is_there() {
    let (_server, database) = tests::database();
    tests::run(&database, THERE);
    let folder = tempfile::tempdir().expect("a folder");
    let project = tests::project_with(folder.path().to_owned(), &database);
    let declarations = autogen::declarations().expect("models");

    let from = Source::Migrations(folder.path().to_owned());
    let options = AutogenOptions {
        from: Some(&from),
        ..AutogenOptions::default()
    };
    let found = autogen::autogen(&project, &declarations, options).expect("a draft");
    autogen::write(&project, "begin", &found.draft.expect("something to do")).expect("folders");
    let mut connection = database.connect().expect("a connection");
    let head = (apply::StampTarget::Head, apply::Options::default());
    apply::stamp(&mut connection, folder.path(), &head.0, head.1).expect("a stamp");

    let clean = check(&project, &declarations, Scope::Database).expect("a check");
    assert!(clean.is_clean(), "{clean:#?}");
}

#[test]
fn what_models_cannot_declare_stays_on_their_tables() {
    let (_server, database) = tests::database();
    let more = "
        CREATE SEQUENCE tickets OWNED BY accounts.id;
        COMMENT ON SEQUENCE tickets IS 'Drawn at the door.';
        COMMENT ON CONSTRAINT uq_accounts_email ON accounts IS 'Nobody signs up twice.';
        COMMENT ON INDEX ix_email IS 'For the sign-in.';";
    tests::run(&database, &format!("{THERE}{more}"));
    let folder = tempfile::tempdir().expect("a folder");
    let project = tests::project_with(folder.path().to_owned(), &database);
    let declarations = autogen::declarations().expect("models");

    let found =
        autogen::autogen(&project, &declarations, AutogenOptions::default()).expect("a draft");

    assert_eq!(tests::ups(found.draft.as_ref()), "");
}

/// As with a unique constraint.
#[test]
fn an_exclusion_constraint_that_the_struct_does_not_say_goes() {
    let (_server, database) = tests::database();
    let more = "ALTER TABLE accounts ADD CONSTRAINT one_each EXCLUDE (email WITH =);
        CREATE TABLE rooms (room integer, EXCLUDE (room WITH =));";
    tests::run(&database, &format!("{THERE}{more}"));
    let folder = tempfile::tempdir().expect("a folder");
    let project = tests::project_with(folder.path().to_owned(), &database);
    let declarations = autogen::declarations().expect("models");

    let found =
        autogen::autogen(&project, &declarations, AutogenOptions::default()).expect("a draft");

    let up = tests::ups(found.draft.as_ref());
    assert!(
        up.contains("ALTER TABLE public.accounts DROP CONSTRAINT one_each;"),
        "{up}"
    );
    assert_eq!(up.matches(";\n").count(), 1, "{up}");
}

/// What queries read of the accounts, made by hand.
const QUERIES: &str = "
    CREATE VIEW rich AS SELECT id, email FROM accounts WHERE balance > 500 WITH CHECK OPTION;
    COMMENT ON COLUMN rich.email IS 'Where to send the flowers.';
    CREATE MATERIALIZED VIEW totals AS SELECT mood, sum(balance) AS total FROM accounts GROUP BY mood;
    CREATE UNIQUE INDEX totals_mood ON totals (mood);
    COMMENT ON INDEX totals_mood IS 'For REFRESH CONCURRENTLY.';
    CREATE RULE kept AS ON DELETE TO accounts WHERE old.balance > 0 DO INSTEAD NOTHING;
    COMMENT ON RULE kept ON accounts IS 'Nobody loses money.';";

#[test]
fn queries_stay_around_another_type() {
    let (_server, database) = tests::database();
    let narrow = THERE
        .replace("balance integer", "balance smallint")
        .replace("email text", "email varchar(80)");
    assert_ne!(narrow, THERE);
    let row = "INSERT INTO accounts VALUES (1, 'a@b', 900, 'good');";
    tests::run(&database, &format!("{narrow}{row}{QUERIES}"));
    let folder = tempfile::tempdir().expect("a folder");
    let project = tests::project_with(folder.path().to_owned(), &database);
    let declarations = autogen::declarations().expect("models");

    let found =
        autogen::autogen(&project, &declarations, AutogenOptions::default()).expect("a draft");
    let up = tests::ups(found.draft.as_ref());
    for again in [
        "VIEW public.rich",
        "MATERIALIZED VIEW public.totals",
        "RULE kept",
    ] {
        assert_eq!(up.matches(&format!("DROP {again}")).count(), 1, "{up}");
        assert_eq!(up.matches(&format!("CREATE {again}")).count(), 1, "{up}");
    }
    autogen::write(&project, "wide", &found.draft.expect("something to do")).expect("folders");

    let mut connection = database.connect().expect("a connection");
    let (head, base) = (apply::UpTarget::Head, apply::DownTarget::Base);
    let options = apply::Options::default();
    apply::upgrade(&mut connection, folder.path(), &head, options).expect("an upgrade");
    assert!(tests::holds(
        &mut connection,
        "(SELECT total = 900 AND pg_typeof(total)::text = 'bigint' FROM totals)"
    ));
    apply::downgrade(&mut connection, folder.path(), &base, options).expect("a downgrade");
    for still in [
        "(SELECT total = 900 FROM totals)",
        "col_description('rich'::regclass, 2) = 'Where to send the flowers.'",
        "obj_description('totals_mood'::regclass) = 'For REFRESH CONCURRENTLY.'",
        "(SELECT obj_description(oid) = 'Nobody loses money.' FROM pg_rewrite WHERE rulename = 'kept')",
        "pg_relation_is_updatable('rich'::regclass, false) <> 0",
    ] {
        assert!(tests::holds(&mut connection, still), "{still}");
    }
}

#[test]
fn a_column_does_not_go_from_under_a_query() {
    let (_server, database) = tests::database();
    let more = THERE.replace("balance integer", "phone text, room text, balance integer");
    assert_ne!(more, THERE);
    tests::run(
        &database,
        &format!(
            "{more}
            CREATE VIEW phone_book AS SELECT email, phone FROM accounts;
            CREATE VIEW phones AS SELECT phone FROM phone_book;
            CREATE RULE no_move AS ON UPDATE TO accounts WHERE new.room <> old.room DO INSTEAD NOTHING;"
        ),
    );
    let folder = tempfile::tempdir().expect("a folder");
    let project = tests::project_with(folder.path().to_owned(), &database);
    let declarations = autogen::declarations().expect("models");

    let error = autogen::autogen(&project, &declarations, AutogenOptions::default())
        .expect_err("two queries need what goes");
    assert_eq!(
        error.full(),
        "view public.phone_book needs column public.accounts.phone, which the models have no longer\n\
         rule public.accounts.no_move needs column public.accounts.room, which the models have no longer"
    );
}
