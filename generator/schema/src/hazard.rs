//! Hazards of a statement on a database that has rows in it and people at work.

use std::fmt::{self, Display, Formatter};

use serde::{Serialize, Serializer};

use crate::Id;

/// A risk of one statement, said to the person who reviews it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case", tag = "hazard")]
pub enum Hazard {
    /// Rows or values that are there before are not there afterwards, and no down brings them back.
    LosesData {
        /// The object that the loss is about: a table, a column, a sequence.
        #[serde(serialize_with = "name")]
        of: Id,
        /// The loss, as the end of the sentence "loses …".
        what: String,
        /// True if the object itself goes, with its name.
        goes: bool,
    },
    /// Values become what a person said they shall become, and no down brings the old ones back.
    ChangesValues {
        /// The column that holds the values.
        #[serde(serialize_with = "name")]
        of: Id,
        /// Which and how, as the end of the sentence "changes …".
        what: String,
    },
    /// Something that no kind reads goes with what is dropped.
    DropsAlong {
        /// The object, as the catalog names it: `trigger t on public.users`.
        what: String,
    },
    /// Columns that refer to one that gets another type keep theirs.
    LeavesType {
        /// The columns, joined by "and".
        columns: String,
        /// Their type.
        as_type: String,
        /// The column that they refer to.
        key: String,
        /// Its new type.
        becomes: String,
    },
    /// The table, or several partitions of one, gets a new file: every row is written anew under ACCESS EXCLUSIVE.
    RewritesTable {
        /// The table.
        table: String,
    },
    /// Every row of the table is read under a lock that stops others.
    ScansTable {
        /// The table.
        table: String,
        /// The strongest lock that the transaction holds on it by then.
        mode: LockMode,
    },
    /// An UPDATE writes every row of the table, and locks each until the commit.
    UpdatesRows {
        /// The table.
        table: String,
    },
    /// A trigger or rule runs, which is code of the database's own and may do anything.
    RunsCode {
        /// Which, as the end of the sentence "runs …".
        what: String,
    },
    /// Rows come that nobody asked for.
    WritesRows {
        /// The table.
        #[serde(serialize_with = "name")]
        of: Id,
        /// The table and the cause, as the end of the sentence "writes …".
        what: String,
    },
    /// A lock on tables that the statement neither scans nor rewrites.
    Locks {
        /// The tables, joined by "and".
        tables: String,
        /// The strongest lock that the transaction holds on them by then.
        mode: LockMode,
        /// The statement scans or rewrites another table meanwhile.
        works: bool,
    },
    /// The statement fails on some data that the schema allows.
    MayFail {
        /// The condition, as the end of the sentence "fails …".
        because: String,
    },
    /// The statement fails on rows that a query finds.
    FailsOn {
        /// A SELECT, without a semicolon.
        query: String,
        /// True if it fails on them itself, false if it finds them.
        fails: bool,
        /// Why, as the end of "since …".
        #[serde(skip_serializing_if = "Option::is_none")]
        since: Option<String>,
        /// The words of a model that say what becomes of them.
        #[serde(skip_serializing_if = "Option::is_none")]
        way: Option<String>,
        /// The column that requires a value and that a model can give one to.
        #[serde(skip)]
        unfilled: Option<Unfilled>,
    },
    /// Programs that were made for the schema before still run, and what they send fails from now on.
    BreaksDeployed {
        /// The action, as the middle of the sentence "breaks deployed code that …".
        does: &'static str,
        /// To what, as its end.
        what: String,
        /// The columns that it takes; where none of them was there before, no program does it. None: it takes no column.
        #[serde(skip)]
        by: Vec<Id>,
    },
    /// Code in the database names what changes, and nobody saw it run.
    MayBreakCode {
        /// The function and line.
        code: String,
        /// The name in the code and its fate, or why that is not known.
        because: String,
    },
    /// Code in the database that ran before does not run afterwards.
    BreaksCode {
        /// The function and line, or else the statement that fails.
        code: String,
        /// The message of Postgres.
        because: String,
    },
}

/// A column that comes to require a value, where a model can give one to rows without.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Unfilled {
    /// The column.
    pub column: Id,
    /// True if no model can let it take NULL: it is a part of the primary key, or its type takes none.
    pub never_null: bool,
}

/// A table-level lock that writing waits for, weakest first:
/// <https://www.postgresql.org/docs/current/explicit-locking.html>.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
pub enum LockMode {
    /// Reading goes on.
    #[serde(rename = "SHARE")]
    Share,
    /// Reading goes on.
    #[serde(rename = "SHARE ROW EXCLUSIVE")]
    ShareRowExclusive,
    /// Reading goes on, but for SELECT … FOR UPDATE.
    #[serde(rename = "EXCLUSIVE")]
    Exclusive,
    /// Reading waits too.
    #[serde(rename = "ACCESS EXCLUSIVE")]
    AccessExclusive,
}

