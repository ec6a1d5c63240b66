//! Several migrations become one that gives the same.
//!
//! It takes the version of the last of them, so a database that has them all has it too. What stands in it: where nothing was
//! there before the first of them and they only define, no row can have been there either, and it is drafted anew from what
//! they give. Otherwise their texts are put one behind the other, for no schema tells what a statement did to rows.

use std::path::PathBuf;

use pg_query::{NodeEnum, protobuf::AlterTableType};

use super::{
    How, differences, on, refusal,
    touch::{after, before},
};
use crate::{
    Error, ErrorKind, Project, apply,
    connection::{ended, unwrapped},
    draft::{Draft, DraftOptions, draft},
    migration::{self, Folder, Header, HistoryProblem, Migration, Parent, history_problems, slug},
    source::{self, Side},
};

/// What a squash did.
#[derive(Debug)]
pub struct Squashed {
    /// The names of the folders that went.
    pub removed: Vec<String>,
    /// The new folder.
    pub written: PathBuf,
    /// How it was made.
    pub how: How,
    /// What was proved.
    pub proof: String,
}

/// Makes one of the migrations after `after`, or of all where there is none, up to `last`.
pub fn squash(
    project: &Project,
    base: Option<&str>,
    last: &str,
    message: Option<&str>,
) -> Result<Squashed, Error> {
    let all = migration::read(&project.migrations)?;
    let versions: Vec<String> = all.iter().map(|one| one.version.clone()).collect();
    let range = Range::of(&all, base, last)?;
    let message = message.map_or_else(
        || format!("squash {} migrations", range.many.len()),
        str::to_owned,
    );
    let scratch = project.scratch(None)?;
    let start = source::replay_these(scratch, &range.before)?;
    let wanted = after(scratch, &start, &range.many)?;
    let number = range.many.len();

    let redrafted = range.redraft(project, &start, &wanted)?;
    let (how, up, down) = match redrafted {
        Some(draft) => {
            let part = &draft.parts[0];
            (How::Redrafted, part.up_sql(), part.down_sql())
        }
        None => (How::Joined, range.joined_up(), range.joined_down()?),
    };
    let folder = Folder {
        name: range.name(&slug(&message)?),
        up,
        down: Some(down),
        run_in_transaction: true,
    };
    let one = [as_migration(&folder)];
    let reached = after(scratch, &start, &one).map_err(|error| {
        let what =
            format!("the {number} migrations do not run as one transaction; nothing was changed");
        Error::caused(ErrorKind::Input, what, error)
            .hint("leave out what needs a commit between two of them")
    })?;
    let left = differences(project, scratch, &reached, &wanted)?;
    if !left.is_empty() {
        let what = format!("the {number} migrations give something else as one");
        return Err(refusal(&what, &left));
    }
    let back = before(scratch, &reached, &one).map_err(|error| {
        let what = "the way back does not run; nothing was changed";
        Error::caused(ErrorKind::Input, what, error)
            .hint("squash what comes before and after a migration that has no way back")
    })?;
    let back = match differences(project, scratch, &back, &start)?.as_slice() {
        [] => "down exactly the start",
        // By hand, and together they did no more.
        _ => "down what theirs did",
    };
    let (place, witness) = on(project, scratch);
    let proof =
        format!("{place}up gives exactly what the {number} migrations gave, {back}{witness}");
    let header = Header {
        message,
        parents: range.parents.clone(),
        replaces: range.many.iter().map(Parent::of).collect(),
        replaced: range
            .many
            .iter()
            .flat_map(Migration::stands_for)
            .cloned()
            .collect(),
        proof: vec![proof.clone()],
    };
    let folder = Folder {
        up: header.render() + &folder.up,
        ..folder
    };
    let gone: Vec<String> = range.many.iter().map(|one| one.version.clone()).collect();
    let mut written = migration::change(&project.migrations, Some(&versions), &gone, |_| {
        Ok(vec![folder])
    })?;
    Ok(Squashed {
        removed: range.many.into_iter().map(|one| one.name).collect(),
        written: written.remove(0),
        how,
        proof,
    })
}

/// The migrations that become one, and those before them.
struct Range {
    before: Vec<Migration>,
    many: Vec<Migration>,
    parents: Vec<Parent>,
}

impl Range {
    fn of(all: &[Migration], base: Option<&str>, last: &str) -> Result<Self, Error> {
        let base = base.map(|base| apply::find(all, base)).transpose()?;
        let last = apply::find(all, last)?;
        let before: Vec<_> = all
            .iter()
            .filter(|one| base.is_some_and(|base| one.version <= base.version))
            .cloned()
            .collect();
        let many: Vec<_> = all
            .iter()
            .filter(|one| base.is_none_or(|base| one.version > base.version))
            .filter(|one| one.version <= last.version)
            .cloned()
            .collect();
        if many.len() < 2 {
            return Err(Error::input(format!(
                "that range has {} migrations, and it takes two to make one of them",
                many.len()
            ))
            .hint("BASE itself is not squashed: `squash base..VERSION` begins with the first"));
        }
        if let Some(alone) = many.iter().find(|one| !one.run_in_transaction) {
            return Err(Error::input(format!(
                "{} does not run in a transaction, so it has to stay by itself",
                alone.name
            ))
            .hint("squash what comes before and after it"));
        }
        let inside = |name: &String| many.iter().any(|one| one.name == *name);
        let problem = history_problems(all)
            .into_iter()
            .find(|problem| match problem {
                HistoryProblem::TwoChildren { parent, children } => {
                    children.iter().any(inside) || parent.as_ref().is_some_and(inside)
                }
                HistoryProblem::Edited { .. }
                | HistoryProblem::EditedSince { .. }
                | HistoryProblem::ParentMissing { .. } => false,
            });
        if let Some(problem) = problem {
            return Err(
                Error::input(format!("the range is not one line: {problem}"))
                    .hint("`trueup rebase` or `trueup merge` first"),
            );
        }
        let parents = before.last().map(Parent::of).into_iter().collect();
        Ok(Self {
            before,
            many,
            parents,
        })
    }

