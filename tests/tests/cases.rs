//! Every folder under `fixtures/` with a `from.sql` and a `to.sql` is a case, tried in both directions and with folding
//! on and off. The proof decides right and wrong; `up.sql` and `down.sql` are for human eyes, and
//! `TRUEUP_REWRITE=1 make test` writes them anew.
//!
//! A `min_major.txt` names the first PostgreSQL that knows what a case is about. Servers print expressions differently, so the
//! files are compared on one major alone: [`GOLDEN`], or the `min_major.txt` if that is later.
//!
//! What has another name on the other side stands in a `renames.txt` (forth) and a `back_renames.txt` (back), as after
//! `--rename`, one a line.
//!
//! Rows are put into all tables as the proof does it. A `seed.sql` (forth) or a `back_seed.sql` (back) has rows of its own, on
//! which the way must run, unless an `up_fails.txt` or a `back_fails.txt` says how it fails.
//!
//! `TRUEUP_MAJORS` names the majors on which all cases are tried, `14 15 16`; where there is none, that is the one server that
//! is found first.
//!
//! With `TRUEUP_QUICK` only the first case of each kind is tried: `make test-quick`.
//!
//! A case that trueup declines has a `declines.txt` (forth) or a `back_declines.txt` (back) that holds the message, and
//! fails when it starts to pass. `TRUEUP_CASES` names further folders of cases, in which `old.sql` and `new.sql` will do;
//! there, declining is no failure, and a wrong answer is.

use std::{cell::RefCell, collections::BTreeSet, fs, io::Write, path::Path, process::ExitCode};

use generator::{
    Error, ErrorKind, Project,
    draft::{self, Draft, DraftOptions},
    pipeline::compare::{self, CompareOptions},
    plan::{Folding, Segment, plan},
    postgres::{connection, scratch::Locale},
    prove::{self, data::keep},
    rename::{self, Asked},
    source::{self, Side, Source},
};
use libtest_mimic::{Arguments, Failed, Trial};
use tests::hazards;
use trueup::Schema;

/// The major version on which `up.sql` and its like are compared and written.
const GOLDEN: u32 = 15;

/// The major that was asked for, and a project whose scratch has it.
type OnMajor = (Option<u32>, Project);

