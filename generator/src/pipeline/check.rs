//! Do models, migrations and database say the same?

mod changed;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Serialize, Serializer};
use trueup::{Declarations, Id, Origin, Schema, UnreadDelta};

use crate::{
    Error, Project,
    diff::{Delta, diff},
    migrations::{
        apply::{self, ApplyError, Leftovers},
        folder::{self, HistoryProblem, Migration, Proved},
    },
    pipeline::{
        autogen::unmodelled,
        scheduled,
        unread::{self, RightDifference},
    },
    postgres::{catalog, connection::connect, url::Url},
    prove::{
        agreement::{Agreement, Fingerprint},
        migrations::{self, Outcome, Tried, Trust},
    },
    rename::{self, Stale, Told},
    source::{
        self,
        authors::{self, tops},
        models::settle,
    },
};

/// The findings of a check.
#[derive(Debug, Default, Serialize)]
pub struct Check {
    /// Differences between the models and the migrations.
    pub models: Vec<Difference>,
    /// Differences between the database and the migrations.
    pub database: Vec<Difference>,
    /// The migrations that the database does not have yet.
    pub pending: Vec<String>,
    /// Migrations of which a run was cut off in the database, INVALID indexes, half-detached partitions.
    pub leftovers: Vec<String>,
    /// The versions that the database has and the folder does not.
    pub unknown: Vec<String>,
    /// The database that was compared, where there was one; its password is not in it.
    pub compared: Option<String>,
    /// True if no migration exists yet.
    pub unmigrated: bool,
    /// Problems in the migrations' history: edited ones, two heads.
    pub history: Vec<String>,
    /// The migrations that do not go up and down.
    pub broken: Vec<Tried>,
    /// The migrations that were never proved, and what came of trying them.
    pub unproved: Vec<Tried>,
    /// Unread objects that only the database has.
    pub unread: Vec<String>,
    /// Unread objects that only the migrations have.
    pub unread_missing: Vec<String>,
    /// Unread objects that both have and that differ.
    pub unread_changed: Vec<String>,
    /// Unread objects that both have, and whose definition in the database this role may not fully read.
    pub unread_hidden: Vec<String>,
    /// The kinds of those, by what they are called.
    #[serde(skip)]
    pub unread_kinds: BTreeMap<String, String>,
    /// The owners, grants, default privileges and security labels that differ.
    pub rights: Vec<RightDifference>,
    /// Objects made by migrations written by hand and declared by no model; they stay.
    #[serde(serialize_with = "names")]
    pub unmodelled: Vec<Id>,
    /// The number of objects that the project's patterns leave out.
    pub left_out: usize,
    /// The patterns of `exclude` that match nothing, where a database was looked at.
    pub idle_excludes: Vec<String>,
    /// Each `renamed_from` whose old name is gone already.
    pub stale: Vec<Stale>,
    /// Why it is not known which migrations are applied, where it is not; then all count as applied.
    pub hidden: Option<String>,
}

/// One object that differs.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Difference {
    /// The object, as in `column public.users.email`.
    pub object: String,
    /// The kind of difference.
    pub how: How,
    /// The origin of the object, or of its parent, in a model.
    pub origin: Option<Origin>,
    /// Its new name, where it is to have another.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
}

impl Difference {
    fn renamed(told: Told) -> Self {
        let Told { object, to } = told;
        Self {
            object,
            how: How::Renamed,
            origin: None,
            to: Some(to),
        }
    }
}

/// The kind of an object's difference.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum How {
    /// It should be there and is not.
    Missing,
    /// It is there and should not be.
    Extra,
    /// It is there otherwise.
    Different,
    /// It is there under another name.
    Renamed,
}

