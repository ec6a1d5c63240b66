//! A database that was there before trueup: what the models name nothing takes the names that it has, what they cannot say
//! stays as it is, and what is not theirs is left alone.

use generator::{
    Error, Project,
    draft::Draft,
    migrations::apply,
    pipeline::{
        autogen::{self, Autogen, AutogenOptions},
        check::{Check, Scope, check},
    },
    postgres::scratch::Database,
    source::Source,
};
use tempfile::TempDir;
use trueup::{Declarations, Model, PgEnum};

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

/// A database that was there, and a project without migrations that takes it over.
struct Adopted {
    declarations: Declarations,
    project: Project,
    folder: TempDir,
    database: Database,
    /// Whose scratch is the server.
    _server: Project,
}

impl Adopted {
    /// A database that has what this SQL makes.
    fn with(sql: &str) -> Self {
        let there = Self::empty();
        tests::run(&there.database, sql);
        there
    }

    fn empty() -> Self {
        let (server, database) = tests::database();
        let folder = tempfile::tempdir().expect("a folder");
        Self {
            declarations: autogen::declarations().expect("models"),
            project: tests::project_with(folder.path().to_owned(), &database),
            folder,
            database,
            _server: server,
        }
    }

    fn autogen(&self, options: AutogenOptions) -> Result<Autogen, Error> {
        autogen::autogen(&self.project, &self.declarations, options)
    }

    fn draft(&self) -> Option<Draft> {
        tests::draft(&self.project, &self.declarations)
    }

    fn write(&self, message: &str, draft: &Draft) {
        autogen::write(&self.project, message, draft).expect("folders");
    }

    fn check(&self) -> Check {
        check(&self.project, &self.declarations, Scope::Database).expect("a check")
    }
}

#[test]
fn a_database_that_fits_needs_no_migration() {
    let there = Adopted::with(&format!("{THERE}{FOREIGN}"));

    let found = there.autogen(AutogenOptions::default()).expect("a draft");

    assert_eq!(tests::ups(found.draft.as_ref()), "");
    let taken: Vec<&str> = found.taken.iter().map(|one| one.what.as_str()).collect();
    assert_eq!(taken, ["trigger touched on public.accounts"]);
}

#[test]
fn what_models_do_not_know_is_left_alone_when_they_change_something() {
    let without = THERE.replace("        CONSTRAINT uq_accounts_email UNIQUE (email),\n", "");
    let there = Adopted::with(&format!("{without}{FOREIGN}"));

    let up = tests::ups(there.draft().as_ref());
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
    let (one, other) = (
        "CONSTRAINT accounts_balance_check CHECK (balance < 1000)",
        "CONSTRAINT accounts_balance_check1 CHECK (balance > 0),",
    );
    // The model's first check is new, and Postgres gives it the name of the one that is there.
    assert!(THERE.contains(one));
    let there = Adopted::with(&THERE.replace(other, ""));

    let up = tests::ups(there.draft().as_ref());
    assert!(
        up.contains("ADD CONSTRAINT accounts_balance_check1 CHECK (balance > 0);"),
        "{up}"
    );
    assert_eq!(up.matches(";\n").count(), 1, "{up}");
}

#[test]
fn check_tells_what_only_the_database_has() {
    let there = Adopted::empty();
    there.write("begin", &there.draft().expect("something to do"));

    let pending = there.check();
    assert_eq!(pending.pending.len(), 1);

    let mut connection = there.database.connect().expect("a connection");
    generator::migrations::apply::upgrade(
        &mut connection,
        there.folder.path(),
        &generator::migrations::apply::UpTarget::Head,
        generator::migrations::apply::Options::default(),
    )
    .expect("an upgrade");
    let clean = there.check();
    assert!(clean.is_clean(), "{clean:#?}");

    tests::run(&there.database, FOREIGN);
    let drifted = there.check();
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
    let there = Adopted::with(THERE);

    let from = Source::Migrations(there.folder.path().to_owned());
    let options = AutogenOptions {
        from: Some(&from),
        ..AutogenOptions::default()
    };
    let found = there.autogen(options).expect("a draft");
    there.write("begin", &found.draft.expect("something to do"));
    let mut connection = there.database.connect().expect("a connection");
    let head = (apply::StampTarget::Head, apply::Options::default());
    apply::stamp(&mut connection, there.folder.path(), &head.0, head.1).expect("a stamp");

    let clean = there.check();
    assert!(clean.is_clean(), "{clean:#?}");
}

