//! `trueup autogen`: the models become a migration.

use std::io::{self, IsTerminal};

use dialoguer::Select;
use generator::{
    Error, ErrorKind,
    draft::{Draft, DraftOptions, Part},
    migrations::folder,
    named::Named,
    pipeline::autogen::{self, Autogen, AutogenOptions, Unfilled, Value},
    rename::{Ask, LookAlike, Refused},
    report::{Drafted, Output, Written, kinds, unread_by_kind},
};
use trueup::Id;

use super::{
    Status,
    losses::{Allowed, consent},
    unfilled,
};
use crate::{
    arguments::{self, FormatArg},
    context::Context,
};

/// Write the migration that takes the database to what the models say
///
/// Compares the models with the database (or, where none is configured, with the migrations), plans the way there and the
/// way back, and tries both on a throw-away PostgreSQL before anything is written: up must give exactly the models, down
/// exactly what was there before, and pg_dump must agree. Where nothing is to be done, nothing is written.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  trueup autogen \"add phone_number\"               write migrations/<version>_add_phone_number/
  trueup autogen \"add phone_number\" --dry-run     print the files instead
  trueup autogen \"drop old\" --allow data-loss=users.fax,public.old    where rows or columns go for good
  trueup autogen \"drop legacy\" --drop public.legacy    what no model declares and a person's migration made
  trueup autogen \"split users\" --data            with a place to move rows from what goes to what comes
  trueup autogen \"name it\" --rename users.phone=phone_number
  trueup autogen \"add x\" --from migrations        do not look at the database")]
pub(crate) struct Args {
    /// What changes, in a few words; the folder is named after it
    message: String,

    /// What to compare the models with: a database URL, `migrations`, or a .sql file
    ///
    /// [default: the database that is configured, else the migrations]
    #[arg(long, value_name = "SOURCE", hide_default_value = true)]
    from: Option<String>,

    /// Something that has another name now: users.phone=phone_number; as often as needed
    ///
    /// What is written is [KIND:]PATH=NEW. The namespace of a path may be left out where no two things are called alike;
    /// users=shop.users moves a table to another namespace. Names with dots, = or quotes stand in double quotes.
    #[arg(long, value_name = "OLD=NEW")]
    rename: Vec<String>,

    /// What looks like a rename is none: the old goes, with all that is in it; without a path, none is one
    #[arg(long, value_name = "PATH", num_args = 0..=1, default_missing_value = "")]
    no_rename: Vec<String>,

    /// Leave a place to move rows, in up.sql and in down.sql: after all that comes and before anything goes
    ///
    /// For a table that is split, or a column that moves to another. The place fails on purpose until you have written your INSERT
    /// or UPDATE there, by the example in it; then `trueup prove`. New columns take NULL up to there. What goes further down needs
    /// no --allow.
    #[arg(long, conflicts_with = "sql")]
    data: bool,

    /// Value for rows without one in a new or required column, in this migration alone: users.phone="'none'"; repeatable
    ///
    /// The form is PATH=EXPRESSION, with an SQL expression over the columns of the row, as `fill` in a model.
    #[arg(long, value_name = "PATH=SQL")]
    fill: Vec<String>,

    /// Print the files and write nothing
    #[arg(long)]
    dry_run: bool,

    /// Print the SQL of the way there, for psql, and write nothing
    #[arg(long, conflicts_with = "dry_run")]
    sql: bool,

    /// Do not try the migration before writing it; its header will say so
    #[arg(long)]
    no_proof: bool,

    /// Drop this, which no model declares and no migration of autogen's made, with all that is in it; as often as needed
    #[arg(long, value_name = "PATH")]
    drop: Vec<String>,

    /// Write the migration though it loses the rows or values of these: data-loss=public.users.fax; as often as needed
    ///
    /// Several stand with commas between them. Without names, a terminal asks for each; elsewhere the names are listed.
    /// `fails=public.users.phone`: though it fails where a row has no value for this column. `code-breaks=NAME`: though this
    /// function or trigger fails afterwards. Both stand without names for all.
    #[arg(long, value_name = "RISK=PATH,…", value_parser = Allowed::parse)]
    allow: Vec<Allowed>,