impl Check {
    /// True if everything agrees.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        let Self {
            models,
            database,
            pending,
            unknown,
            leftovers,
            compared: _,
            history,
            broken,
            unread,
            unread_missing,
            unread_changed,
            unread_hidden,
            rights,
            unread_kinds: _,
            // Nothing differs for these.
            unmodelled: _,
            left_out: _,
            idle_excludes: _,
            unmigrated: _,
            unproved: _,
            stale: _,
            hidden: _,
        } = self;
        models.is_empty()
            && database.is_empty()
            && pending.is_empty()
            && unknown.is_empty()
            && leftovers.is_empty()
            && history.is_empty()
            && broken.is_empty()
            && unread.is_empty()
            && unread_missing.is_empty()
            && unread_changed.is_empty()
            && unread_hidden.is_empty()
            && rights.is_empty()
    }
}

/// The extent of a check.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Scope {
    /// Models and migrations.
    Offline,
    /// The database too, where one is configured; what jobs make there is no drift.
    Database,
    /// The database too, and everything that no migration made is drift.
    Strict,
}

/// Compares the models with the migrations, and the migrations with the database. Those that are not what was proved must go
/// up and down.
pub fn check(project: &Project, declarations: &Declarations, scope: Scope) -> Result<Check, Error> {
    check_trusting(project, declarations, scope, Trust::Seals)
}

/// Does what [`check()`] does; `trust` says which migrations need not be tried.
pub fn check_trusting(
    project: &Project,
    declarations: &Declarations,
    scope: Scope,
    trust: Trust<'_>,
) -> Result<Check, Error> {
    let mut check = Check::default();
    if scope == Scope::Offline {
        project.go_offline();
    }
    let url = project
        .database
        .as_ref()
        .filter(|_| scope != Scope::Offline);
    let live = url.map(|url| source::live(project, url)).transpose()?;
    let major = live.as_ref().map(|live| live.schema.server().major());
    let migrations = folder::read(&project.migrations)?;
    check.unmigrated = migrations.is_empty();
    let problems = match url {
        Some(url) => recorded(&mut check, url, &migrations, &project.scope)?,
        None => folder::history_problems(&migrations),
    };
    check.history = problems.iter().map(ToString::to_string).collect();
    let trial = migrations::try_all(project, major, &migrations, trust)?;
    take_down(&mut check, &migrations, trial.tried, trust);
    let live = live.filter(|_| check.pending.is_empty() && check.unknown.is_empty());
    let agreement = Agreement::of(project, &migrations, major).zip(Fingerprint::by(declarations));
    if let Some((agreement, fingerprint)) = &agreement {
        let there = live.as_ref().map(|live| &live.schema);
        if let Some((models, unmodelled)) =
            remembered(project, declarations, agreement, fingerprint, there)?
        {
            check.models = models;
            check.unmodelled = unmodelled;
            return Ok(check);
        }
    }
    let scratch = project.scratch(major)?;
    let known = match trial.replayed {
        Some(replayed) => {
            let drafted = authors::without_replay(project, &migrations, &replayed.schema)?;
            drafted.map(|drafted| (replayed, drafted))
        }
        None => None,
    };
    let (mut replayed, drafted) = match known {
        Some(known) => known,
        None => authors::replay(project, &migrations)?,
    };
    let made = replayed.schema.clone();
    let mut there = None;
    if let Some(mut live) = live {
        if Some(scratch.major()) != major {
            live = source::restored(project, scratch, &live)?;
        }
        (live, replayed) = source::alike(project, live, replayed)?;
        let scheduled = if scope == Scope::Strict {
            BTreeSet::new()
        } else {
            scheduled::only_in(&live.schema, &replayed.schema)
        };
        let known = scheduled::schema_without(&live.schema, &scheduled);
        let known = project.scope.without_theirs(&known, &replayed.schema);
        check.database = differences(&known, &replayed.schema, declarations);
        check.rights = unread::rights(&project.scope, &known, &replayed.schema);
        check.compare_unread(project, &live.schema, &replayed.schema, &scheduled);
        there = Some(live.schema);
    }
    let renames = rename::rename(project, &replayed, &[], Some(declarations), &drafted)?;
    let after = &renames.base(&replayed).schema;
    let managed = rename::ids_after(&drafted, &replayed.schema, after);
    check.models = renames.told.into_iter().map(Difference::renamed).collect();
    check.stale = renames.stale;
    let base = renames.side.unwrap_or(replayed);
    let settled = settle(project, &base, declarations, &managed, None)?;
    let (base, wanted) = source::alike(project, base, settled.side)?;
    let sides: Vec<&Schema> = there.iter().chain([&base.schema]).collect();
    project.refuse_filters(declarations, &wanted.schema, &sides)?;
    let narrowed = project.scope.narrow(&base.schema, &wanted.schema);
    check
        .models
        .extend(differences(&base.schema, &narrowed, declarations));
    check.unmodelled = unmodelled(project, &wanted.schema, declarations, &managed)?;
    let sides: Vec<&Schema> = sides.into_iter().chain([&wanted.schema]).collect();
    check.left_out = project.scope.left_out(&sides).len();
    if there.is_some() {
        check.idle_excludes = project.scope.idle_excludes(&sides);
    }
    let agrees = check.models.is_empty() && check.stale.is_empty();
    if let Some((agreement, fingerprint)) = agreement.filter(|_| agrees) {
        let by_hand = tops(project, &made)?
            .difference(&drafted)
            .cloned()
            .collect();
        remember(&agreement, &made, &fingerprint, &by_hand, &base.url);
    }
    Ok(check)
}

