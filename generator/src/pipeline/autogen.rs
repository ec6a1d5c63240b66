//! Models become migrations.

mod replayed;
mod unfilled;

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use itertools::Itertools;
use trueup::{
    Declarations, Hazard, Id, Schema, Unread,
    name::{dotted, quoted_ident},
};

use replayed::Wanting;
pub use unfilled::{FillAsked, Unfilled, Value};

use crate::{
    Error, Project,
    diff::{Delta, diff},
    draft::{self, Draft, DraftOptions},
    migrations::{
        apply,
        folder::{self, Migration, NewMigration},
    },
    named::Named,
    pipeline::{
        scheduled::{self, Scheduled},
        unread,
    },
    plan::{self, Folding},
    postgres::connection::connect,
    rename::{self, Ask, Asked, Refused, Renames, Stale, Task},
    rows::{self, Answers},
    shell,
    source::{
        self, Side, Source,
        authors::{self, tops},
        models::{Settled, belongs, settle},
    },
    summary::Summary,
};

/// Options of autogen.
#[derive(Clone, Copy, Debug, Default)]
pub struct AutogenOptions<'a> {
    /// The start of the comparison; by default the live database if there is one, else the migrations.
    pub from: Option<&'a Source>,
    /// The versions of migrations that count as not there, because they are to be replaced.
    pub without: &'a [String],
    /// Options of the draft.
    pub draft: DraftOptions,
    /// The requested renames, in addition to the models' `renamed_from`.
    pub renames: &'a [Asked],
    /// Look-alikes that are not renames.
    pub no_renames: &'a [Refused],
    /// Values for rows without one, in addition to the models' `fill`.
    pub fills: &'a [FillAsked],
    /// Objects to drop although autogen's migrations did not make them.
    pub drops: &'a [Named],
    /// True if a first migration must make everything that the models need on an empty database.
    pub begins: bool,
    /// Whom to ask about what looks like a rename, which is an error where there is nobody, and about rows without a value.
    pub ask: Option<&'a dyn Ask>,
}

/// The result of autogen.
#[derive(Debug)]
pub struct Autogen {
    /// The start of the comparison, in words.
    pub from: String,
    /// The migrations, where there is anything to do.
    pub draft: Option<Draft>,
    /// Unread objects that depend on the old tables; they stay as they are.
    pub taken: Vec<Unread>,
    /// The start's server, where the trial ran on another major.
    pub other_major: Option<u32>,
    /// Each `renamed_from` whose old name is gone already.
    pub stale: Vec<Stale>,
    /// Unmanaged objects that no model declares and autogen did not make; they stay.
    pub unmodelled: Vec<Id>,
    /// Unread objects that drifted from the migrations.
    pub drifted: Vec<Unread>,
    /// The owners, grants and labels that are not the same in both, or several that are alike and their number.
    pub drifted_rights: Vec<String>,
    /// Objects that are dropped because the user named them.
    pub dropped: BTreeSet<Id>,
    /// True if the live database has objects and no migration exists.
    pub unmigrated: bool,
    /// The reason why the draft is no first migration: what it takes for there, no migration makes.
    pub no_beginning: Option<Error>,
    /// True if the draft is the first migration of a database that has tables already.
    pub adopts: bool,
    /// Objects that are recreated, and lose their data unless they are renamed before.
    pub remade: Vec<Remade>,
    /// The columns that come to require a value that rows may not have, and of which nobody was asked.
    pub unfilled: Vec<Unfilled>,
    /// The answers of the live database's rows, if it was the start.
    pub answers: Answers,
}

/// Something that is dropped and made anew.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Remade {
    /// The object.
    pub what: Id,
    /// The argument of `--rename` that keeps it, with its data, beside the new one.
    pub rename: String,
    /// The object itself and all that inherit from it.
    with: BTreeSet<Id>,
}

impl Autogen {
    /// Data losses of the ups.
    pub fn losses(&self) -> impl Iterator<Item = &Hazard> {
        self.draft.iter().flat_map(Draft::losses)
    }
}