    /// How to report
    #[arg(long, value_enum, default_value = "text", conflicts_with = "sql")]
    format: FormatArg,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Status, Error> {
    let Context {
        project, output, ..
    } = context;
    folder::slug(&args.message)?;
    let from = args.from.as_deref();
    let from = from.map(|text| context.source(text)).transpose()?;
    let renames = arguments::renames(&args.rename)?;
    let no_renames = args.no_rename.iter().map(|text| Refused::parse(text));
    let no_renames = no_renames.collect::<Result<Vec<_>, Error>>()?;
    let drops = args.drop.iter().map(|text| {
        Named::parse(text).ok_or_else(|| {
            Error::input(format!("--drop {text}: this names nothing"))
                .hint("write --drop public.legacy")
        })
    });
    let drops = drops.collect::<Result<Vec<_>, Error>>()?;
    let fills = arguments::fills(&args.fill)?;
    let options = AutogenOptions {
        drops: &drops,
        fills: &fills,
        renames: &renames,
        no_renames: &no_renames,
        ask: terminal(),
        from: from.as_ref(),
        begins: true,
        draft: DraftOptions {
            prove: !args.no_proof,
            data_step: args.data,
            ..DraftOptions::default()
        },
        ..AutogenOptions::default()
    };
    let mut found = autogen::autogen(project, &autogen::declarations()?, options)?;
    let no_beginning = found.no_beginning.take();
    remarks(&found, context);
    let Some(draft) = &found.draft else {
        output.report(&Written::nothing(&found.from), args.format.into())?;
        if found.unmigrated {
            output.next(
                "no migration makes this database yet: `trueup autogen begin --from migrations` writes one, and \
                 `trueup stamp head` records that it is there",
            );
        }
        return Ok(Status::Done);
    };
    if let Some(error) = no_beginning.as_ref().filter(|_| args.sql || args.dry_run) {
        output.note(format!("this is no first migration: {}", error.full()));
    }
    if args.sql {
        let ups = draft.parts.iter().map(Part::up_sql);
        output.data(&ups.collect::<Vec<_>>().join("\n"))?;
        output.note(format!(
            "proved {}; nothing was written",
            draft.proof.sentence()
        ));
        return Ok(Status::Done);
    }
    if args.dry_run {
        output.report(&Drafted::new(&args.message, draft), args.format.into())?;
        output.note(format!(
            "proved {}; nothing was written",
            draft.proof.sentence()
        ));
        return Ok(Status::Done);
    }
    if let Some(error) = no_beginning {
        return Err(error);
    }
    if !consent(&found, draft, &args.allow, context)? {
        return Ok(Status::Refused);
    }
    let folders = autogen::write(project, &args.message, draft)?;
    let mut written = Written::new(draft, &folders, found.answers.fails.clone());
    written.shows_rows = is_terminal();
    output.report(&written, args.format.into())?;
    let next = next(draft, found.adopts);
    output.next(if written.fails_now.is_empty() {
        next
    } else {
        "mend those rows, or say in the models what becomes of them and `trueup recreate`: `trueup upgrade` would fail now".to_owned()
    });
    Ok(Status::Done)
}

fn next(draft: &Draft, there_before: bool) -> String {
    let these = if draft.parts.len() == 1 { "it" } else { "them" };
    if draft.proof.awaits_data_step {
        return "write the data step where up.sql and down.sql say so, `trueup prove`, commit it with the models, and `trueup upgrade`"
            .to_owned();
    }
    if there_before {
        return format!(
            "read {these}, commit {these} with the models, and `trueup stamp head`, where the database has it all already"
        );
    }
    format!("read {these}, commit {these} with the models, and `trueup upgrade`")
}

fn remarks(found: &Autogen, context: &Context) {
    for stale in &found.stale {
        context.output.note(stale);
    }
    if !found.unmodelled.is_empty() {
        context.output.note(unmodelled(&found.unmodelled));
    }
    for what in unread_by_kind(&found.taken) {
        context.output.note(format!(
            "left as it is, for trueup does not read that kind of object: {what}"
        ));
    }
    if !found.drifted.is_empty() {
        let number = match found.drifted.len() {
            1 => "1 object of a kind that trueup does not read differs".to_owned(),
            many => format!("{many} objects of kinds that trueup does not read differ"),
        };
        context.output.note(format!(
            "{number} between the database and the migrations: {}; `trueup check` says how",
            unread_by_kind(&found.drifted).join(", ")
        ));
    }
    if !found.drifted_rights.is_empty() {
        context.output.note(format!(
            "not the same in the database and the migrations: {}; `trueup check` says how",
            found.drifted_rights.join(", ")
        ));
    }
    for (query, why) in &found.answers.unanswered {
        context.output.note(format!(
            "the rows that are there were not asked, for {why}: {query}"
        ));
    }
    if let Some(major) = found.other_major {
        context.output.note(format!(
            "the database is PostgreSQL {major}, and the proof ran on another major; install PostgreSQL {major} to prove \
             on the same"
        ));
    }
}

/// The remark about what no model declares and autogen did not make.
pub(super) fn unmodelled(ids: &[Id]) -> String {
    let (are, stay) = if ids.len() == 1 {
        ("is", "it stays")
    } else {
        ("are", "they stay")
    };
    format!(
        "{} {are} in no model, and no migration of autogen's made them: {stay}. `trueup autogen MESSAGE --drop NAME` drops one",
        kinds(ids)
    )
}

pub(super) fn is_terminal() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Whom to ask.
pub(super) fn terminal() -> Option<&'static dyn Ask> {
    is_terminal().then_some(&Terminal)
}

/// Somebody at a terminal.
#[derive(Debug)]
struct Terminal;

impl Ask for Terminal {
    fn which(&self, look_alike: &LookAlike) -> Result<Option<usize>, Error> {
        let choices = look_alike.choices();
        let output = Output::default();
        let prompt = output.question(&format!("{} goes. It was", look_alike.gone()));
        let items = choices
            .iter()
            .map(|choice| output.question(&format!("renamed to {choice}")));
        let items: Vec<String> = items
            .chain(["dropped, and what comes is new".to_owned()])
            .collect();
        let answer = Select::new().with_prompt(prompt).items(&items).default(0);
        let answer = answer.interact().map_err(|error| {
            Error::caused(ErrorKind::Environment, "cannot ask on this terminal", error)
                .hint("--rename and --no-rename answer without a question")
        })?;
        Ok((answer < choices.len()).then_some(answer))
    }

    fn value(&self, unfilled: &Unfilled) -> Result<Value, Error> {
        unfilled::ask(unfilled)
    }
}