thread_local! {
    /// A scratch for each thread, since starting one takes longer than most cases.
    static PROJECT: RefCell<Option<OnMajor>> = const { RefCell::new(None) };
}

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let (majors, missing) = tests::majors();
    let mut trials = Vec::new();
    for major in majors {
        trials.extend(all_on(major));
    }
    for major in missing {
        let name = format!("PostgreSQL {major} is not on this machine");
        trials.push(Trial::test(name, || Ok(())).with_ignored_flag(true));
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// All cases, on a server of this major.
fn all_on(major: Option<u32>) -> Vec<Trial> {
    let mut trials = Vec::new();
    let before = major.map_or(String::new(), |major| format!("{major}/"));
    let fixtures = tests::root().join("fixtures");
    let mut folders = tests::folders_with(&fixtures, "from.sql");
    if std::env::var_os("TRUEUP_QUICK").is_some() {
        folders.dedup_by(|one, before| one.parent() == before.parent());
    }
    for folder in folders {
        let name = format!("{before}{}", name(&fixtures, &folder));
        trials.push(Trial::test(name, move || {
            with_project(major, |project| own(project, &folder))
        }));
    }
    let further = std::env::var_os("TRUEUP_CASES");
    for top in further.iter().flat_map(std::env::split_paths) {
        for folder in tests::folders_with(&top, "old.sql") {
            let name = format!("{before}extra/{}", name(&top, &folder));
            trials.push(Trial::test(name, move || {
                with_project(major, |project| extra(project, &folder))
            }));
        }
    }
    trials
}

fn name(top: &Path, folder: &Path) -> String {
    folder
        .strip_prefix(top)
        .unwrap_or(folder)
        .display()
        .to_string()
}

fn with_project(
    major: Option<u32>,
    test: impl FnOnce(&Project) -> Result<(), Failed>,
) -> Result<(), Failed> {
    PROJECT.with_borrow_mut(|kept| {
        // A thread is done with one major before it comes to the next, and needs no more than one server.
        let _ = kept.take_if(|(on, _)| *on != major);
        let (_, project) = kept.get_or_insert_with(|| (major, tests::project_on(major)));
        test(project)
    })
}

/// A case of ours: both directions prove, or decline as the folder says; the files are as a person last saw them.
fn own(project: &Project, folder: &Path) -> Result<(), Failed> {
    let scratch = project.scratch(None).map_err(|error| said(&error))?;
    let min_major = tests::min_major(folder);
    if scratch.major() < min_major {
        return Ok(());
    }
    let golden = Golden {
        compared: scratch.major() == GOLDEN.max(min_major),
    };
    let side = |name: &str| source::file(project, &folder.join(name)).map_err(|error| said(&error));
    let (from, to) = (side("from.sql")?, side("to.sql")?);
    rebuilds(project, &from).map_err(|error| said(&error))?;
    let back = match cannot_come(&from, &to) {
        Some(error) => Err(error),
        None => direction(project, &to, &from, &folder.join("back_renames.txt")),
    };
    golden.declines(&folder.join("back_declines.txt"), &back)?;
    if let Ok(Some(draft)) = &back {
        golden.rows(
            project,
            &to,
            draft,
            &folder.join("back_seed.sql"),
            "back_fails.txt",
        )?;
    }
    let forth = match cannot_come(&to, &from) {
        Some(error) => Err(error),
        None => direction(project, &from, &to, &folder.join("renames.txt")),
    };
    golden.declines(&folder.join("declines.txt"), &forth)?;
    if let Ok(draft) = &forth {
        let (up, down) = texts(draft.as_ref());
        golden.file(&folder.join("up.sql"), &up)?;
        golden.file(&folder.join("down.sql"), &down)?;
    }
    if let Ok(Some(draft)) = &forth {
        golden.rows(
            project,
            &from,
            draft,
            &folder.join("seed.sql"),
            "up_fails.txt",
        )?;
    }
    Ok(())
}

/// Objects that no kind reads and only the target has: they cannot be created, and a comparison refuses them before it comes to
/// a draft.
fn cannot_come(to: &Side, from: &Side) -> Option<Error> {
    let unread = |side: &Side| -> BTreeSet<String> {
        let unread = side.schema.unread().iter();
        unread.map(|unread| unread.what.clone()).collect()
    };
    let there = unread(from);
    let news: Vec<String> = unread(to).difference(&there).cloned().collect();
    let message = || format!("not yet: no kind reads {}", news.join(", "));
    (!news.is_empty()).then(|| Error::new(ErrorKind::NotYet, message()))
}

/// A case of somebody else's: a wrong answer fails, a declined one does not.
fn extra(project: &Project, folder: &Path) -> Result<(), Failed> {
    let (old, new) = (
        Source::Sql(folder.join("old.sql")),
        Source::Sql(folder.join("new.sql")),
    );
    let loads = |source: &Source| compare::inspect(project, no_models, source).is_ok();
    if !loads(&old) || !loads(&new) {
        return Ok(());
    }
    let options = CompareOptions {
        ignore_unread: false,
        prove: true,
        renames: &[],
    };
    for (from, to) in [(&old, &new), (&new, &old)] {
        match compare::diff(project, no_models, from, to, options) {
            Err(error) if error.kind() != ErrorKind::NotYet => return Err(said(&error)),
            Ok(_) | Err(_) => {}
        }
    }
    Ok(())
}

fn no_models() -> Result<trueup::Declarations, Error> {
    Err(Error::input("cases have no models"))
}

/// Drafts and proves one direction, with folding on and, where that makes other SQL, off; the draft is the one with folding on.
fn direction(
    project: &Project,
    from: &Side,
    to: &Side,
    renames: &Path,
) -> Result<Option<Draft>, Error> {
    let renames = fs::read_to_string(renames).unwrap_or_default();
    let asked = renames.lines().map(Asked::parse);
    let asked = asked.collect::<Result<Vec<_>, Error>>()?;
    let tasks = asked.iter().map(|asked| asked.task(&from.schema));
    let tasks = tasks.collect::<Result<Vec<_>, Error>>()?;
    let renames = rename::rename(project, from, &tasks, None, &BTreeSet::new())?;
    rename::refuse_unmet(&tasks, &renames.base(from).schema, &to.schema, "to.sql")?;
    let draft = |folding, prove| {
        draft::after_renames(
            project,
            from.clone(),
            &renames.renaming,
            to.clone(),
            DraftOptions {
                prove,
                folding,
                ..DraftOptions::default()
            },
        )
    };
    let folded = draft(Folding::Wherever, true)?;
    if !folds(&renames.base(from).schema, &to.schema) {
        return Ok(folded);
    }
    let apart = draft(Folding::OnlyForMeaning, false)?;
    if sql(folded.as_ref()) != sql(apart.as_ref()) {
        draft(Folding::OnlyForMeaning, true)?;
    }
    Ok(folded)
}

/// True if folding may make other SQL on the way there or back. Where a commit stands in the middle, only a draft tells.
fn folds(from: &Schema, to: &Schema) -> bool {
    [(from, to), (to, from)].into_iter().any(|(from, to)| {
        let both = [Folding::Wherever, Folding::OnlyForMeaning];
        let plans = both.map(|folding| Some(plan(from, to, folding).ok()?.segments()));
        match plans {
            [Some(folded), Some(apart)] => {
                let sql = |segments: &[Segment]| -> Vec<String> {
                    let statements = segments.iter().flat_map(Segment::statements);
                    statements.map(|one| one.sql().to_owned()).collect()
                };
                folded.len() > 1 || apart.len() > 1 || sql(&folded) != sql(&apart)
            }
            [None, _] | [_, None] => true,
        }
    })
}

/// The statements of a draft, forth and back.
fn sql(draft: Option<&Draft>) -> Vec<String> {
    let runs = draft.map(|draft| [draft::ups(&draft.parts), draft::downs(&draft.parts)]);
    let statements = runs
        .into_iter()
        .flatten()
        .flatten()
        .flat_map(|run| run.statements);
    statements
        .map(|statement| statement.sql().to_owned())
        .collect()
}

/// Checks that the output of `inspect --format sql` builds the same schema in a new database.
fn rebuilds(project: &Project, side: &Side) -> Result<(), Error> {
    let scratch = project.scratch(None)?;
    let side = source::reprinted(project, side.clone())?;
    if !side.schema.unread().is_empty() {
        return Ok(());
    }
    let plan = compare::rebuild(&side.schema)?;
    if plan.is_empty() {
        return Ok(());
    }
    let database = scratch.create(&Locale::default())?;
    let sql = generator::render::sql(plan.statements());
    connection::run_sql(&mut database.connect()?, &sql, "inspect --format sql")?;
    prove::equal(
        &source::side(database)?.schema,
        &side.schema,
        "inspect --format sql",
    )
}

fn texts(draft: Option<&Draft>) -> (String, String) {
    let Some(draft) = draft else {
        return (String::new(), String::new());
    };
    let join = |texts: Vec<String>| texts.join("\n-- the next migration\n\n");
    (
        join(
            draft
                .parts
                .iter()
                .map(generator::draft::Part::up_sql)
                .collect(),
        ),
        join(
            draft
                .parts
                .iter()
                .rev()
                .map(generator::draft::Part::down_sql)
                .collect(),
        ),
    )
}

/// The files that a person looks at.
struct Golden {
    compared: bool,
}

impl Golden {
    fn file(&self, file: &Path, text: &str) -> Result<(), Failed> {
        if !self.compared {
            return Ok(());
        }
        if std::env::var_os("TRUEUP_REWRITE").is_some() {
            return fs::write(file, text)
                .map_err(|error| format!("{}: {error}", file.display()).into());
        }
        let wanted = fs::read_to_string(file).unwrap_or_default();
        if wanted == text {
            return Ok(());
        }
        let diff = similar::TextDiff::from_lines(&wanted, text)
            .unified_diff()
            .to_string();
        Err(format!(
            "{} is not as it was (TRUEUP_REWRITE=1 writes it anew):\n{diff}",
            file.display()
        )
        .into())
    }

    /// Checks that hazards and measurement agree, both ways, and that the rows in `seed` fare as
    /// expected.
    fn rows(
        &self,
        project: &Project,
        start: &Side,
        draft: &Draft,
        seed: &Path,
        fails: &str,
    ) -> Result<(), Failed> {
        hazards::agree(draft)?;
        let fails = seed.with_file_name(fails);
        let Ok(sql) = fs::read_to_string(seed) else {
            return Ok(());
        };
        let (ups, downs) = (draft::ups(&draft.parts), draft::downs(&draft.parts));
        let kept =
            keep(project, start, None, Some(&sql), &ups, &downs).map_err(|error| said(&error))?;
        hazards::exact(&kept)?;
        match (kept.fails, fails.exists()) {
            (None, false) => Ok(()),
            (None, true) => Err(format!("this works now: remove {}", fails.display()).into()),
            (Some(why), true) => self.file(&fails, &format!("{why}\n")),
            (Some(why), false) => Err(format!("{}: {why}", seed.display()).into()),
        }
    }

    fn declines(&self, file: &Path, outcome: &Result<Option<Draft>, Error>) -> Result<(), Failed> {
        match (outcome, file.exists()) {
            (Ok(_), false) => Ok(()),
            (Ok(_), true) => Err(format!("this works now: remove {}", file.display()).into()),
            (Err(error), there)
                if matches!(error.kind(), ErrorKind::NotYet | ErrorKind::Input)
                    && (there || self.compared) =>
            {
                if std::env::var_os("TRUEUP_REWRITE").is_some() {
                    let _ = writeln!(std::io::stderr(), "{} declines", file.display());
                }
                self.file(file, &format!("{}\n", error.full()))
            }
            (Err(error), _) => Err(error.full().into()),
        }
    }
}

fn said(error: &Error) -> Failed {
    error.full().into()
}