/// Compares the models with where they are to go and drafts what is missing. Writes nothing.
pub fn autogen(
    project: &Project,
    declarations: &Declarations,
    options: AutogenOptions<'_>,
) -> Result<Autogen, Error> {
    let declarations = &unfilled::filled(declarations, options.fills)?;
    let all = migrations(&project.migrations)?;
    let after: Vec<String> = all.iter().map(|one| one.version.clone()).collect();
    let stay = without(all, options.without);
    let adopted = adopted(project, &stay, options.from)?;
    let adopts = match &adopted {
        Some(there) => !tops(project, there)?.is_empty(),
        None => false,
    };
    let Start {
        side,
        made,
        drafted,
        words,
        other_major,
        unmigrated,
        unmanaged,
        scheduled,
        replay,
        drifted,
        drifted_rights,
    } = start(project, declarations, &stay, options)?;
    let dropped = to_drop(project, options.drops, declarations, &side.schema, &made)?;
    let managed: BTreeSet<Id> = drafted.union(&dropped).cloned().collect();
    let (renames, settled) = settle_renamed(
        project,
        &side,
        declarations,
        &Managed {
            all: &managed,
            dropped: &dropped,
        },
        adopted.as_ref(),
        options,
    )?;
    let base = renames.base(&side);
    project.refuse_filters(declarations, &settled.side.schema, &[&base.schema])?;
    let unmodelled = unmodelled(
        project,
        &settled.side.schema,
        declarations,
        &settled.managed,
    )?;
    let unmanaged = rename::ids_after(&unmanaged, &side.schema, &base.schema);
    if !unmigrated {
        refuse_unmanaged(&unmanaged, base, &settled)?;
    }
    scheduled::refuse_drop(&scheduled, &side.schema, &base.schema, &settled.side.schema)?;
    let (settled, unfilled) = unfilled::answered(&base.schema, settled, declarations, options)?;
    let remade = remade(&base.schema, &settled.side.schema);
    let mut no_beginning = None;
    let wanting = match replayed::wanting(project, &unmanaged, &settled) {
        Err(error) if unmigrated => {
            no_beginning = Some(error);
            Wanting::default()
        }
        done => done?,
    };
    let trial = replay
        .filter(|_| options.draft.prove && no_beginning.is_none())
        .map(|replay| replayed::Replayed::new(project, replay, &settled))
        .transpose()?;
    let side = side.guided(declarations.back());
    let draft = draft::after_renames(
        project,
        side,
        &renames.renaming,
        settled.side,
        options.draft,
    )?;
    let draft = match draft {
        None if unmigrated => None,
        draft => wanting.before(project, draft, options.draft.prove)?,
    };
    if let (Some(trial), Some(draft)) = (trial, &draft) {
        match trial.prove(project, draft, &wanting) {
            Err(error) if unmigrated => no_beginning = Some(error),
            done => done?,
        }
    }
    Ok(Autogen {
        answers: answers(project, options.from, draft.as_ref())?,
        remade: losing(remade, draft.as_ref()),
        stale: renames.stale,
        unfilled,
        from: words,
        draft: draft.map(|draft| Draft {
            after: Some(after),
            ..draft
        }),
        taken: settled.taken,
        other_major,
        unmodelled,
        drifted,
        drifted_rights,
        dropped,
        unmigrated,
        no_beginning,
        adopts,
    })
}

/// The source that the models are compared with.
fn compared(project: &Project, from: Option<&Source>) -> Source {
    match (from, &project.database) {
        (Some(from), _) => from.clone(),
        (None, Some(url)) => Source::Database(url.clone()),
        (None, None) => Source::Migrations(project.migrations.clone()),
    }
}

/// The answers of the live database's rows about a draft; none if the models are compared with something else.
fn answers(
    project: &Project,
    from: Option<&Source>,
    draft: Option<&Draft>,
) -> Result<Answers, Error> {
    match (compared(project, from), draft) {
        (Source::Database(url), Some(draft)) => Ok(rows::ask(&url, draft)?),
        (Source::Models | Source::Migrations(_) | Source::Sql(_), _) | (_, None) => {
            Ok(Answers::default())
        }
    }
}

/// Those that lose data when the ups of a draft run.
fn losing(remade: Vec<Remade>, draft: Option<&Draft>) -> Vec<Remade> {
    let hazards = draft.into_iter().flat_map(Draft::hazards);
    let lost: BTreeSet<&Id> = hazards.filter_map(Hazard::lost).collect();
    let loses = |one: &Remade| one.with.iter().any(|id| lost.contains(id));
    remade.into_iter().filter(loses).collect()
}