    /// A draft of what the migrations give, where it says all that they did.
    fn redraft(
        &self,
        project: &Project,
        start: &Side,
        wanted: &Side,
    ) -> Result<Option<Draft>, Error> {
        let only_define = self.many.iter().all(|one| only_defines(&one.up));
        if !(self.before.is_empty() && only_define && wanted.schema.unread().is_empty()) {
            return Ok(None);
        }
        let scratch = project.scratch(None)?;
        let [start, wanted] = [after(scratch, start, &[])?, after(scratch, wanted, &[])?];
        match draft(project, start, wanted, DraftOptions::default()) {
            Ok(draft) => Ok(draft.filter(|draft| draft.parts.len() == 1)),
            // Their own texts will do.
            Err(error) if matches!(error.kind(), ErrorKind::NotYet | ErrorKind::Defect) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn joined_up(&self) -> String {
        let text = |one: &Migration| section(&one.name, &unwrapped(Header::body(&one.up)));
        self.many.iter().map(text).collect::<Vec<_>>().join("\n")
    }

    fn joined_down(&self) -> Result<String, Error> {
        let mut texts = Vec::new();
        for one in self.many.iter().rev() {
            let down = one.down.as_ref().ok_or_else(|| {
                Error::from(apply::ApplyError::NoDown {
                    name: one.name.clone(),
                })
            })?;
            texts.push(section(&one.name, &unwrapped(down)));
        }
        Ok(texts.join("\n"))
    }

    /// The folder's name: the last one's version, as it is written there.
    fn name(&self, slug: &str) -> String {
        let last = self.many.last().map_or("", |last| last.name.as_str());
        format!("{}_{slug}", last.split('_').next().unwrap_or_default())
    }
}

fn as_migration(folder: &Folder) -> Migration {
    Migration {
        version: migration::version_of(&folder.name),
        name: folder.name.clone(),
        dir: folder.name.clone().into(),
        up: folder.up.clone(),
        down: folder.down.clone(),
        run_in_transaction: folder.run_in_transaction,
        header: None,
    }
}

/// A text under the name of the migration that it is from, ready for another behind it.
fn section(name: &str, sql: &str) -> String {
    format!("-- From {name}\n\n{}", ended(sql.trim_start()))
}

/// Whether each statement of a text makes, changes or drops something whose whole definition is read, and touches no row that
/// was there before.
fn only_defines(sql: &str) -> bool {
    let Ok(parsed) = pg_query::parse(sql, pg_query::ParserOptions::default()) else {
        return false;
    };
    let statements = &parsed.protobuf.stmts;
    statements.iter().all(|statement| {
        let node = statement.stmt.as_ref().and_then(|stmt| stmt.node.as_ref());
        node.is_some_and(defines)
    })
}

fn defines(node: &NodeEnum) -> bool {
    if let NodeEnum::CreateSchemaStmt(create) = node {
        // Owners are not read.
        return create.authrole.is_none();
    }
    if let NodeEnum::AlterTableStmt(alter) = node {
        return alter.cmds.iter().all(|command| match &command.node {
            Some(NodeEnum::AlterTableCmd(command)) => !matches!(
                command.subtype(),
                // The second may restart the numbers, which are no part of a schema.
                AlterTableType::AtChangeOwner | AlterTableType::AtSetIdentity
            ),
            Some(_) | None => false,
        });
    }
    matches!(
        node,
        NodeEnum::CreateStmt(_)
            | NodeEnum::IndexStmt(_)
            | NodeEnum::CommentStmt(_)
            | NodeEnum::CreateEnumStmt(_)
            | NodeEnum::AlterEnumStmt(_)
            | NodeEnum::CreateExtensionStmt(_)
            | NodeEnum::CreateSeqStmt(_)
            | NodeEnum::DropStmt(_)
            | NodeEnum::RenameStmt(_)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_touch_rows_does_not_only_define() {
        for sql in [
            "CREATE TABLE t (a integer); COMMENT ON TABLE t IS 'x';",
            "ALTER TABLE t ADD b text; DROP INDEX i;",
            "-- nothing",
        ] {
            assert!(only_defines(sql), "{sql}");
        }
        for sql in [
            "CREATE TABLE t (a integer); INSERT INTO t VALUES (1);",
            "CREATE TABLE t AS SELECT 1",
            "DO $$ BEGIN END $$",
            "SELECT setval('s', 3)",
            "ALTER SEQUENCE s RESTART WITH 7",
            "ALTER TABLE t ALTER id RESTART WITH 7",
            "GRANT SELECT ON t TO x",
            "ALTER TABLE t OWNER TO x",
            "CREATE VIEW v AS SELECT 1",
            "no SQL",
        ] {
            assert!(!only_defines(sql), "{sql}");
        }
    }
}
