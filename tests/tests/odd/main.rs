//! Schemas with something odd in them, each with changes: a change is made or declined, and never called a mistake in trueup.
//!
//! A section of a file begins with `-- odd: NAME` and has the base; each `-- change` after it makes another schema of that.
//! `-- since 18` keeps a section from older servers. The way there and the way back are both tried: as a draft, which is proved
//! both ways, where both sides have the same of what no kind reads, else as two comparisons that leave it out of account.
//! `-- known: WHY` above a change says that it still goes wrong; once it goes right, that line must go.
//!
//! `TRUEUP_SHOW` prints why a way is declined.
//!
//! `TRUEUP_MAJORS` names the majors on which all are tried; where there is none, that is the one server that is found first.

use std::{
    cell::RefCell,
    io::{self, Write as _},
    process::ExitCode,
    str::FromStr,
};

use generator::{
    Error, ErrorKind, Project,
    draft::{self, DraftOptions},
    pipeline::compare::{self, CompareOptions},
    source::Source,
};
use libtest_mimic::{Arguments, Failed, Trial};
use tests::PHRASE;
use trueup::Declarations;

const FILES: [&str; 4] = [
    include_str!("families.sql"),
    include_str!("tables.sql"),
    include_str!("types.sql"),
    include_str!("values.sql"),
];

/// A base, and what makes other schemas of it.
struct Odd {
    name: &'static str,
    since: u32,
    base: &'static str,
    changes: Vec<&'static str>,
}

impl Odd {
    fn all() -> impl Iterator<Item = Self> {
        let sections = FILES.iter().flat_map(|file| file.split("-- odd: ").skip(1));
        sections.map(|section| {
            let (name, rest) = section.split_once('\n').expect("a name");
            let (since, rest) = match rest.strip_prefix("-- since ") {
                Some(rest) => rest.split_once('\n').expect("a major"),
                None => ("0", rest),
            };
            let mut parts = rest.split("-- change\n");
            Self {
                name,
                since: u32::from_str(since).expect("a major"),
                base: parts.next().expect("a base"),
                changes: parts.collect(),
            }
        })
    }
}

/// The major that was asked for, and a project whose scratch has it.
type OnMajor = (Option<u32>, Project);

thread_local! {
    static PROJECT: RefCell<Option<OnMajor>> = const { RefCell::new(None) };
}

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let (majors, missing) = tests::majors();
    let mut trials = Vec::new();
    for major in majors {
        let before = major.map_or(String::new(), |major| format!("{major}/"));
        for Odd {
            name,
            since,
            base,
            changes,
        } in Odd::all()
        {
            for (number, change) in changes.into_iter().enumerate() {
                let name = format!("{before}{name}, change {}", number + 1);
                trials.push(Trial::test(name, move || on(major, since, base, change)));
            }
        }
    }
    for major in missing {
        let name = format!("PostgreSQL {major} is not on this machine");
        trials.push(Trial::test(name, || Ok(())).with_ignored_flag(true));
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn on(major: Option<u32>, since: u32, base: &str, change: &str) -> Result<(), Failed> {
    PROJECT.with_borrow_mut(|kept| {
        let _ = kept.take_if(|(on, _)| *on != major);
        let (_, project) = kept.get_or_insert_with(|| (major, tests::project_on(major)));
        if project.scratch(None)?.major() < since {
            return Ok(());
        }
        let folder = tempfile::tempdir()?;
        let (one, other) = (
            folder.path().join("one.sql"),
            folder.path().join("other.sql"),
        );
        std::fs::write(&one, base)?;
        std::fs::write(&other, format!("{base}\n{change}"))?;
        let sides = [one, other].map(Source::Sql);
        let wrong = ways(project, &sides)?;
        if change.starts_with("-- known: ") {
            if wrong.is_empty() {
                return Err("it goes right by now: take its `-- known` away".into());
            }
            Ok(())
        } else if wrong.is_empty() {
            Ok(())
        } else {
            Err(wrong.join("\n").into())
        }
    })
}

/// Tries the ways. A draft is proved both ways.
fn ways(project: &Project, [one, other]: &[Source; 2]) -> Result<Vec<String>, Error> {
    let side = |source: &Source| compare::inspect(project, no_models, source);
    let (from, to) = (side(one)?, side(other)?);
    let is_same = from.schema.unread_differences(&to.schema).is_empty();
    let tried: Vec<Result<(), Error>> = if is_same {
        vec![draft::draft(project, from, to, DraftOptions::default()).map(drop)]
    } else {
        [(one, other), (other, one)]
            .map(|(from, to)| {
                let options = CompareOptions {
                    ignore_unread: true,
                    prove: true,
                    renames: &[],
                };
                compare::diff(project, no_models, from, to, options).map(drop)
            })
            .into()
    };
    let errors = tried.into_iter().filter_map(Result::err);
    Ok(errors.filter_map(|error| wrong(&error)).collect())
}

fn no_models() -> Result<Declarations, Error> {
    Err(Error::input("there are no models here"))
}

/// The answer's text, if something is wrong with it.
fn wrong(answer: &Error) -> Option<String> {
    let text = [&[answer.full()], answer.advice()].concat().join("\n");
    if std::env::var_os("TRUEUP_SHOW").is_some() {
        let _ = writeln!(io::stderr(), "{text}\n");
    }
    let is_wrong = !matches!(answer.kind(), ErrorKind::NotYet) || text.contains(PHRASE);
    is_wrong.then_some(text)
}