/// Objects with data of their own that the models change in a way that needs a drop and a recreation.
fn remade(from: &Schema, to: &Schema) -> Vec<Remade> {
    let deltas = diff(from, to).into_iter();
    let remade = deltas.filter_map(|(id, delta)| {
        let Delta::Change { from: old, to: new } = delta else {
            return None;
        };
        let is_remade = old.is_remade(new, from, to);
        let path = id.path();
        let name = format!("{}_old", path.last()?);
        let can_be_kept = old.holds_data() && old.rename(&name).is_some();
        if !is_remade || !can_be_kept || old.parent().is_some() {
            return None;
        }
        Some(Remade {
            what: id.clone(),
            with: rename::with_heirs(BTreeSet::from([id.clone()]), from),
            rename: format!("{}={}", dotted(&path), quoted_ident(&name)),
        })
    });
    remade.collect()
}

/// The objects that may be dropped once no model declares them.
struct Managed<'a> {
    all: &'a BTreeSet<Id>,
    /// Those among them that the user named.
    dropped: &'a BTreeSet<Id>,
}

/// The objects of a schema that models could declare and do not, and autogen did not make.
pub(crate) fn unmodelled(
    project: &Project,
    schema: &Schema,
    declarations: &Declarations,
    managed: &BTreeSet<Id>,
) -> Result<Vec<Id>, Error> {
    let held = project.scope.held(schema);
    let declared: BTreeSet<&Id> = declarations.ids().collect();
    let tops = tops(project, schema)?.into_iter();
    let found = tops
        .filter(|id| held.contains(id) && !declared.contains(id) && !managed.contains(id))
        // A partition goes with its table.
        .filter(|id| {
            schema
                .line(id)
                .skip(1)
                .all(|above| !declared.contains(&above))
        })
        .collect();
    Ok(found)
}

/// Finds what a person wants dropped.
fn to_drop(
    project: &Project,
    drops: &[Named],
    declarations: &Declarations,
    there: &Schema,
    made: &BTreeSet<Id>,
) -> Result<BTreeSet<Id>, Error> {
    let tops = tops(project, there)?;
    let tops: Vec<&Id> = tops.iter().collect();
    let mut found = BTreeSet::new();
    for drop in drops {
        let id = drop
            .one_of(&format!("--drop {drop}"), &tops)?
            .ok_or_else(|| no_such(drop, there, &tops))?;
        if let Some(origin) = declarations.origin(id) {
            return Err(
                Error::input(format!("--drop {drop}: {origin} declares {id}"))
                    .hint("take the model away, and autogen drops what it declared"),
            );
        }
        if !made.contains(id) {
            return Err(Error::input(format!(
                "--drop {drop}: no migration made {id}, and one that drops it would not run where it never was"
            ))
            .hint("drop it in the database by hand"));
        }
        found.insert(id.clone());
    }
    Ok(found)
}

fn no_such(drop: &Named, there: &Schema, tops: &[&Id]) -> Error {
    let mut others = there.entries().map(|(id, _)| id);
    if let Some(id) = others.find(|id| drop.means(id)) {
        return Error::input(format!(
            "--drop {drop}: autogen does not drop {id}: models do not declare such a thing by itself"
        ))
        .hint("drop it in a migration written by hand: `trueup new MESSAGE` begins one");
    }
    Error::input(format!("--drop {drop}: there is nothing of that name"))
        .hints(drop.did_you_mean(tops))
}

/// Settles the models on the renamed start, until nothing more looks like a rename that nobody spoke of.
fn settle_renamed(
    project: &Project,
    from: &Side,
    declarations: &Declarations,
    Managed {
        all: managed,
        dropped,
    }: &Managed<'_>,
    adopted: Option<&Schema>,
    options: AutogenOptions<'_>,
) -> Result<(Renames, Settled), Error> {
    let asked = options.renames.iter();
    let asked = asked.map(|asked| asked.task(&from.schema));
    let mut tasks = asked.collect::<Result<Vec<Task>, Error>>()?;
    for refused in options.no_renames {
        refused.check(&from.schema)?;
    }
    let mut answered: Vec<String> = dropped.iter().map(ToString::to_string).collect();
    loop {
        let renames = rename::rename(project, from, &tasks, Some(declarations), managed)?;
        let base = renames.base(from);
        let mut managed = rename::ids_after(managed, &from.schema, &base.schema);
        let aside = rename::set_aside(&tasks, &from.schema, &base.schema, declarations);
        managed.retain(|id| !aside.contains(id));
        let settled = settle(project, base, declarations, &managed, adopted)?;
        let wanted = &settled.side.schema;
        rename::refuse_unmet(&tasks, &base.schema, wanted, "the models")?;
        let mut look_alikes = rename::look_alikes(
            &from.schema,
            &base.schema,
            wanted,
            declarations.there(),
            options.no_renames,
        );
        look_alikes.retain(|look_alike| !answered.contains(&look_alike.gone()));
        let Some(first) = look_alikes.first() else {
            return Ok((renames, settled));
        };
        let Some(ask) = options.ask else {
            return Err(rename::refuse(&look_alikes));
        };
        match ask.which(first)?.and_then(|choice| first.task(choice)) {
            Some(task) => tasks.push(task),
            None => answered.push(first.gone()),
        }
    }
}

