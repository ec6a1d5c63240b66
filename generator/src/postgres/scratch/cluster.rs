//! Statements about the whole server, in migrations and files: roles and databases outlive a scratch database, and several
//! replays share one server.
//!
//! Postgres' own parser reads the statements; nothing else in a text changes, and every line keeps its number. Statements
//! inside DO blocks and functions stay as they are: `current_database()` is the scratch database there.

use std::{collections::BTreeSet, ops::Range};

use pg_query::{
    DeparseOptions, NodeEnum, ParserOptions,
    protobuf::{AlterTableType, Node, ObjectType},
};
use serde_json::{Map, Value};
use trueup::name::{literal, quoted_ident};

use crate::postgres::connection::without_comments;

/// The owner of the server that a text is to run on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Owner {
    /// This process: no role or database there is anybody's.
    Us,
    /// Somebody else: no statement may touch a role or another database of theirs.
    Others,
}

/// The roles that a text mentions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Roles {
    /// All that must be there before the text runs.
    pub(crate) named: BTreeSet<String>,
    /// Those that the text creates itself.
    pub(crate) created: BTreeSet<String>,
    /// Those that a DO block of it creates, where that is not put together at run time.
    pub(crate) in_blocks: BTreeSet<String>,
}

impl Roles {
    /// The roles of several texts that run one after the other.
    pub(crate) fn of<'a>(texts: impl IntoIterator<Item = &'a str>) -> Self {
        let mut roles = Self::default();
        for text in texts {
            for (range, node) in statements(text).unwrap_or_default() {
                roles.add(&node);
                if matches!(node, NodeEnum::DoStmt(_)) {
                    roles.in_blocks.extend(created_in(&text[range]));
                }
            }
        }
        roles
    }

    fn add(&mut self, node: &NodeEnum) {
        // Neither needs a role to be there that nothing else mentions.
        if matches!(node, NodeEnum::DropRoleStmt(_)) {
            return;
        }
        if let NodeEnum::CreateRoleStmt(create) = node {
            self.created.insert(create.role.clone());
        }
        if let NodeEnum::GrantRoleStmt(grant) = node {
            let granted = grant.granted_roles.iter().filter_map(|role| {
                let Some(NodeEnum::AccessPriv(role)) = &role.node else {
                    return None;
                };
                Some(role.priv_name.clone())
            });
            self.named.extend(granted);
        }
        if let NodeEnum::VariableSetStmt(set) = node
            && matches!(set.name.as_str(), "role" | "session_authorization")
            && let Some(role) = set.args.iter().find_map(text_of)
            && role != "none"
        {
            self.named.insert(role);
        }
        if let NodeEnum::CommentStmt(comment) = node
            && comment.objtype() == ObjectType::ObjectRole
        {
            self.named
                .extend(comment.object.as_deref().and_then(text_of));
        }
        if let NodeEnum::RenameStmt(rename) = node
            && rename.rename_type() == ObjectType::ObjectRole
        {
            self.named.insert(rename.subname.clone());
        }
        // Every other role stands in a RoleSpec, wherever a statement has one.
        if let Ok(tree) = serde_json::to_value(node) {
            each_object(&tree, &mut |fields| {
                if let (Some(_), Some(Value::String(name))) =
                    (fields.get("roletype"), fields.get("rolename"))
                    && !name.is_empty()
                {
                    self.named.insert(name.clone());
                }
            });
        }
    }
}

/// The roles that a block in PL/pgSQL creates.
fn created_in(block: &str) -> Vec<String> {
    let mut queries = Vec::new();
    if let Ok(tree) = pg_query::parse_plpgsql(block) {
        each_object(&tree, &mut |fields| {
            if let Some(Value::String(query)) = fields.get("query") {
                queries.push(query.clone());
            }
        });
    }
    let nodes = queries
        .iter()
        .flat_map(|query| statements(query).unwrap_or_default());
    let roles = nodes.filter_map(|(_, node)| {
        let NodeEnum::CreateRoleStmt(create) = node else {
            return None;
        };
        Some(create.role)
    });
    roles.collect()
}

