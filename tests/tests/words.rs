//! Properties that models may leave undeclared: a declared one is enforced, and an undeclared one stays as it is in the
//! database.

use generator::{migrations::apply, pipeline::autogen};
use trueup::Model;

trueup::sequence!("tickets", start = 100, min = 10, data_type = "integer");
trueup::sequence!("stubs", comment = "Torn off.", cycle, max = 9);

#[derive(Model)]
#[model(
    table = "notes",
    with(fillfactor = 70, toast(autovacuum_enabled = false))
)]
#[model(unique(columns(title), name = "one_title", comment = "Nobody says it twice."))]
#[model(index(columns(body), name = "notes_body", method = "hash", comment = ""))]
#[model(statistics(title, more, name = "kept", kinds(mcv)))]
#[model(statistics(id, title, name = "aimed", kinds(ndistinct), target = 100))]
#[model(statistics("lower(more)", name = "new", comment = "How long is it?"))]
#[model(exclude(more(with = "=")), check("ticket > 0", not_valid))]
#[model(check(name = "titled", expr = "title <> ''"))]
#[allow(dead_code, reason = "only what it declares is of interest")]
#[allow(
    clippy::duplicated_attributes,
    reason = "two statistics may have a column in common"
)]
struct Note {
    #[model(primary_key)]
    id: i64,
    #[model(default = "nextval('tickets')")]
    ticket: i64,
    title: String,
    #[model(
        storage = "extended",
        compression = "default",
        statistics = -1
    )]
    body: String,
    #[model(storage = "external", statistics = 500)]
    more: String,
}

#[derive(Model)]
#[model(table = "plain", with())]
#[allow(dead_code, reason = "only what it declares is of interest")]
struct Plain {
    #[model(primary_key(name = "plain_pk", comment = ""), identity = "always")]
    id: i64,
}

#[derive(Model)]
#[model(table = "logs", partition_by(hash(id)), partitions(hash = 2))]
#[allow(dead_code, reason = "only what it declares is of interest")]
struct Log {
    id: i64,
    #[model(storage = "external", compression = "pglz", statistics = 100)]
    line: String,
    other: String,
}

#[derive(Model)]
#[model(table = "people", of = "person")]
#[allow(dead_code, reason = "only what it declares is of interest")]
struct Person {
    #[model(primary_key)]
    id: i64,
    #[model(default = "'nobody'")]
    name: String,
}

const THERE: &str = "
    CREATE SEQUENCE tickets START 7 INCREMENT 2 CACHE 5;
    CREATE SEQUENCE drawn;
    COMMENT ON SEQUENCE tickets IS 'At the door.';
    CREATE TABLE notes (
        id bigint PRIMARY KEY,
        ticket bigint DEFAULT nextval('tickets') NOT NULL,
        title text NOT NULL,
        body text COMPRESSION pglz NOT NULL,
        more text NOT NULL,
        CONSTRAINT one_title UNIQUE (title),
        CONSTRAINT titled CHECK (title <> '')
    ) WITH (fillfactor = 50, autovacuum_enabled = off);
    ALTER TABLE notes ADD CONSTRAINT another_name EXCLUDE (more WITH =),
        ADD CONSTRAINT positive CHECK (ticket > 0) NOT VALID;
    CREATE INDEX notes_body ON notes USING hash (body);
    ALTER TABLE notes ALTER COLUMN body SET STORAGE EXTERNAL, ALTER COLUMN body SET STATISTICS 100,
        ALTER COLUMN title SET STORAGE EXTERNAL, ALTER COLUMN title SET STATISTICS 100,
        ALTER COLUMN more SET COMPRESSION pglz;
    CREATE STATISTICS kept (mcv) ON title, more FROM notes;
    ALTER STATISTICS kept SET STATISTICS 200;
    CREATE STATISTICS aimed (mcv) ON id, title FROM notes;
    CREATE STATISTICS gone ON title, more FROM notes;
    CREATE MATERIALIZED VIEW others AS SELECT id, title FROM notes;
    CREATE STATISTICS theirs ON id, title FROM others;
    COMMENT ON STATISTICS kept IS 'Kept.';
    COMMENT ON CONSTRAINT one_title ON notes IS 'Once.';
    COMMENT ON INDEX notes_body IS 'For whom?';
    COMMENT ON CONSTRAINT titled ON notes IS 'Nobody says nothing.';
    CREATE TABLE plain (id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT plain_pk PRIMARY KEY) WITH (fillfactor = 50);
    COMMENT ON SEQUENCE plain_id_seq IS 'It counts.';
    CREATE TABLE logs (id bigint NOT NULL, line text NOT NULL, other text NOT NULL) PARTITION BY HASH (id);
    CREATE TABLE logs_0 PARTITION OF logs FOR VALUES WITH (MODULUS 2, REMAINDER 0);
    CREATE TABLE logs_1 PARTITION OF logs FOR VALUES WITH (MODULUS 2, REMAINDER 1);
    ALTER TABLE logs_1 ALTER COLUMN line SET STORAGE MAIN, ALTER COLUMN other SET STATISTICS 7;
    COMMENT ON TABLE logs_0 IS 'The first half.';
    COMMENT ON COLUMN logs_0.line IS 'As it came.';
    CREATE TYPE person AS (id bigint, name text);
    CREATE TABLE people (id bigint PRIMARY KEY, name varchar(9));
    COMMENT ON CONSTRAINT plain_pk ON plain IS 'Plain.';";