/// The live database that the first migration is written after, rather than before.
fn adopted(
    project: &Project,
    migrations: &[Migration],
    from: Option<&Source>,
) -> Result<Option<Schema>, Error> {
    match (&project.database, from) {
        (Some(url), Some(Source::Migrations(_))) if migrations.is_empty() => {
            Ok(Some(source::live(project, url)?.schema))
        }
        (Some(_) | None, _) => Ok(None),
    }
}

/// Writes a draft as migrations, all or none, and returns their folders.
pub fn write(project: &Project, message: &str, draft: &Draft) -> Result<Vec<PathBuf>, Error> {
    replace(project, message, draft, &[])
}

/// Does what [`write()`] does, in place of the migrations of some versions, which go.
pub fn replace(
    project: &Project,
    message: &str,
    draft: &Draft,
    gone: &[String],
) -> Result<Vec<PathBuf>, Error> {
    let migrations: Vec<NewMigration> = draft
        .parts
        .iter()
        .enumerate()
        .map(|(number, part)| NewMigration {
            message: numbered(message, number, draft.parts.len()),
            summary: part.summary.iter().flat_map(Summary::lines).collect(),
            proof: vec![draft.proof.sentence()],
            up: part.up_text(),
            down: part.down_text(),
            run_in_transaction: part.in_transaction,
        })
        .collect();
    let after = draft.after.as_deref();
    let folder = &project.migrations;
    Ok(folder::replace(folder, after, gone, &migrations)?)
}

/// The message of one of several migrations that were drafted together.
#[must_use]
pub fn numbered(message: &str, number: usize, of: usize) -> String {
    if of == 1 {
        message.to_owned()
    } else {
        format!("{message} ({} of {of})", number + 1)
    }
}

/// The last migration, with those before it that were drafted together with it.
#[must_use]
pub fn written_together(migrations: &[Migration]) -> &[Migration] {
    let message = |one: &Migration| one.header.as_ref().map(|header| header.message.clone());
    let one = &migrations[migrations.len().saturating_sub(1)..];
    let Some(last) = one.first().and_then(message) else {
        return one;
    };
    let of = last
        .strip_suffix(')')
        .and_then(|rest| rest.rsplit_once(" ("))
        .and_then(|(stem, counted)| Some((stem, counted.rsplit_once(" of ")?.1.parse().ok()?)));
    let Some((stem, of)) = of.filter(|(_, of): &(_, usize)| (2..=migrations.len()).contains(of))
    else {
        return one;
    };
    let all = &migrations[migrations.len() - of..];
    let are_numbered = all
        .iter()
        .enumerate()
        .all(|(number, one)| message(one) == Some(numbered(stem, number, of)));
    if are_numbered { all } else { one }
}

/// The command that writes a migration anew from the models; `None` where it is not among the last, or a person wrote it.
#[must_use]
pub fn recreating(migrations: &[Migration], one: &Migration) -> Option<String> {
    let last = written_together(migrations);
    let is_last = last.iter().any(|last| last.version == one.version);
    if !is_last || !last.iter().all(Migration::is_generated) {
        return None;
    }
    let message = &one.header.as_ref()?.message;
    let number = last.iter().position(|last| last.version == one.version)?;
    let message = match last.len() {
        1 => message,
        of => message.strip_suffix(&numbered("", number, of))?,
    };
    Some(format!("`trueup recreate {}`", shell::argument(message)))
}