/// The namespaces that texts make.
pub(crate) fn namespaces<'a>(texts: impl IntoIterator<Item = &'a str>) -> BTreeSet<String> {
    let nodes = texts
        .into_iter()
        .flat_map(|text| statements(text).unwrap_or_default());
    let named = nodes.filter_map(|(_, node)| {
        let NodeEnum::CreateSchemaStmt(create) = node else {
            return None;
        };
        let role = create.authrole.map(|role| role.rolename);
        Some(create.schemaname)
            .filter(|name| !name.is_empty())
            .or(role)
    });
    named.collect()
}

/// The tablespaces that texts make, or put something into.
pub(crate) fn tablespaces<'a>(texts: impl IntoIterator<Item = &'a str>) -> BTreeSet<String> {
    let nodes = texts
        .into_iter()
        .flat_map(|text| statements(text).unwrap_or_default());
    let mut names = BTreeSet::new();
    for (_, node) in nodes {
        if let NodeEnum::AlterTableStmt(alter) = &node {
            let commands = alter.cmds.iter().filter_map(|command| match &command.node {
                Some(NodeEnum::AlterTableCmd(command))
                    if command.subtype() == AlterTableType::AtSetTableSpace =>
                {
                    Some(command.name.clone())
                }
                Some(_) | None => None,
            });
            names.extend(commands);
        }
        if let NodeEnum::VariableSetStmt(set) = &node
            && set.name == "default_tablespace"
        {
            names.extend(set.args.iter().find_map(text_of));
        }
        if !is_about_tablespaces(&node) || matches!(node, NodeEnum::CreateTableSpaceStmt(_)) {
            let tree = serde_json::to_value(&node).unwrap_or_default();
            each_object(&tree, &mut |fields| {
                for (field, value) in fields {
                    if let Value::String(name) = value
                        && TABLESPACES.contains(&field.as_str())
                    {
                        names.insert(name.clone());
                    }
                }
            });
        }
    }
    names.retain(|name| !name.is_empty() && !name.starts_with("pg_"));
    names
}

/// The fields of a statement that hold the name of a tablespace.
const TABLESPACES: [&str; 6] = [
    "tablespacename",
    "table_space",
    "table_space_name",
    "indexspace",
    "orig_tablespacename",
    "new_tablespacename",
];

/// True if a statement is about a tablespace, a place on the disks of a whole server.
fn is_about_tablespaces(node: &NodeEnum) -> bool {
    let is_named = matches!(
        node,
        NodeEnum::CreateTableSpaceStmt(_)
            | NodeEnum::DropTableSpaceStmt(_)
            | NodeEnum::AlterTableSpaceOptionsStmt(_)
    );
    let of = |object: ObjectType| object == ObjectType::ObjectTablespace;
    is_named
        || matches!(node, NodeEnum::RenameStmt(rename) if of(rename.rename_type()))
        || matches!(node, NodeEnum::AlterOwnerStmt(alter) if of(alter.object_type()))
        || matches!(node, NodeEnum::CommentStmt(comment) if of(comment.objtype()))
        || matches!(node, NodeEnum::SecLabelStmt(label) if of(label.objtype()))
        || matches!(node, NodeEnum::GrantStmt(grant) if of(grant.objtype()))
}