impl Check {
    /// Compares the objects that no kind reads; `scheduled` are those that jobs made.
    fn compare_unread(
        &mut self,
        project: &Project,
        live: &Schema,
        replayed: &Schema,
        scheduled: &BTreeSet<Id>,
    ) {
        for delta in unread::objects(&project.scope, live, replayed) {
            let what = delta.unread().what.clone();
            let kind = delta.unread().kind.clone();
            self.unread_kinds.insert(what.clone(), kind);
            match delta {
                // It came with what a job made.
                UnreadDelta::Remove(_) if unread::hangs_on(delta, scheduled) => {}
                UnreadDelta::Remove(_) => self.unread.push(what),
                UnreadDelta::Create(_) => self.unread_missing.push(what),
                UnreadDelta::Change(..) if delta.is_unknown() => self.unread_hidden.push(what),
                UnreadDelta::Change(..) => self.unread_changed.push(what),
            }
        }
    }
}

/// Notes the outcomes of migrations that were tried. One that was written by hand and never proved may lead back to another
/// state, unless all are to be proved.
fn take_down(check: &mut Check, migrations: &[Migration], tried: Vec<Tried>, trust: Trust<'_>) {
    for one in tried {
        let migration = migrations.iter().find(|it| it.version == one.version);
        let proved = migration.map_or(Proved::Never, Migration::proved);
        let is_broken = match one.outcome {
            Outcome::Broken(_) => true,
            Outcome::Strays(_) => matches!(trust, Trust::Nothing(_)) || proved != Proved::Never,
            Outcome::Returns | Outcome::Irreversible(_) => false,
        };
        if is_broken {
            check.broken.push(one);
        } else if matches!(proved, Proved::Never | Proved::Unsealed) {
            check.unproved.push(one);
        }
    }
}

/// Takes down what the database's own record says, and tells what is wrong in the history.
fn recorded(
    check: &mut Check,
    url: &Url,
    migrations: &[Migration],
    filter: &crate::scope::Scope,
) -> Result<Vec<HistoryProblem>, Error> {
    let mut connection = connect(url)?;
    let applied = match apply::applied(&mut connection) {
        // If the database agrees with the migrations, all of them were applied.
        Err(hidden @ ApplyError::Hidden { .. }) => {
            check.hidden = Some(hidden.to_string());
            migrations.iter().map(|one| one.version.clone()).collect()
        }
        read => read?,
    };
    if let Some(halfway) = apply::halfway(migrations, &applied).into_iter().next() {
        return Err(ApplyError::Halfway(halfway).into());
    }
    let applied = apply::without_replaced(migrations, &applied);
    check.pending = apply::pending(migrations, &applied)
        .into_iter()
        .map(|migration| migration.name.clone())
        .collect();
    check.unknown = apply::unknown(migrations, applied);
    let left = Leftovers::find(&mut connection, migrations, filter)?;
    check.leftovers = left.broken().cloned().collect();
    check.compared = Some(url.to_string());
    Ok(apply::history(&mut connection, migrations)?)
}