struct Start {
    side: Side,
    /// The top-level objects that migrations made.
    made: BTreeSet<Id>,
    /// Those among them that autogen's migrations made.
    drafted: BTreeSet<Id>,
    words: String,
    other_major: Option<u32>,
    unmigrated: bool,
    /// Objects that only the database has, if it was compared with the migrations.
    unmanaged: BTreeSet<Id>,
    /// Objects of the database that scheduled jobs made.
    scheduled: Vec<Scheduled>,
    /// The replayed migrations, if they are compared with a live database.
    replay: Option<Side>,
    /// Unread objects that differ between the two.
    drifted: Vec<Unread>,
    /// The owners, grants and labels that differ between the two.
    drifted_rights: Vec<String>,
}

fn start(
    project: &Project,
    declarations: &Declarations,
    migrations: &[Migration],
    options: AutogenOptions<'_>,
) -> Result<Start, Error> {
    let from = &compared(project, options.from);
    let words = from.to_string();
    let whole = |side: Side, drafted: BTreeSet<Id>| -> Result<Start, Error> {
        let made = tops(project, &side.schema)?;
        Ok(Start {
            drafted,
            side,
            made,
            words: words.clone(),
            other_major: None,
            unmigrated: false,
            unmanaged: BTreeSet::new(),
            scheduled: Vec::new(),
            replay: None,
            drifted: Vec::new(),
            drifted_rights: Vec::new(),
        })
    };
    match from {
        Source::Models => Err(
            Error::input("the models cannot be compared with themselves")
                .hint("--from takes a database, migrations or a .sql file"),
        ),
        Source::Migrations(folder) => {
            let there = without(self::migrations(folder)?, options.without);
            let (side, drafted) = authors::replay(project, &there)?;
            whole(side, drafted)
        }
        Source::Sql(path) => whole(source::file(project, path)?, BTreeSet::new()),
        Source::Database(url) => {
            let live = source::live(project, url)?;
            let major = live.schema.server().major();
            let scratch = project.scratch(Some(major))?;
            let applied = apply::applied(&mut connect(url)?).map_err(|error| {
                Error::from(error).hint("or compare with the migrations alone: --from migrations")
            })?;
            let applied = apply::without_replaced(migrations, &applied);
            let pending = apply::pending(migrations, &applied);
            if let Some(first) = pending.first() {
                let these = match pending.len() {
                    1 => "a migration is".to_owned(),
                    many => format!("{many} migrations are"),
                };
                return Err(Error::input(format!(
                    "{these} not applied to the database yet, and what {} brings would be generated once more",
                    first.name
                ))
                .hint("`trueup upgrade` first, or compare with the migrations alone: --from migrations")
                .hints(recreating(migrations, first).map(|command| {
                    format!("where nobody else has it, {command} writes it anew from the models")
                })));
            }
            if let Some(first) = apply::unknown(migrations, applied).first() {
                return Err(Error::input(format!(
                    "the database has version {first}, and no folder here has: what that migration did would be undone"
                ))
                .hint("bring it back from the branch that it is on, or compare with the migrations alone: --from migrations"));
            }
            let side = source::restored(project, scratch, &live)?;
            let (replay, drafted) = authors::replay(project, migrations)?;
            let made = tops(project, &replay.schema)?;
            let modelled: BTreeSet<&Id> = declarations.ids().collect();
            let mut scheduled = scheduled::only_in(&side.schema, &replay.schema);
            scheduled.retain(|id| !modelled.contains(id));
            let made_by_jobs = scheduled::hanging(&scheduled, &side.schema);
            let side = scheduled::side_without(project.scratch(None)?, side, &scheduled)?;
            let (side, replay) = source::alike(project, side, replay)?;
            let wanted = project.scope.narrow(&side.schema, &replay.schema);
            refuse_drift(&side.schema, &wanted, &made)?;
            let other_major = (scratch.major() != major).then_some(major);
            let is_replayed = !migrations.is_empty() || options.begins;
            let others = unread::objects(&project.scope, &side.schema, &replay.schema);
            let others = others.filter(|delta| !migrations.is_empty() && !delta.is_unknown());
            let unread = others.map(|delta| delta.unread().clone()).collect();
            let drifted_rights = if migrations.is_empty() {
                Vec::new()
            } else {
                let known = project.scope.without_theirs(&side.schema, &replay.schema);
                unread::names(&unread::rights(&project.scope, &known, &replay.schema))
            };
            let only_there = side.schema.entries().map(|(id, _)| id);
            let unmanaged = only_there
                .filter(|id| is_replayed && replay.schema.entry(id).is_none())
                .cloned()
                .collect();
            Ok(Start {
                side,
                made,
                drafted,
                words,
                other_major,
                unmigrated: migrations.is_empty(),
                unmanaged,
                scheduled: made_by_jobs,
                replay: is_replayed.then_some(replay),
                drifted: unread,
                drifted_rights,
            })
        }
    }
}

