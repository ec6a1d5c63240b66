//! Standalone sequences. An existing one is not recreated but altered: its dependents need it meanwhile.

use super::{comment, statement};
use crate::Detail;
use crate::model::declaration::{Decision, Declaration, Rank};
use crate::model::definition::SequenceDef;
use crate::objects::{
    Registered,
    comment::Comment,
    sequence::{Sequence, SequenceOptions},
};

/// The statement that creates it, the one that sets its options, and its comment.
pub(super) fn declare(sequence: &SequenceDef) -> Vec<Declaration> {
    let name = sequence.qualified();
    let id = Sequence::id(name.clone());
    let (namespace, origin) = (sequence.namespace, sequence.item.origin());
    let declare = |declares, sql| {
        let rank = Rank::Sequence;
        statement(id.clone(), declares, rank, namespace, sql, origin.clone())
    };
    let create = format!("CREATE SEQUENCE IF NOT EXISTS {name}");
    let counts = Declaration {
        decides: vec![Decision {
            id: id.clone(),
            detail: Detail::Counting,
        }],
        ..declare(
            None,
            format!("ALTER SEQUENCE {name} {}", counting(sequence)),
        )
    };
    let mut list = vec![declare(Some(id.clone()), create), counts];
    list.extend(sequence.comment.map(|text| {
        let decision = Decision {
            id: Comment::id_on(id.clone()),
            detail: Detail::Presence,
        };
        let target = id.designation();
        Declaration {
            decides: vec![decision],
            ..comment::on(id.clone(), namespace, &target, text, origin.clone())
        }
    }));
    list
}

/// Its counting clauses, and a RESTART.
fn counting(sequence: &SequenceDef) -> String {
    let SequenceDef {
        item: _,
        name: _,
        namespace: _,
        comment: _,
        data_type,
        start,
        increment,
        min,
        max,
        cache,
        cycle,
    } = *sequence;
    let options = SequenceOptions {
        start,
        increment,
        min,
        max,
        cache,
        cycle,
    };
    format!("AS {data_type} {} RESTART", options.all_clauses().join(" "))
}