#[test]
fn what_models_cannot_declare_stays_on_their_tables() {
    let more = "
        CREATE SEQUENCE tickets OWNED BY accounts.id;
        COMMENT ON SEQUENCE tickets IS 'Drawn at the door.';
        COMMENT ON CONSTRAINT uq_accounts_email ON accounts IS 'Nobody signs up twice.';
        COMMENT ON INDEX ix_email IS 'For the sign-in.';";
    let there = Adopted::with(&format!("{THERE}{more}"));

    assert_eq!(tests::ups(there.draft().as_ref()), "");
}

/// As with a unique constraint.
#[test]
fn an_exclusion_constraint_that_the_struct_does_not_say_goes() {
    let more = "ALTER TABLE accounts ADD CONSTRAINT one_each EXCLUDE (email WITH =);
        CREATE TABLE rooms (room integer, EXCLUDE (room WITH =));";
    let there = Adopted::with(&format!("{THERE}{more}"));

    let up = tests::ups(there.draft().as_ref());
    assert!(
        up.contains("ALTER TABLE public.accounts DROP CONSTRAINT one_each;"),
        "{up}"
    );
    assert_eq!(up.matches(";\n").count(), 1, "{up}");
}

/// Views and rules over the accounts, made by hand.
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
    let narrow = THERE
        .replace("balance integer", "balance smallint")
        .replace("email text", "email varchar(80)");
    assert_ne!(narrow, THERE);
    let row = "INSERT INTO accounts VALUES (1, 'a@b', 900, 'good');";
    let there = Adopted::with(&format!("{narrow}{row}{QUERIES}"));

    let draft = there.draft().expect("something to do");
    let up = tests::ups(Some(&draft));
    for again in [
        "VIEW public.rich",
        "MATERIALIZED VIEW public.totals",
        "RULE kept",
    ] {
        assert_eq!(up.matches(&format!("DROP {again}")).count(), 1, "{up}");
        assert_eq!(up.matches(&format!("CREATE {again}")).count(), 1, "{up}");
    }
    there.write("wide", &draft);

    let mut connection = there.database.connect().expect("a connection");
    let (head, base) = (apply::UpTarget::Head, apply::DownTarget::Base);
    let options = apply::Options::default();
    apply::upgrade(&mut connection, there.folder.path(), &head, options).expect("an upgrade");
    assert!(tests::holds(
        &mut connection,
        "(SELECT total = 900 AND pg_typeof(total)::text = 'bigint' FROM totals)"
    ));
    apply::downgrade(&mut connection, there.folder.path(), &base, options).expect("a downgrade");
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
    let more = THERE.replace("balance integer", "phone text, room text, balance integer");
    assert_ne!(more, THERE);
    let there = Adopted::with(&format!(
            "{more}
            CREATE VIEW phone_book AS SELECT email, phone FROM accounts;
            CREATE VIEW phones AS SELECT phone FROM phone_book;
            CREATE RULE no_move AS ON UPDATE TO accounts WHERE new.room <> old.room DO INSTEAD NOTHING;"
        ));

    let error = there
        .autogen(AutogenOptions::default())
        .expect_err("two queries need what goes");
    assert_eq!(
        error.full(),
        "view public.phone_book needs column public.accounts.phone, which the models have no longer\n\
         rule public.accounts.no_move needs column public.accounts.room, which the models have no longer"
    );
}
