//! One SQL statement, with what a reviewer and the planner must know about it.

mod action;

use crate::{Hazard, Id, Kind, Origin};

pub use action::{Action, Pass};

/// One SQL statement, without its semicolon.
#[derive(Clone, PartialEq, Eq, Debug)]
#[must_use]
pub struct Statement {
    says: String,
    /// The action of ALTER TABLE that it is, where others may join it.
    action: Option<Action>,
    /// The statements that it does in one; none where it does one thing.
    joined: Vec<Statement>,
    sql: String,
    hazards: Vec<Hazard>,
    disturbs: Vec<Kind>,
    parts: Vec<Kind>,
    after_commit: bool,
    alone: bool,
    between: Option<(Id, Id)>,
    origin: Option<Origin>,
    unless: Option<Id>,
    ahead: bool,
    /// To what each of the risks is, where that is not what the statement is about.
    endangered: Vec<Option<Id>>,
    respells: bool,
    updates: bool,
    data: Option<DataStep>,
}

/// The side of a data step, in which a person moves rows, on which a statement must run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DataStep {
    /// Before: it makes what can take rows or values.
    TakesRows,
    /// After: rows or values go, or are asked for.
    After,
}

impl Statement {
    /// Makes a statement: one English line that says what it does, and the SQL. A name with a line break in it must not
    /// end the line, which stands as a comment in a migration.
    pub fn new(says: impl Into<String>, sql: impl Into<String>) -> Self {
        Self {
            says: one_line(&says.into()),
            action: None,
            joined: Vec::new(),
            sql: sql.into(),
            hazards: Vec::new(),
            disturbs: Vec::new(),
            parts: Vec::new(),
            after_commit: false,
            respells: false,
            updates: false,
            data: None,
            alone: false,
            between: None,
            origin: None,
            unless: None,
            ahead: false,
            endangered: Vec::new(),
        }
    }

    /// Makes a statement of one action of ALTER TABLE, which others on the same table may join.
    pub fn of(says: impl Into<String>, action: Action) -> Self {
        let mut statement = Self::new(says, action.alone());
        statement.action = Some(action);
        statement
    }

    /// One statement that does what this does and then the other, where both are actions on one table.
    ///
    /// Neither has an expression that a person wrote, which may read what the other changes.
    #[must_use]
    pub fn join(&self, other: &Self) -> Option<Self> {
        if self.table()? != other.table()? || self.origin.is_some() || other.origin.is_some() {
            return None;
        }
        // Any other action has a stronger lock, which would be held while rows are read.
        let validates = |one: &Self| one.actions().any(|action| action.pass() == Pass::Validate);
        if validates(self) != validates(other) {
            return None;
        }
        let joined: Vec<Self> = [self, other]
            .into_iter()
            .flat_map(Self::apart)
            .cloned()
            .collect();
        let says: Vec<&str> = joined.iter().map(Self::says).collect();
        let sql = Action::together(joined.iter().filter_map(|one| one.action.as_ref()));
        let mut statement = Self::new(says.join("; "), sql);
        for one in &joined {
            for (hazard, of) in one.hazards.iter().zip(&one.endangered) {
                if !statement.hazards.contains(hazard) {
                    statement.hazards.push(hazard.clone());
                    statement.endangered.push(of.clone());
                }
            }
            statement.disturbs.extend(&one.disturbs);
            statement.parts.extend(&one.parts);
        }
        statement.joined = joined;
        statement.data = self.data.or(other.data);
        Some(statement)
    }

    /// The statements that it does in one, or itself.
    pub fn apart(&self) -> &[Self] {
        if self.joined.is_empty() {
            std::slice::from_ref(self)
        } else {
            &self.joined
        }
    }

    /// The table of the ALTER TABLE that others may join.
    #[must_use]
    pub fn table(&self) -> Option<&str> {
        self.actions().next().map(Action::table)
    }

