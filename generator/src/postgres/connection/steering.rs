//! BEGIN, COMMIT and their kin in a text of SQL, as the parse tree has them.
//!
//! A text that is one transaction is one wherever it runs, so that a BEGIN before it and a COMMIT behind it add nothing.

use std::borrow::Cow;

use pg_query::NodeEnum;
use pg_query::protobuf::{TransactionStmt, TransactionStmtKind};

use super::run::{Part, first_node, parts, without_comments};

/// The transactions of a text.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Steering<'a> {
    /// All of it is one transaction.
    One {
        /// The statements, without those in `around`.
        parts: Vec<Part<'a>>,
        /// A BEGIN before all others and a COMMIT behind all others.
        around: Vec<Part<'a>>,
    },
    /// It commits in its middle.
    Several(Vec<Transaction<'a>>),
    /// It does not end as somebody who runs all of it expects.
    Broken(Broken, Part<'a>),
}

/// Statements that Postgres keeps or undoes together.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Transaction<'a> {
    /// The statements, a BEGIN that is not the first and savepoints among them.
    pub(crate) parts: Vec<Part<'a>>,
    /// The BEGIN that it begins with.
    pub(crate) begin: Option<Part<'a>>,
    /// The COMMIT that it ends with; the last one may end with the text.
    pub(crate) commit: Option<Part<'a>>,
}

/// Why a text does not end as expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Broken {
    /// A ROLLBACK undoes what stands before it.
    Undoes,
    /// A BEGIN has no COMMIT.
    LeavesOpen,
    /// A PREPARE TRANSACTION leaves the end to somebody else.
    Hands,
}

/// Reads what a text does with transactions; nothing where our parser, which is that of one Postgres major, does not know it.
pub(crate) fn steering(text: &str) -> Option<Steering<'_>> {
    let parts = parts(text)?;
    let controls: Vec<Option<TransactionStmt>> = parts.iter().map(control).collect();
    let ends = |place: usize, kinds: &[TransactionStmtKind]| {
        let control = controls.get(place).and_then(Option::as_ref);
        control.is_some_and(|control| kinds.contains(&control.kind()))
    };
    let last = parts.len().saturating_sub(1);
    let is_around = |place: usize| {
        place == 0 && ends(0, &BEGINS)
            || place == last && ends(last, &[TransactionStmtKind::TransStmtCommit])
    };
    let is_inside = |place: usize, control: &Option<TransactionStmt>| {
        is_around(place) || control.as_ref().is_none_or(|one| !steers(one.kind()))
    };
    let mut places = controls.iter().enumerate();
    if !places.all(|(place, control)| is_inside(place, control)) {
        return Some(transactions(&parts, &controls));
    }
    // A BEGIN with an isolation level is not left out: the level also takes effect in a transaction that has begun already.
    let is_left_out = |place: usize| {
        let control = controls[place].as_ref();
        is_around(place) && control.is_some_and(|control| control.options.is_empty())
    };
    let (around, inside) = (0..parts.len()).partition::<Vec<_>, _>(|place| is_left_out(*place));
    let those = |places: Vec<usize>| places.into_iter().map(|place| parts[place]).collect();
    Some(Steering::One {
        parts: those(inside),
        around: those(around),
    })
}

/// The text without the BEGIN and the COMMIT around it.
pub(crate) fn unwrapped(text: &str) -> Cow<'_, str> {
    let Some(Steering::One { around, .. }) = steering(text) else {
        return Cow::Borrowed(text);
    };
    let mut rest = Cow::Borrowed(text);
    for part in around.iter().rev() {
        let end = part.start + part.sql.len();
        let behind = without_comments(&text[end..]);
        let semicolon = text.len() - behind.len();
        let has_semicolon = behind.starts_with(';');
        let owned = rest.to_mut();
        if has_semicolon {
            owned.replace_range(semicolon..=semicolon, "");
        }
        owned.replace_range(part.start..end, "");
    }
    rest
}

const BEGINS: [TransactionStmtKind; 2] = [
    TransactionStmtKind::TransStmtBegin,
    TransactionStmtKind::TransStmtStart,
];

/// True if a statement begins or ends a transaction.
fn steers(kind: TransactionStmtKind) -> bool {
    match kind {
        TransactionStmtKind::TransStmtBegin
        | TransactionStmtKind::TransStmtStart
        | TransactionStmtKind::TransStmtCommit
        | TransactionStmtKind::TransStmtRollback
        | TransactionStmtKind::TransStmtPrepare => true,
        // Savepoints are within; of a prepared transaction Postgres itself says that it cannot be ended within another.
        TransactionStmtKind::TransStmtSavepoint
        | TransactionStmtKind::TransStmtRelease
        | TransactionStmtKind::TransStmtRollbackTo
        | TransactionStmtKind::TransStmtCommitPrepared
        | TransactionStmtKind::TransStmtRollbackPrepared
        | TransactionStmtKind::Undefined => false,
    }
}

/// The statement, where it is about transactions.
fn control(part: &Part<'_>) -> Option<TransactionStmt> {
    // Most statements are not, and parsing each once more would take long.
    if !part.may_steer_transactions() {
        return None;
    }
    if let NodeEnum::TransactionStmt(control) = first_node(part.sql)? {
        Some(control)
    } else {
        None
    }
}