/// Shows every object of a tree, the outer before those in it.
fn each_object(tree: &Value, see: &mut impl FnMut(&Map<String, Value>)) {
    match tree {
        Value::Object(fields) => {
            see(fields);
            for value in fields.values() {
                each_object(value, see);
            }
        }
        Value::Array(items) => {
            for value in items {
                each_object(value, see);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn text_of(node: &Node) -> Option<String> {
    match &node.node {
        Some(NodeEnum::String(text)) => Some(text.sval.clone()),
        Some(NodeEnum::AConst(constant)) => match &constant.val {
            Some(pg_query::protobuf::a_const::Val::Sval(text)) => Some(text.sval.clone()),
            Some(_) | None => None,
        },
        Some(NodeEnum::RoleSpec(role)) if !role.rolename.is_empty() => Some(role.rolename.clone()),
        Some(_) | None => None,
    }
}

/// The text as it runs in the scratch database of this name: what it says about the database it says about that one, and its
/// statements about roles leave those as other databases on the server need them.
pub(crate) fn fitted(sql: &str, database: &str, owner: Owner) -> String {
    let mut fitted = sql.to_owned();
    // From the end, so that the places before it stay where they are.
    for (range, node) in statements(sql).unwrap_or_default().into_iter().rev() {
        let whole = &sql[range.clone()];
        let statement = without_comments(whole);
        if let Some(mut instead) = replaced(&node, statement, database, owner) {
            let lines = |text: &str| text.matches('\n').count();
            let missing = lines(statement).saturating_sub(lines(&instead));
            instead.push_str(&"\n".repeat(missing));
            fitted.replace_range(range.end - statement.len()..range.end, &instead);
        }
    }
    fitted
}

/// Stands where a statement is left out.
const NOTHING: &str = "SELECT";

fn replaced(node: &NodeEnum, statement: &str, database: &str, owner: Owner) -> Option<String> {
    if let Some(about) = about_database(node, database) {
        return Some(match about {
            About::Scratch(node) => node.deparse(DeparseOptions::default()).ok()?,
            About::Server => NOTHING.to_owned(),
        });
    }
    // On a server of our own they are there, in its folder; nobody else's has a place for them.
    if is_about_tablespaces(node) {
        return Some(NOTHING.to_owned());
    }
    match owner {
        Owner::Us => shared(node, statement),
        Owner::Others => is_about_roles(node).then(|| NOTHING.to_owned()),
    }
}

/// A statement about roles on a server whose roles several replays make and need.
fn shared(node: &NodeEnum, statement: &str) -> Option<String> {
    if let NodeEnum::DropRoleStmt(drop) = node {
        let roles = drop.roles.iter().filter_map(text_of);
        return Some(dropped(roles, drop.missing_ok));
    }
    // A replay before this one may have made it, and it cannot go while that one's database is there.
    let makes = matches!(node, NodeEnum::CreateRoleStmt(_)) || renames_role(node);
    makes.then(|| guarded(statement, "duplicate_object"))
}

fn renames_role(node: &NodeEnum) -> bool {
    matches!(node, NodeEnum::RenameStmt(rename) if rename.rename_type() == ObjectType::ObjectRole)
}

/// True if a statement is about roles, all that they own, or the server: what it does is no part of a database's schema.
fn is_about_roles(node: &NodeEnum) -> bool {
    let is_named = matches!(
        node,
        NodeEnum::CreateRoleStmt(_)
            | NodeEnum::AlterRoleStmt(_)
            | NodeEnum::AlterRoleSetStmt(_)
            | NodeEnum::DropRoleStmt(_)
            | NodeEnum::GrantRoleStmt(_)
            // Both reach databases and tablespaces of the whole server.
            | NodeEnum::DropOwnedStmt(_)
            | NodeEnum::ReassignOwnedStmt(_)
            | NodeEnum::AlterSystemStmt(_)
    );
    let is_comment = matches!(node, NodeEnum::CommentStmt(comment) if comment.objtype() == ObjectType::ObjectRole);
    let is_label =
        matches!(node, NodeEnum::SecLabelStmt(label) if label.objtype() == ObjectType::ObjectRole);
    is_named || is_comment || is_label || renames_role(node)
}

/// A statement about a database.
enum About {
    /// The same about the scratch database.
    Scratch(Box<NodeEnum>),
    /// Its owner, its name, its limits and its being there are facts about the server.
    Server,
}

fn about_database(node: &NodeEnum, database: &str) -> Option<About> {
    let name = || Node {
        node: Some(NodeEnum::String(pg_query::protobuf::String {
            sval: database.to_owned(),
        })),
    };
    if let NodeEnum::AlterDatabaseSetStmt(set) = node {
        let mut set = set.clone();
        database.clone_into(&mut set.dbname);
        return Some(About::Scratch(Box::new(NodeEnum::AlterDatabaseSetStmt(
            set,
        ))));
    }
    if let NodeEnum::AlterRoleSetStmt(set) = node {
        let mut set = set.clone();
        (!set.database.is_empty()).then_some(())?;
        database.clone_into(&mut set.database);
        return Some(About::Scratch(Box::new(NodeEnum::AlterRoleSetStmt(set))));
    }
    if let NodeEnum::GrantStmt(grant) = node {
        (grant.objtype() == ObjectType::ObjectDatabase).then_some(())?;
        let mut grant = grant.clone();
        grant.objects = vec![name()];
        return Some(About::Scratch(Box::new(NodeEnum::GrantStmt(grant))));
    }
    if let NodeEnum::CommentStmt(comment) = node {
        (comment.objtype() == ObjectType::ObjectDatabase).then_some(())?;
        let mut comment = comment.clone();
        comment.object = Some(Box::new(name()));
        return Some(About::Scratch(Box::new(NodeEnum::CommentStmt(comment))));
    }
    let object = if let NodeEnum::AlterOwnerStmt(alter) = node {
        Some(alter.object_type())
    } else if let NodeEnum::RenameStmt(rename) = node {
        Some(rename.rename_type())
    } else if let NodeEnum::SecLabelStmt(label) = node {
        Some(label.objtype())
    } else {
        None
    };
    let is_whole = matches!(
        node,
        NodeEnum::AlterDatabaseStmt(_)
            | NodeEnum::AlterDatabaseRefreshCollStmt(_)
            | NodeEnum::CreatedbStmt(_)
            | NodeEnum::DropdbStmt(_)
    );
    (is_whole || object == Some(ObjectType::ObjectDatabase)).then_some(About::Server)
}

/// Runs the statement, unless it fails for this one reason.
fn guarded(statement: &str, condition: &str) -> String {
    // A comment at its end would swallow the semicolon.
    let end = if statement.contains("--") { "\n" } else { "" };
    let block = format!("BEGIN {statement}{end}; EXCEPTION WHEN {condition} THEN NULL; END");
    format!("DO {}", literal(&block))
}

/// Drops roles as Postgres would if this database were alone on the server: one that another replay needs stays.
fn dropped(roles: impl Iterator<Item = String>, missing_ok: bool) -> String {
    let mut block = "BEGIN ".to_owned();
    for role in roles {
        let (name, text) = (quoted_ident(&role), literal(&role));
        let missing = if missing_ok {
            "NULL;".to_owned()
        } else {
            format!(
                "RAISE undefined_object USING MESSAGE = pg_catalog.format('role \"%s\" does not exist', {text});"
            )
        };
        block += &format!(
            "IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = {text}) THEN {missing} \
             ELSIF EXISTS (SELECT FROM pg_catalog.pg_shdepend d JOIN pg_catalog.pg_roles r ON r.oid = d.refobjid \
                 WHERE d.refclassid = 'pg_catalog.pg_authid'::pg_catalog.regclass AND r.rolname = {text} AND d.dbid = \
                     (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())) \
             THEN RAISE dependent_objects_still_exist USING MESSAGE = \
                 pg_catalog.format('role \"%s\" cannot be dropped because some objects depend on it', {text}); \
             ELSE BEGIN DROP ROLE {name}; EXCEPTION WHEN dependent_objects_still_exist THEN NULL; END; END IF; "
        );
    }
    format!("DO {}", literal(&(block + "END")))
}

/// The top-level statements of a text and their places, or nothing where our parser does not know it.
fn statements(sql: &str) -> Option<Vec<(Range<usize>, NodeEnum)>> {
    let parsed = pg_query::parse(sql, ParserOptions::default()).ok()?;
    let mut found = Vec::new();
    for raw in parsed.protobuf.stmts {
        let start = usize::try_from(raw.stmt_location).ok()?;
        let length = usize::try_from(raw.stmt_len).ok()?;
        // The last one may go up to the end.
        let end = if length == 0 {
            sql.len()
        } else {
            start + length
        };
        found.push((start..end, raw.stmt?.node?));
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_are_found_wherever_they_stand() {
        let roles = Roles::of([
            "GRANT SELECT ON t TO app_rw, PUBLIC, CURRENT_USER; GRANT parent TO child;",
            "CREATE ROLE mine IN ROLE above; ALTER TABLE t OWNER TO owner; CREATE SCHEMA s AUTHORIZATION auth;",
            "CREATE POLICY p ON t TO reader; ALTER DEFAULT PRIVILEGES FOR ROLE maker GRANT SELECT ON TABLES TO taker;",
            "SET ROLE acting; COMMENT ON ROLE told IS 'x'; DROP ROLE gone; REASSIGN OWNED BY one TO two;",
            "no SQL",
        ]);
        let named: Vec<&str> = roles.named.iter().map(String::as_str).collect();
        let all = "above acting app_rw auth child maker one owner parent reader taker told two";
        assert_eq!(named.join(" "), all);
        assert_eq!(roles.created, BTreeSet::from(["mine".to_owned()]));
        let roles = Roles::of([
            "DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'a') THEN CREATE ROLE a; END IF; END $$;
             DO $$ BEGIN CREATE USER b LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$;
             DO $$ BEGIN EXECUTE 'CREATE ROLE c'; END $$;",
        ]);
        let in_blocks: Vec<&str> = roles.in_blocks.iter().map(String::as_str).collect();
        assert_eq!(in_blocks, ["a", "b"]);
        assert!(roles.created.is_empty());
    }

    #[test]
    fn tablespaces_are_found_wherever_they_stand() {
        let found = tablespaces([
            "CREATE TABLESPACE a LOCATION '/a'; CREATE TABLE t (n int PRIMARY KEY USING INDEX TABLESPACE b) TABLESPACE c;",
            "ALTER TABLE t SET TABLESPACE d; ALTER INDEX i SET TABLESPACE e; CREATE INDEX ON t (n) TABLESPACE f;",
            "CREATE MATERIALIZED VIEW m TABLESPACE g AS SELECT 1; SET default_tablespace = h;",
            "ALTER TABLE ALL IN TABLESPACE i SET TABLESPACE pg_default; DROP TABLESPACE gone; COMMENT ON TABLESPACE no IS 'x';",
        ]);
        let found: Vec<&str> = found.iter().map(String::as_str).collect();
        assert_eq!(found.join(" "), "a b c d e f g h i");
        let left = fitted(
            "CREATE TABLESPACE a LOCATION '/a'; GRANT CREATE ON TABLESPACE a TO PUBLIC; ALTER TABLE t SET TABLESPACE a;",
            "d",
            Owner::Us,
        );
        assert_eq!(left, "SELECT; SELECT; ALTER TABLE t SET TABLESPACE a;");
    }

    #[test]
    fn statements_about_the_database_name_the_scratch() {
        let fit = |sql| fitted(sql, "scratch_1", Owner::Us);
        assert_eq!(
            fit("-- one\nALTER DATABASE shop\n  SET search_path TO app, public;\nSELECT 1;"),
            "-- one\nALTER DATABASE scratch_1 SET search_path TO app, public\n;\nSELECT 1;"
        );
        assert_eq!(
            fit("GRANT CONNECT ON DATABASE shop, other TO app_rw"),
            "GRANT connect ON DATABASE scratch_1 TO app_rw"
        );
        assert_eq!(
            fit("COMMENT ON DATABASE shop IS 'it''s'; ALTER DATABASE shop RENAME TO x;"),
            "COMMENT ON DATABASE scratch_1 IS 'it''s'; SELECT;"
        );
        assert_eq!(
            fit("SELECT 'ALTER DATABASE shop'"),
            "SELECT 'ALTER DATABASE shop'"
        );
    }

    #[test]
    fn roles_of_others_are_left_alone() {
        let all = "CREATE ROLE a; ALTER ROLE a SET x.y = 1; GRANT a TO b; DROP ROLE a; GRANT SELECT ON t TO a;";
        assert_eq!(
            fitted(all, "d", Owner::Others).replace(' ', ""),
            "SELECT;SELECT;SELECT;SELECT;GRANTSELECTONtTOa;"
        );
        let own = fitted("CREATE ROLE \"o'k\" PASSWORD 'a\\b'\n;", "d", Owner::Us);
        assert!(own.starts_with("DO E'BEGIN"), "{own}");
        assert_eq!(own.matches('\n').count(), 1, "{own}");
    }
}
