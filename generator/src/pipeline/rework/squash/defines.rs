//! Texts of which a schema tells all that they did.

use pg_query::{NodeEnum, protobuf::AlterTableType};

/// True where each statement of a text makes, changes or drops something whose whole definition is read, and touches no row that
/// was there before.
pub(super) fn only_defines(sql: &str) -> bool {
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