/// Cuts statements where they commit, as Postgres does with a text that is sent in one piece.
fn transactions<'a>(parts: &[Part<'a>], controls: &[Option<TransactionStmt>]) -> Steering<'a> {
    let mut all = Vec::new();
    let mut one = Transaction::default();
    let mut open: Option<Part<'a>> = None;
    for (part, control) in parts.iter().zip(controls) {
        let Some(control) = control else {
            one.parts.push(*part);
            continue;
        };
        match control.kind() {
            TransactionStmtKind::TransStmtBegin | TransactionStmtKind::TransStmtStart => {
                open = open.or(Some(*part));
                if one.parts.is_empty() && one.begin.is_none() {
                    one.begin = Some(*part);
                } else {
                    one.parts.push(*part);
                }
            }
            TransactionStmtKind::TransStmtCommit => {
                one.commit = Some(*part);
                all.push(std::mem::take(&mut one));
                open = control.chain.then_some(*part);
            }
            TransactionStmtKind::TransStmtRollback => {
                return Steering::Broken(Broken::Undoes, *part);
            }
            TransactionStmtKind::TransStmtPrepare => {
                return Steering::Broken(Broken::Hands, *part);
            }
            TransactionStmtKind::TransStmtSavepoint
            | TransactionStmtKind::TransStmtRelease
            | TransactionStmtKind::TransStmtRollbackTo
            | TransactionStmtKind::TransStmtCommitPrepared
            | TransactionStmtKind::TransStmtRollbackPrepared
            | TransactionStmtKind::Undefined => one.parts.push(*part),
        }
    }
    if let Some(begin) = open {
        return Steering::Broken(Broken::LeavesOpen, begin);
    }
    if !one.parts.is_empty() {
        all.push(one);
    }
    Steering::Several(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sql<'a>(parts: &[Part<'a>]) -> Vec<&'a str> {
        parts.iter().map(|part| part.sql).collect()
    }

    fn one(text: &str) -> (Vec<&str>, Vec<&str>) {
        match steering(text).expect("it parses") {
            Steering::One { parts, around } => (sql(&parts), sql(&around)),
            other @ (Steering::Several(_) | Steering::Broken(..)) => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn what_is_around_all_else_adds_nothing() {
        let two = ["SELECT 1", "SELECT 2"];
        assert_eq!(one("SELECT 1; SELECT 2"), (two.to_vec(), vec![]));
        let around = ["BEGIN WORK", "END"];
        let text = "-- a\nBEGIN WORK; SELECT 1; SELECT 2; END;";
        assert_eq!(one(text), (two.to_vec(), around.to_vec()));
        let around = ["start transaction"];
        let text = "start transaction; SELECT 1; SELECT 2";
        assert_eq!(one(text), (two.to_vec(), around.to_vec()));
        let text = "SELECT 1; SELECT 2; COMMIT";
        assert_eq!(one(text), (two.to_vec(), vec!["COMMIT"]));
        let serial = "BEGIN ISOLATION LEVEL SERIALIZABLE";
        let text = format!("{serial}; SELECT 1; COMMIT");
        assert_eq!(one(&text), (vec![serial, "SELECT 1"], vec!["COMMIT"]));
        assert_eq!(one("BEGIN; COMMIT").0, Vec::<&str>::new());
    }

    #[test]
    fn savepoints_and_prepared_statements_are_within() {
        for within in [
            "SAVEPOINT a",
            "RELEASE a",
            "ROLLBACK TO a",
            "PREPARE p AS SELECT 1",
            "DO 'BEGIN COMMIT; END'",
        ] {
            let text = format!("BEGIN; {within}; COMMIT");
            assert_eq!(one(&text).0, [within]);
            assert_eq!(one(within).0, [within]);
        }
    }

    #[test]
    fn a_commit_in_the_middle_cuts() {
        let text = "SELECT 1; BEGIN; SELECT 2; COMMIT; BEGIN; SELECT 3; COMMIT AND CHAIN; SELECT 4; COMMIT; SELECT 5";
        let Some(Steering::Several(all)) = steering(text) else {
            panic!("several");
        };
        let all: Vec<_> = all.iter().map(|one| sql(&one.parts)).collect();
        let wanted: [&[&str]; 4] = [
            &["SELECT 1", "BEGIN", "SELECT 2"],
            &["SELECT 3"],
            &["SELECT 4"],
            &["SELECT 5"],
        ];
        assert_eq!(all, wanted);
    }

    #[test]
    fn what_does_not_end_is_broken() {
        let broken = |text| match steering(text).expect("it parses") {
            Steering::Broken(why, part) => (why, part.sql),
            other @ (Steering::One { .. } | Steering::Several(_)) => panic!("{text}: {other:?}"),
        };
        let undoes = "BEGIN; SELECT 1; ROLLBACK";
        assert_eq!(broken(undoes), (Broken::Undoes, "ROLLBACK"));
        assert_eq!(broken("SELECT 1; ABORT"), (Broken::Undoes, "ABORT"));
        let open = "SELECT 1; COMMIT; BEGIN; SELECT 2";
        assert_eq!(broken(open), (Broken::LeavesOpen, "BEGIN"));
        let hands = "BEGIN; SELECT 1; PREPARE TRANSACTION 'a'";
        assert_eq!(broken(hands), (Broken::Hands, "PREPARE TRANSACTION 'a'"));
    }

    #[test]
    fn the_rest_of_a_text_stays_as_it_is() {
        let text = "-- a\nBEGIN /* b */ ;\nSELECT 1;\nCOMMIT -- c\n;\n";
        assert_eq!(unwrapped(text), "-- a\n \nSELECT 1;\n\n\n");
        assert_eq!(unwrapped("BEGIN; SELECT 1; COMMIT"), " SELECT 1; ");
        let several = "BEGIN; SELECT 1; COMMIT; SELECT 2";
        assert_eq!(unwrapped(several), several);
    }
}