    /// First and last pass in which Postgres runs its actions.
    #[must_use]
    pub fn passes(&self) -> Option<(Pass, Pass)> {
        let passes = || self.actions().map(Action::pass);
        Some((passes().min()?, passes().max()?))
    }

    fn actions(&self) -> impl Iterator<Item = &Action> {
        self.apart().iter().filter_map(|one| one.action.as_ref())
    }

    /// Adds to the English line why it is done.
    pub fn because(mut self, why: impl AsRef<str>) -> Self {
        self.says = one_line(&format!("{}: {}", self.says, why.as_ref()));
        self
    }

    /// Adds a risk.
    pub fn hazard(mut self, hazard: Hazard) -> Self {
        self.hazards.push(hazard);
        self.endangered.push(None);
        self
    }

    /// Adds a risk that shows when the statement is tried, before the others.
    pub fn warn(&mut self, hazard: Hazard) {
        self.hazards.insert(0, hazard);
        self.endangered.insert(0, None);
    }

    /// The same statement without the risks that are said to be none.
    pub fn without(self, is_none: impl Fn(&Hazard) -> bool) -> Self {
        self.with_those(|hazard, _| !is_none(hazard))
    }

    /// Adds a risk to something else than what the statement is about.
    pub fn hazard_to(mut self, id: Id, hazard: Hazard) -> Self {
        self.hazards.push(hazard);
        self.endangered.push(Some(id));
        self
    }

    /// The same statement where what it is about is new: there is nobody and nothing to endanger, but for what else is
    /// there before.
    pub fn without_hazards(self, there: impl Fn(&Id) -> bool) -> Self {
        self.with_those(|_, endangered| endangered.is_some_and(&there))
    }

    /// The same statement where what goes comes back under its name.
    pub fn of_what_comes_back(mut self) -> Self {
        let risks = self.hazards.into_iter().zip(self.endangered);
        let kept = risks.filter_map(|(hazard, of)| Some((hazard.while_it_comes_back()?, of)));
        (self.hazards, self.endangered) = kept.unzip();
        self
    }

    fn with_those(mut self, wanted: impl Fn(&Hazard, Option<&Id>) -> bool) -> Self {
        let risks = self.hazards.into_iter().zip(self.endangered);
        let kept = risks.filter(|(hazard, endangered)| wanted(hazard, endangered.as_ref()));
        (self.hazards, self.endangered) = kept.unzip();
        self
    }

    /// Names the kinds of dependents that must be taken down before the statement and put back after it.
    pub fn disturbs(mut self, kinds: impl IntoIterator<Item = Kind>) -> Self {
        self.disturbs.extend(kinds);
        self
    }

    /// Names the kinds of dependents that cannot stay where they need another object too that such a statement changes: in
    /// between they would compare what is changed with what is not.
    pub fn parts(mut self, kinds: impl IntoIterator<Item = Kind>) -> Self {
        self.parts.extend(kinds);
        self
    }

    /// Says that what needs this object can only be done after a commit.
    pub fn after_commit(mut self) -> Self {
        self.after_commit = true;
        self
    }

    /// Says that the statement cannot run in a transaction block.
    pub fn alone(mut self) -> Self {
        self.alone = true;
        self
    }

    /// Says that there is something to do only where `new` is made while `old` was there before: a new sequence counts on
    /// from the values of a column that has some.
    pub fn only_between(mut self, new: Id, old: Id) -> Self {
        self.between = Some((new, old));
        self
    }

    /// Says where a person wrote an expression that stands in it.
    pub fn written_at(mut self, origin: &Origin) -> Self {
        self.origin = Some(origin.clone());
        self
    }

    /// Says that there is nothing to do where `id` comes in the same plan, since that does it.
    pub fn unless_comes(mut self, id: Id) -> Self {
        self.unless = Some(id);
        self
    }

    /// Says that it comes before what is done to the one that the object changes along with.
    pub fn ahead(mut self) -> Self {
        self.ahead = true;
        self
    }