impl LockMode {
    /// Every mode, strongest first.
    pub const ALL: [Self; 4] = [
        Self::AccessExclusive,
        Self::Exclusive,
        Self::ShareRowExclusive,
        Self::Share,
    ];

    /// The mode that `pg_locks.mode` names; `None` for one that writing does not wait for.
    #[must_use]
    pub fn of(mode: &str) -> Option<Self> {
        match mode {
            "ShareLock" => Some(Self::Share),
            "ShareRowExclusiveLock" => Some(Self::ShareRowExclusive),
            "ExclusiveLock" => Some(Self::Exclusive),
            "AccessExclusiveLock" => Some(Self::AccessExclusive),
            _ => None,
        }
    }

    /// The mode as LOCK TABLE spells it.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Share => "SHARE",
            Self::ShareRowExclusive => "SHARE ROW EXCLUSIVE",
            Self::Exclusive => "EXCLUSIVE",
            Self::AccessExclusive => "ACCESS EXCLUSIVE",
        }
    }

    fn stops(self) -> &'static str {
        match self {
            Self::Share | Self::ShareRowExclusive | Self::Exclusive => "write",
            Self::AccessExclusive => "read or write",
        }
    }
}

impl Hazard {
    /// A failure while the query finds a row.
    #[must_use]
    pub fn finds(query: impl Into<String>) -> Self {
        Self::FailsOn {
            query: query.into(),
            fails: false,
            since: None,
            way: None,
            unfilled: None,
        }
    }

    /// A failure while the query finds a row; where there is no query, the reason in words: the end of the sentence "fails …".
    #[must_use]
    pub fn finds_or(query: Option<&String>, because: impl FnOnce() -> String) -> Self {
        query.map_or_else(|| Self::MayFail { because: because() }, Self::finds)
    }

    /// A failure on a value on which the query fails too.
    #[must_use]
    pub fn fails_with(query: impl Into<String>) -> Self {
        Self::FailsOn {
            query: query.into(),
            fails: true,
            since: None,
            way: None,
            unfilled: None,
        }
    }

    /// The same failure with its reason, as the end of "since …".
    #[must_use]
    pub fn since(mut self, why: impl Into<String>) -> Self {
        if let Self::FailsOn { since, .. } = &mut self {
            *since = Some(why.into());
        }
        self
    }

    /// The same failure with what a model can say of the rows.
    #[must_use]
    pub fn or(mut self, how: impl Into<String>) -> Self {
        if let Self::FailsOn { way, .. } = &mut self {
            *way = Some(how.into());
        }
        self
    }

    /// The same failure of rows without a value for a column, which a model can give them.
    #[must_use]
    pub fn of_unfilled(mut self, column: Unfilled) -> Self {
        if let Self::FailsOn { unfilled, .. } = &mut self {
            *unfilled = Some(column);
        }
        self
    }

    /// A loss at `of`; `what` is the end of the sentence "loses …".
    #[must_use]
    pub fn loses(of: Id, what: impl Into<String>) -> Self {
        let what = what.into();
        let goes = false;
        Self::LosesData { of, what, goes }
    }

    /// A loss at `of`, which goes itself; `what` is the end of the sentence "loses …".
    #[must_use]
    pub fn drops(of: Id, what: impl Into<String>) -> Self {
        let what = what.into();
        let goes = true;
        Self::LosesData { of, what, goes }
    }

    /// Nothing has the name afterwards.
    #[must_use]
    pub fn names(what: impl Display) -> Self {
        Self::breaks_deployed("names", what, Vec::new())
    }

    /// Deployed code fails that does this, with these columns.
    #[must_use]
    pub fn breaks_deployed(does: &'static str, what: impl Display, by: Vec<Id>) -> Self {
        let what = what.to_string();
        Self::BreaksDeployed { does, what, by }
    }

    /// The same risk where what goes comes back under its name: `None` where there is no other.
    #[must_use]
    pub fn while_it_comes_back(self) -> Option<Self> {
        match self {
            Self::BreaksDeployed { .. } => None,
            Self::LosesData { of, what, goes: _ } => Some(Self::loses(of, what)),
            Self::ChangesValues { .. }
            | Self::BreaksCode { .. }
            | Self::MayBreakCode { .. }
            | Self::DropsAlong { .. }
            | Self::LeavesType { .. }
            | Self::RewritesTable { .. }
            | Self::ScansTable { .. }
            | Self::UpdatesRows { .. }
            | Self::Locks { .. }
            | Self::RunsCode { .. }
            | Self::WritesRows { .. }
            | Self::MayFail { .. }
            | Self::FailsOn { .. } => Some(self),
        }
    }