/// The differences between models and migrations, and the objects of the migrations that no model declares.
type Found = (Vec<Difference>, Vec<Id>);

/// The same result from a remembered agreement; `None` if that does not suffice.
fn remembered(
    project: &Project,
    declarations: &Declarations,
    agreement: &Agreement,
    fingerprint: &Fingerprint,
    live: Option<&Schema>,
) -> Result<Option<Found>, Error> {
    let Some(known) = agreement.recall(live) else {
        return Ok(None);
    };
    let declared: BTreeSet<&Id> = declarations.ids().collect();
    let by_hand = known.by_hand().iter();
    let unmodelled: Vec<Id> = by_hand
        .filter(|id| !declared.contains(id))
        .cloned()
        .collect();
    if known.is_said(fingerprint) {
        return Ok(Some((Vec::new(), unmodelled)));
    }
    let Some(changed) = fingerprint.changed_since(known.fingerprint()) else {
        return Ok(None);
    };
    // A model went, and what it declared stays.
    if changed.named.iter().any(|id| unmodelled.contains(id)) {
        return Ok(None);
    }
    let Some(made) = agreement.schema(&known) else {
        return Ok(None);
    };
    let scratch = project.scratch(Some(made.server().major()))?;
    // An error here is reported by the comparison of everything.
    let Ok(Some((base, wanted))) = changed::compare(project, scratch, &made, declarations, changed)
    else {
        return Ok(None);
    };
    let found = differences(&base.schema, &wanted.schema, declarations);
    if found.is_empty() {
        remember(agreement, &made, fingerprint, known.by_hand(), &base.url);
    }
    Ok(Some((found, unmodelled)))
}

/// Remembers what agrees, where the server at `url` tells what it rests on.
fn remember(
    agreement: &Agreement,
    made: &Schema,
    fingerprint: &Fingerprint,
    by_hand: &BTreeSet<Id>,
    url: &Url,
) {
    let extensions = connect(url)
        .ok()
        .and_then(|mut there| catalog::extensions(&mut there));
    if let Some(extensions) = extensions {
        agreement.remember(made, fingerprint, by_hand, extensions);
    }
}

fn differences(there: &Schema, wanted: &Schema, declarations: &Declarations) -> Vec<Difference> {
    diff(there, wanted)
        .into_iter()
        .filter(|(_, delta)| !speaks_for(there, wanted, delta))
        .map(|(id, delta)| Difference {
            object: id.to_string(),
            to: None,
            how: match delta {
                Delta::Create(_) => How::Missing,
                Delta::Remove(_) => How::Extra,
                Delta::Change { .. } => How::Different,
            },
            origin: origin(id, [wanted, there], declarations),
        })
        .collect()
}

/// The origin of the object in a model, or that of its parent.
fn origin(id: &Id, schemas: [&Schema; 2], declarations: &Declarations) -> Option<Origin> {
    let mut at = Some(id.clone());
    while let Some(id) = at {
        if let Some(origin) = declarations.origin(&id) {
            return Some(origin.clone());
        }
        let entry = schemas.iter().find_map(|schema| schema.entry(&id));
        at = entry.and_then(|entry| entry.parent());
    }
    None
}

/// True if the object's parent is missing or extra as well: then its difference is reported alone.
fn speaks_for(there: &Schema, wanted: &Schema, delta: &Delta<'_>) -> bool {
    match delta {
        Delta::Create(entry) => entry
            .parent()
            .is_some_and(|parent| there.entry(&parent).is_none()),
        Delta::Remove(entry) => entry
            .parent()
            .is_some_and(|parent| wanted.entry(&parent).is_none()),
        Delta::Change { .. } => false,
    }
}

fn names<S: Serializer>(ids: &[Id], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(ids.iter().map(ToString::to_string))
}