/// Refuses if a managed object has drifted: a draft from the drifted state would not replay after the migrations.
fn refuse_drift(there: &Schema, replayed: &Schema, managed: &BTreeSet<Id>) -> Result<(), Error> {
    let deltas = diff(there, replayed);
    let drifted: Vec<&Id> = deltas
        .into_iter()
        .map(|(id, _)| id)
        .filter(|id| belongs(id, there, managed) || belongs(id, replayed, managed))
        .collect();
    let Some(first) = drifted.first() else {
        return Ok(());
    };
    let more = match drifted.len() {
        1 => String::new(),
        many => format!(" (and {} more)", many - 1),
    };
    Err(Error::input(format!(
        "the database was changed by hand: {first}{more} is not as the migrations made it, and what is drafted from there \
         would not replay after them"
    ))
    .hint("`trueup check` lists the differences; `trueup diff --from database --to migrations` prints the way back")
    .hint("or draft from the migrations alone: --from migrations"))
}

/// Refuses if the change must recreate or alter unmanaged objects: such a migration would not replay where they never were.
fn refuse_unmanaged(unmanaged: &BTreeSet<Id>, from: &Side, to: &Settled) -> Result<(), Error> {
    if unmanaged.is_empty() {
        return Ok(());
    }
    let guidance = &to.side.guidance;
    let plan = plan::guided(
        &from.schema,
        &to.side.schema,
        guidance,
        Folding::OnlyForMeaning,
    )?;
    let touched: Vec<String> = plan
        .steps
        .iter()
        .flat_map(|step| &step.ids)
        .filter(|id| unmanaged.contains(id) && !belongs(id, &from.schema, &to.managed))
        .map(ToString::to_string)
        .unique()
        .collect();
    if touched.is_empty() {
        return Ok(());
    }
    Err(Error::input(format!(
        "the database has what no migration made, and this change would have to take it down and put it back: {}",
        touched.join(", ")
    ))
    .hint("a migration that does so fails wherever it is not there, so first let one make it: write it by hand, then `trueup stamp` \
           it where it is there already"))
}

/// Whoever makes the first one has no folder for it yet.
fn migrations(folder: &Path) -> Result<Vec<Migration>, Error> {
    if folder.exists() {
        Ok(folder::read(folder)?)
    } else {
        Ok(Vec::new())
    }
}

/// The migrations but for those of some versions.
fn without(mut migrations: Vec<Migration>, gone: &[String]) -> Vec<Migration> {
    migrations.retain(|migration| !gone.contains(&migration.version));
    migrations
}

/// Collects what the models that are linked into this program declare; none at all is an error.
pub fn declarations() -> Result<Declarations, Error> {
    Ok(trueup::declarations()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::migrations::folder::Header;

    #[test]
    fn what_was_written_together_goes_together() {
        let all = |messages: &[&str]| -> Vec<Migration> {
            let one = |message: &&str| Migration {
                version: String::new(),
                name: (*message).to_owned(),
                dir: PathBuf::new(),
                up: String::new(),
                down: None,
                run_in_transaction: true,
                header: Some(Header {
                    message: (*message).to_owned(),
                    ..Header::default()
                }),
            };
            messages.iter().map(one).collect()
        };
        let number = |messages: &[&str]| written_together(&all(messages)).len();
        assert_eq!(number(&[]), 0);
        assert_eq!(number(&["a", "b"]), 1);
        assert_eq!(number(&["a", "b (1 of 2)", "b (2 of 2)"]), 2);
        assert_eq!(number(&["a", "b (2 of 2)"]), 1);
        assert_eq!(number(&["b (2 of 2)"]), 1);
        assert_eq!(number(&["a (1 of 2)", "b (2 of 2)"]), 1);
        assert_eq!(number(&["a", "b (x of y)"]), 1);
    }
}