    /// Marks that it changes the spelling of values and not the values, as renaming an enum label does.
    pub fn respells(mut self) -> Self {
        self.respells = true;
        self
    }

    /// Says that it updates rows, so that triggers and rules run.
    pub fn updates(mut self) -> Self {
        self.updates = true;
        self
    }

    /// Says where it stands to a data step.
    pub fn beside_data(mut self, data: DataStep) -> Self {
        self.data = Some(data);
        self
    }

    /// The side of a data step on which it must run; `None` if it may run on either.
    #[must_use]
    pub fn data_step(&self) -> Option<DataStep> {
        self.data
    }

    /// True if it updates rows.
    #[must_use]
    pub fn is_update(&self) -> bool {
        self.updates
    }

    /// True if it changes the spelling of values and not the values, as when an enum label is renamed.
    #[must_use]
    pub fn is_respelling(&self) -> bool {
        self.respells
    }

    /// The English line.
    #[must_use]
    pub fn says(&self) -> &str {
        &self.says
    }

    /// The SQL, without a semicolon.
    #[must_use]
    pub fn sql(&self) -> &str {
        &self.sql
    }

    /// The risks.
    #[must_use]
    pub fn hazards(&self) -> &[Hazard] {
        &self.hazards
    }

    /// The kinds of dependents to take down around the statement.
    #[must_use]
    pub fn disturbed(&self) -> &[Kind] {
        &self.disturbs
    }

    /// The kinds of dependents to take down where they need two objects that such statements change.
    #[must_use]
    pub fn parted(&self) -> &[Kind] {
        &self.parts
    }

    /// Origin of a hand-written expression in it.
    #[must_use]
    pub fn origin(&self) -> Option<&Origin> {
        self.origin.as_ref()
    }

    /// The new and the old object without which the statement has nothing to do.
    #[must_use]
    pub fn between(&self) -> Option<(&Id, &Id)> {
        self.between.as_ref().map(|(new, old)| (new, old))
    }

    /// The object whose creation in the same plan makes the statement superfluous.
    #[must_use]
    pub fn unless(&self) -> Option<&Id> {
        self.unless.as_ref()
    }

    /// True if it runs before the statements of the object's leader.
    #[must_use]
    pub fn is_ahead(&self) -> bool {
        self.ahead
    }

    /// True if dependents of the object must wait for a commit.
    #[must_use]
    pub fn needs_commit(&self) -> bool {
        self.after_commit
    }

    /// True if the statement cannot run in a transaction block.
    #[must_use]
    pub fn is_alone(&self) -> bool {
        self.alone
    }
}

/// The text with every control character replaced by a space.
#[must_use]
pub fn one_line(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

/// Clause that an object contributes to its parent's CREATE statement.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Clause {
    text: String,
    essential: bool,
    behind: bool,
    then: Vec<Statement>,
}

impl Clause {
    /// A clause that reads better inside, and means the same in a statement of its own.
    pub fn cosmetic(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            essential: false,
            behind: false,
            then: Vec::new(),
        }
    }

    /// A clause that would mean something else in a statement of its own, once the table has rows.
    pub fn essential(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            essential: true,
            behind: false,
            then: Vec::new(),
        }
    }

    /// The same clause where it stands behind the parentheses, in a place that the parent knows.
    #[must_use]
    pub fn behind(mut self) -> Self {
        self.behind = true;
        self
    }

    /// Adds what must be said right after the parent is created.
    #[must_use]
    pub fn then(mut self, statements: Vec<Statement>) -> Self {
        self.then = statements;
        self
    }

    /// Statements to run right after the parent is created.
    pub fn afterwards(&self) -> &[Statement] {
        &self.then
    }

    /// True if it stands behind the parentheses.
    #[must_use]
    pub fn is_behind(&self) -> bool {
        self.behind
    }

    /// The SQL of the clause; empty where it comes with another clause.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// True if the clause must fold whenever its parent is created.
    #[must_use]
    pub fn is_essential(&self) -> bool {
        self.essential
    }
}
