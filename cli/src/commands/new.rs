//! `trueup new`: a migration to be written by hand.

use generator::{
    Error,
    migrations::folder::{self, NewMigration},
    report::Changed,
};

use super::Status;
use crate::{arguments::FormatArg, context::Context};

/// Write an empty migration, to be filled in by hand
///
/// For what no model says: rows, functions, views. Until you replace the statement in it that fails on purpose, nothing
/// applies it, neither trueup nor diesel.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  trueup new \"grant the reports role\"
  trueup new \"fill users.country\" --data          with advice and an example for changing many rows
  trueup new \"index orders\" --no-transaction      for CREATE INDEX CONCURRENTLY, one statement")]
pub(crate) struct Args {
    /// What changes, in a few words; the folder is named after it
    message: String,

    /// For a change of rows: puts advice and an example into it
    #[arg(long)]
    data: bool,

    /// Do not run it in a transaction
    #[arg(long)]
    no_transaction: bool,

    /// How to report
    #[arg(long, value_enum, default_value = "text")]
    format: FormatArg,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Status, Error> {
    let new = NewMigration {
        message: args.message.clone(),
        up: if args.data { UP_DATA } else { UP }.to_owned(),
        down: if args.data { DOWN_DATA } else { DOWN }.to_owned(),
        run_in_transaction: !args.no_transaction,
        summary: Vec::new(),
        proof: Vec::new(),
    };
    let written = folder::write(&context.project.migrations, None, &[new])?;
    let changed = Changed {
        written,
        summary: "nothing applies it before its statements are written".to_owned(),
        ..Changed::default()
    };
    context.output.report(&changed, args.format.into())?;
    context
        .output
        .next("write up.sql and down.sql, then `trueup upgrade --dry-run` and `trueup upgrade`");
    Ok(Status::Done)
}

const UP: &str = "\
-- Write the statements here, with full names (public.users), in place of the one below.
-- They run in one transaction, unless metadata.toml says otherwise. Do not set search_path.

DO $$ BEGIN RAISE EXCEPTION 'this migration was not written yet: put its statements in place of this one'; END $$;
";

const DOWN: &str = "\
-- Write the way back here, in place of the statement below: what up.sql did, undone, last things first.
-- Where there is no way back, keep a RAISE that says why. Where nothing is to be undone: SELECT 1;

DO $$ BEGIN RAISE EXCEPTION 'the way back of this migration was not written yet'; END $$;
";

const UP_DATA: &str = "\
-- A change of rows. Write it here, with full names (public.users), in place of the last statement.
--
-- One UPDATE of all rows locks each of them until the end, writes every row anew, and replicas wait for it. That is fine
-- for some ten thousand rows. For more, go in batches, and let each batch take only what is not done yet, so that it can
-- be run again after it was interrupted:
--
--     WITH batch AS (
--         SELECT id FROM public.users
--         WHERE country IS NULL
--         ORDER BY id
--         LIMIT 5000
--         FOR UPDATE
--     )
--     UPDATE public.users SET country = 'DE' FROM batch WHERE users.id = batch.id;
--
-- Repeat that until it updates nothing: from your own program or psql, with a commit after each, before or after this
-- migration. Or here, where metadata.toml says run_in_transaction = false and this is the only statement:
--
--     DO $$
--     DECLARE done bigint;
--     BEGIN
--         LOOP
--             WITH batch AS (
--                 SELECT id FROM public.users WHERE country IS NULL LIMIT 5000 FOR UPDATE
--             )
--             UPDATE public.users SET country = 'DE' FROM batch WHERE users.id = batch.id;
--             GET DIAGNOSTICS done = ROW_COUNT;
--             EXIT WHEN done = 0;
--             COMMIT;
--         END LOOP;
--     END $$;
--
-- Fill a new column in three migrations: add it with NULL allowed; fill it; SET NOT NULL.

DO $$ BEGIN RAISE EXCEPTION 'this migration was not written yet: put its statements in place of this one'; END $$;
";

const DOWN_DATA: &str = "\
-- Write the way back here, in place of the statement below. Values that up.sql overwrote are gone, unless it kept them
-- somewhere: then keep a RAISE that says so, and whoever goes back knows. Where the new values do no harm: SELECT 1;

DO $$ BEGIN RAISE EXCEPTION 'the way back of this migration was not written yet'; END $$;
";