#[test]
fn what_is_said_holds_and_what_is_not_said_stays() {
    let (_server, database) = tests::database();
    let folder = tempfile::tempdir().expect("a folder");
    let begin = folder.path().join("2026-01-01-000000-0000_begin");
    std::fs::create_dir_all(&begin).expect("a folder");
    std::fs::write(begin.join("up.sql"), THERE).expect("a file");
    std::fs::write(
        begin.join("down.sql"),
        "DROP TABLE notes, plain, logs, people CASCADE; DROP TYPE person;",
    )
    .expect("a file");
    let project = tests::project_with(folder.path().to_owned(), &database);
    let declarations = autogen::declarations().expect("models");
    let draft = || tests::draft(&project, &declarations);

    let mut connection = database.connect().expect("a connection");
    let mut upgrade = || {
        let (head, options) = (apply::UpTarget::Head, apply::Options::default());
        apply::upgrade(&mut connection, folder.path(), &head, options).expect("an upgrade");
    };
    upgrade();
    let first = draft().expect("something to do");
    insta::assert_snapshot!(tests::ups(Some(&first)));
    autogen::write(&project, "words", &first).expect("folders");
    upgrade();

    assert_eq!(tests::ups(draft().as_ref()), "");
    for still in [
        "(SELECT attstorage = 'e' AND attstattarget = 100 FROM pg_attribute
            WHERE attrelid = 'notes'::regclass AND attname = 'title')",
        "(SELECT stxstattarget = 200 AND obj_description(oid) = 'Kept.' FROM pg_statistic_ext WHERE stxname = 'kept')",
        "(SELECT count(*) = 1 FROM pg_statistic_ext WHERE stxname = 'theirs')",
        "obj_description('tickets'::regclass) = 'At the door.' AND to_regclass('drawn') IS NOT NULL",
        "(SELECT attcompression = 'p' FROM pg_attribute
            WHERE attrelid = 'notes'::regclass AND attname = 'more')",
        "(SELECT obj_description(oid) = 'Nobody says nothing.' FROM pg_constraint WHERE conname = 'titled')",
    ] {
        assert!(tests::holds(&mut connection, still), "{still}");
    }
    let (back, options) = (apply::DownTarget::Minus(1), apply::Options::default());
    apply::downgrade(&mut connection, folder.path(), &back, options).expect("a downgrade");
    assert!(tests::holds(
        &mut connection,
        "obj_description('notes_body'::regclass) = 'For whom?'"
    ));
}