    /// True if the risk is to programs alone.
    #[must_use]
    pub fn breaks_programs(&self) -> bool {
        matches!(self, Self::BreaksDeployed { .. })
    }

    /// True if it is a risk to programs that none has, since `there` knows none of the columns that it takes.
    #[must_use]
    pub fn is_of_nobody(&self, there: impl Fn(&Id) -> bool) -> bool {
        matches!(self, Self::BreaksDeployed { by, .. } if !by.is_empty() && !by.iter().any(there))
    }

    /// The object of the loss, where data is lost.
    #[must_use]
    pub fn lost(&self) -> Option<&Id> {
        if let Self::LosesData { of, .. } = self {
            Some(of)
        } else {
            None
        }
    }

    /// The column whose missing values it is about, where a model can give them.
    #[must_use]
    pub fn unfilled(&self) -> Option<&Unfilled> {
        if let Self::FailsOn { unfilled, .. } = self {
            unfilled.as_ref()
        } else {
            None
        }
    }

    /// True if the hazard needs a person's consent before a migration is written.
    #[must_use]
    pub fn loses_data(&self) -> bool {
        matches!(self, Self::LosesData { .. })
    }

    /// True if the statement fails on some data.
    #[must_use]
    pub fn may_fail(&self) -> bool {
        matches!(self, Self::MayFail { .. } | Self::FailsOn { .. })
    }
}

impl Hazard {
    /// The words before what it is about, that, and the words after it.
    #[must_use]
    pub fn words(&self) -> [String; 3] {
        let words: [&str; 3] = match self {
            Self::LosesData {
                of: _,
                what,
                goes: false,
            } => ["loses", what, ""],
            Self::LosesData {
                of: _,
                what,
                goes: true,
            } => ["loses", what, ", and breaks deployed code that names it"],
            Self::BreaksDeployed { does, what, by: _ } => {
                let breaks = format!("breaks deployed code that {does}");
                return [breaks, what.clone(), String::new()];
            }
            Self::ChangesValues { of: _, what } => ["changes", what, ""],
            Self::DropsAlong { what } => ["drops", what, " with it"],
            Self::LeavesType {
                columns,
                as_type,
                key,
                becomes,
            } => {
                let after = format!(" as {as_type}, while the key {key} becomes {becomes}");
                return ["leaves".to_owned(), columns.clone(), after];
            }
            Self::RunsCode { what } => ["runs", what, ""],
            Self::WritesRows { of: _, what } => ["writes", what, ""],
            Self::RewritesTable { table } => [
                "rewrites",
                table,
                " under ACCESS EXCLUSIVE: nobody can read or write there meanwhile",
            ],
            Self::UpdatesRows { table } => [
                "updates every row of",
                table,
                ": nobody else can change one until the commit",
            ],
            Self::ScansTable { table, mode } => {
                let (under, stops) = (mode.words(), mode.stops());
                let after = format!(" under {under}: nobody can {stops} there meanwhile");
                return ["scans".to_owned(), table.clone(), after];
            }
            Self::Locks {
                tables,
                mode,
                works,
            } => {
                let until = if *works {
                    "meanwhile"
                } else {
                    "until the commit"
                };
                let (takes, stops) = (mode.words(), mode.stops());
                let after = format!(" {until}: nobody can {stops} there");
                let verb = if *works { "holds" } else { "takes" };
                return [format!("{verb} {takes} on"), tables.clone(), after];
            }
            Self::FailsOn {
                query,
                fails,
                since,
                way,
                unfilled: _,
            } => {
                let so = if *fails {
                    "this fails"
                } else {
                    "this finds a row"
                };
                let since = since
                    .as_ref()
                    .map_or(String::new(), |why| format!(", since {why}"));
                let way = way.as_ref().map_or(String::new(), |way| format!("; {way}"));
                return [format!("fails while {so}{since}:"), query.clone(), way];
            }
            Self::MayFail { because } => ["fails", because, ""],
            Self::MayBreakCode { code, because } => {
                return ["may break".to_owned(), code.clone(), format!(": {because}")];
            }
            Self::BreaksCode { code, because } => {
                return ["breaks".to_owned(), code.clone(), format!(": {because}")];
            }
        };
        words.map(str::to_owned)
    }
}

impl Display for Hazard {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let [before, about, after] = self.words();
        write!(f, "{before} {about}{after}")
    }
}

fn name<S: Serializer>(id: &Id, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(id)
}
