//! Reads the names out of SQL, as Postgres' own parser takes it apart.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::names::{Key, Names, Row, Thing};

/// Something named, and where.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Found {
    pub(super) line: Option<usize>,
    /// The line of the statement around it.
    pub(super) begins: Option<usize>,
    pub(super) thing: Thing,
}

/// Collects what the body of one function names.
pub(super) struct Reader<'a> {
    names: &'a Names,
    path: &'a [String],
    /// The tables whose rows are NEW and OLD.
    triggers: Vec<Key>,
    /// The relations whose rows variables and parameters are; `$1` is the first parameter.
    variables: BTreeMap<String, BTreeSet<Key>>,
    found: BTreeSet<Found>,
    /// The relations that the function names.
    relations: BTreeSet<Key>,
    /// Fields of what is no relation: of a record, which may be a row of any relation that the function names.
    fields: Vec<(String, Option<usize>, Option<usize>)>,
    text: String,
    /// The line on which the text begins.
    begins: Option<usize>,
}

/// The sources that an unqualified name may refer to, innermost first.
struct Visible<'s> {
    outer: Option<&'s Visible<'s>>,
    queries: Vec<String>,
    sources: Vec<Source>,
}

/// Something in a FROM.
struct Source {
    alias: String,
    /// The relation; `None` for a query or function.
    relation: Option<Key>,
}

/// Functions that take the name of a relation.
const TAKE_NAMES: [&str; 5] = [
    "nextval",
    "currval",
    "setval",
    "pg_get_serial_sequence",
    "to_regclass",
];

type Object = Map<String, Value>;

impl<'a> Reader<'a> {
    pub(super) fn new(names: &'a Names, path: &'a [String], triggers: Vec<Key>) -> Self {
        Self {
            names,
            path,
            triggers,
            variables: BTreeMap::new(),
            found: BTreeSet::new(),
            relations: BTreeSet::new(),
            fields: Vec::new(),
            text: String::new(),
            begins: None,
        }
    }

    /// Says that a variable is a row of a relation. A block within another may declare the name anew, so it may be of several.
    pub(super) fn declare(&mut self, name: &str, relation: Key) {
        if self.names.is_ours(&relation) {
            self.relations.insert(relation.clone());
        }
        let of = self.variables.entry(name.to_owned()).or_default();
        of.insert(relation);
    }

    /// Declares a parameter, which has a place, and may have a name.
    pub(super) fn parameter(&mut self, place: usize, name: &str, type_oid: i64) {
        if let Some(row) = self.names.row(type_oid) {
            self.declare(&format!("${place}"), row.relation.clone());
            if !name.is_empty() {
                self.declare(name, row.relation);
            }
        }
    }

    /// The relations whose rows a variable is.
    pub(super) fn variable(&self, name: &str) -> Vec<Key> {
        self.variables
            .get(name)
            .into_iter()
            .flatten()
            .cloned()
            .collect()
    }

    /// The rows of a type, or of the relation of this name.
    pub(super) fn row_named(&self, names: &[String]) -> Option<Row> {
        let (name, before) = names.split_last()?;
        let namespace = before.last().map_or("", String::as_str);
        self.names.row_named(namespace, name, self.path)
    }

    /// The rows that a column of a relation holds.
    pub(super) fn row_in(&self, relation: &[String], column: &str) -> Option<Row> {
        let (name, before) = relation.split_last()?;
        let namespace = before.last().map_or("", String::as_str);
        let key = self.names.relation(namespace, name, self.path)?;
        self.names.row_in(&key, column)
    }

    /// Notes that a statement sets a field of a variable.
    pub(super) fn set(&mut self, variable: &str, field: &str, line: Option<usize>) {
        self.text.clear();
        self.begins = line;
        self.column(Some(variable), field, &Visible::none(), 0);
    }

    /// Notes that a statement fills a variable, which takes every column of the relation whose row it is.
    pub(super) fn filled(&mut self, variable: &str, line: Option<usize>) {
        for key in self.variable(variable) {
            self.found.insert(Found {
                line,
                begins: line,
                thing: Thing::Every(key),
            });
        }
    }

    /// Reads statements, or what PL/pgSQL takes for an expression or an assignment. `begins` is the line of the text.
    pub(super) fn read(
        &mut self,
        text: &str,
        mode: i32,
        begins: Option<usize>,
    ) -> Result<(), String> {
        let tree = parsed(text, mode)?;
        text.clone_into(&mut self.text);
        self.begins = begins;
        self.walk(&tree, &Visible::none(), 0);
        Ok(())
    }

    /// Reads SQL that an expression gives: what it is where that is a constant, else that nobody knows.
    pub(super) fn computed(
        &mut self,
        text: &str,
        mode: i32,
        begins: Option<usize>,
    ) -> Result<(), String> {
        let tree = parsed(text, mode)?;
        let targets =
            tree.pointer("/stmts/0/stmt/node/SelectStmt/target_list/0/node/ResTarget/val");
        let constant = targets.and_then(|value| value.pointer("/node/AConst"));
        if let Some(sql) = constant.and_then(constant_text) {
            return self.read(sql, 0, begins);
        }
        let why = "it runs SQL that it puts together, which was not looked into";
        self.unknown(begins, why);
        self.read(text, mode, begins)
    }

    pub(super) fn unknown(&mut self, line: Option<usize>, why: &str) {
        self.found.insert(Found {
            line,
            begins: line,
            thing: Thing::Unknown(why.to_owned()),
        });
    }

    /// The findings, in the order of the lines.
    pub(super) fn finish(mut self) -> Vec<Found> {
        let relations: Vec<Key> = self
            .relations
            .iter()
            .chain(&self.triggers)
            .cloned()
            .collect();
        for (column, line, begins) in std::mem::take(&mut self.fields) {
            for relation in &relations {
                if self.names.has_column(relation, &column) {
                    let thing = Thing::Column(relation.clone(), column.clone());
                    self.found.insert(Found {
                        line,
                        begins,
                        thing,
                    });
                }
            }
        }
        self.found.into_iter().collect()
    }

    fn note(&mut self, thing: Thing, at: usize) {
        let line = self.line(at);
        let begins = self.begins;
        self.found.insert(Found {
            line,
            begins,
            thing,
        });
    }

    fn line(&self, at: usize) -> Option<usize> {
        let before = self.text.get(..at).unwrap_or_default();
        Some(self.begins? + before.matches('\n').count())
    }

    fn walk(&mut self, value: &Value, scope: &Visible<'_>, at: usize) {
        match value {
            Value::Array(all) => all.iter().for_each(|one| self.walk(one, scope, at)),
            Value::Object(object) => {
                let at = place(object).unwrap_or(at);
                for (key, child) in object {
                    self.node(key, child, scope, at);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    fn node(&mut self, key: &str, value: &Value, scope: &Visible<'_>, at: usize) {
        let Value::Object(object) = value else {
            return self.walk(value, scope, at);
        };
        let at = place(object).unwrap_or(at);
        match key {
            "SelectStmt" | "InsertStmt" | "UpdateStmt" | "DeleteStmt" | "MergeStmt" => {
                self.statement(object, scope, at);
            }
            "ColumnRef" => self.column_ref(object, scope, at),
            "AIndirection" => {
                let rows = self.rows(value.pointer("/arg/node"), scope);
                self.fields_of(rows, object.get("indirection"), at);
                self.walk(value, scope, at);
            }
            "PlassignStmt" => {
                self.assigned(object, at);
                self.walk(value, scope, at);
            }
            "AConst" => {
                if let Some(label) = constant_text(value) {
                    for of in self.names.labelled(label) {
                        self.note(Thing::Label(of, label.to_owned()), at);
                    }
                }
            }
            "FuncCall" => {
                let name = strings(object.get("funcname")).pop();
                if name.is_some_and(|name| TAKE_NAMES.contains(&name.as_str()))
                    && let Some(first) = value.pointer("/args/0/node")
                {
                    self.relation_in(first, scope, at);
                }
                self.walk(value, scope, at);
            }
            "TypeCast" => {
                let to = object.get("type_name").and_then(|to| to.get("names"));
                if strings(to).pop().is_some_and(|name| name == "regclass")
                    && let Some(arg) = value.pointer("/arg/node")
                {
                    self.relation_in(arg, scope, at);
                }
                self.walk(value, scope, at);
            }
            "JoinExpr" => {
                for name in strings(object.get("using_clause")) {
                    self.column(None, &name, scope, at);
                }
                self.walk(value, scope, at);
            }
            // If the grammar allows only one kind of node at a place, the tree does not name the kind.
            _ if is_select(object) => self.statement(object, scope, at),
            _ if is_range_var(object) => {
                self.range_var(object, scope, at);
            }
            _ if object.contains_key("pct_type") => self.type_name(object, at),
            _ => self.walk(value, scope, at),
        }
    }

    /// A statement with sources of its own.
    fn statement(&mut self, object: &Object, outer: &Visible<'_>, at: usize) {
        let mut scope = Visible {
            outer: Some(outer),
            queries: Vec::new(),
            sources: Vec::new(),
        };
        let with = object.get("with_clause").filter(|with| with.is_object());
        let queries = with
            .and_then(|with| with.get("ctes"))
            .and_then(Value::as_array);
        let queries: Vec<&Value> = queries.into_iter().flatten().collect();
        let query = |one: &Value| one.pointer("/node/CommonTableExpr").cloned();
        let named = |one: &Value| query(one).map(|one| text(one.get("ctename")));
        if with.and_then(|with| with.get("recursive")) == Some(&Value::Bool(true)) {
            scope.queries = queries.iter().filter_map(|one| named(one)).collect();
        }
        for one in queries {
            self.walk(one, &scope, at);
            scope.queries.extend(named(one));
        }
        let mut sources = Vec::new();
        for key in ["relation", "from_clause", "using_clause", "source_relation"] {
            if let Some(value) = object.get(key) {
                self.sources(value, &scope, at, &mut sources);
            }
        }
        let target = object.get("relation").filter(|one| one.is_object());
        let target = target.and_then(|_| sources.first()?.relation.clone());
        if target.is_some() {
            sources.push(Source {
                alias: "excluded".to_owned(),
                relation: target.clone(),
            });
        }
        scope.sources = sources;
        if let Some(target) = target {
            self.targets(object, &target, at);
        }
        for (key, child) in object.iter().filter(|(key, _)| *key != "with_clause") {
            self.node(key, child, &scope, at);
        }
    }

    /// The columns that a statement writes by their names alone.
    fn targets(&mut self, object: &Object, target: &Key, at: usize) {
        let written = |value: Option<&Value>| targets(value);
        let insert = object
            .get("cols")
            .map(|cols| (cols, object.get("select_stmt")));
        let mut names = match insert {
            Some((Value::Array(cols), Some(values))) if cols.is_empty() && !values.is_null() => {
                self.note(Thing::Every(target.clone()), at);
                Vec::new()
            }
            Some((cols, _)) => written(Some(cols)),
            None => written(object.get("target_list")),
        };
        if let Some(conflict) = object.get("on_conflict_clause") {
            names.extend(written(conflict.get("target_list")));
            let elements = conflict
                .pointer("/infer/index_elems")
                .and_then(Value::as_array);
            for element in elements.into_iter().flatten() {
                let element = element.pointer("/node/IndexElem");
                names.extend(element.map(|one| (text(one.get("name")), None)));
            }
        }
        let whens = object.get("merge_when_clauses").and_then(Value::as_array);
        for when in whens.into_iter().flatten() {
            let when = when.pointer("/node/MergeWhenClause");
            names.extend(written(when.and_then(|when| when.get("target_list"))));
        }
        for (name, place) in names {
            if self.names.has_column(target, &name) {
                let thing = Thing::Column(target.clone(), name);
                self.note(thing, place.unwrap_or(at));
            }
        }
    }

    /// The items of a FROM, without those of its subqueries.
    fn sources(&mut self, value: &Value, scope: &Visible<'_>, at: usize, into: &mut Vec<Source>) {
        match value {
            Value::Array(all) => all
                .iter()
                .for_each(|one| self.sources(one, scope, at, into)),
            Value::Object(object) if is_range_var(object) => {
                let at = place(object).unwrap_or(at);
                let relation = self.range_var(object, scope, at);
                let alias = object.get("alias").and_then(|alias| alias.get("aliasname"));
                let alias = match text(alias) {
                    none if none.is_empty() => text(object.get("relname")),
                    alias => alias,
                };
                into.push(Source { alias, relation });
            }
            Value::Object(object) => {
                for (key, child) in object {
                    match key.as_str() {
                        "RangeFunction" => {
                            let source = self.range_function(child);
                            into.push(source);
                        }
                        "RangeSubselect" | "RangeTableFunc" | "JsonTable" => {
                            let alias = child.get("alias").and_then(|alias| alias.get("aliasname"));
                            into.push(Source {
                                alias: text(alias),
                                relation: None,
                            });
                        }
                        "quals" | "using_clause" => {}
                        _ => self.sources(child, scope, at, into),
                    }
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    /// A function in a FROM, which may give rows of a relation.
    fn range_function(&mut self, value: &Value) -> Source {
        let call = value.pointer("/functions/0/node/List/items/0/node/FuncCall");
        let mut name = strings(call.and_then(|call| call.get("funcname")));
        let rows = self.returned(&name);
        let alias = value.get("alias").filter(|alias| alias.is_object());
        let columns = alias.and_then(|alias| alias.get("colnames"));
        let is_renamed = columns
            .and_then(Value::as_array)
            .is_some_and(|all| !all.is_empty());
        let alias = alias.map(|alias| text(alias.get("aliasname")));
        let mut rows = rows.into_iter().filter(|_| !is_renamed);
        let relation = rows.next().filter(|_| rows.next().is_none());
        if let Some(relation) = &relation {
            self.relations.insert(relation.clone());
        }
        Source {
            alias: alias.or_else(|| name.pop()).unwrap_or_default(),
            relation,
        }
    }

    fn returned(&self, function: &[String]) -> Vec<Key> {
        let Some((name, before)) = function.split_last() else {
            return Vec::new();
        };
        let namespace = before.last().map_or("", String::as_str);
        let mut rows = self.names.returned(namespace, name, self.path);
        rows.retain(|key| self.names.is_ours(key));
        rows
    }

    /// The relations whose rows an expression gives.
    fn rows(&self, node: Option<&Value>, scope: &Visible<'_>) -> Vec<Key> {
        let Some(node) = node else { return Vec::new() };
        if let Some(reference) = node.get("ColumnRef") {
            let names = strings(reference.get("fields"));
            let Some((first, rest)) = names.split_first() else {
                return Vec::new();
            };
            let mut rows = self.rows_called(first, scope);
            if rows.is_empty() && rest.is_empty() {
                let inside = scope.relations();
                rows.extend(inside.filter_map(|key| Some(self.names.row_in(key, first)?.relation)));
            }
            for name in rest {
                rows = self.rows_within(&rows, name);
            }
            return rows;
        }
        if let Some(number) = node.pointer("/ParamRef/number").and_then(Value::as_i64) {
            return self.variable(&format!("${number}"));
        }
        if let Some(call) = node.get("FuncCall") {
            return self.returned(&strings(call.get("funcname")));
        }
        if let Some(to) = node.pointer("/TypeCast/type_name") {
            let row = self.row_named(&strings(to.get("names")));
            return row.into_iter().map(|row| row.relation).collect();
        }
        let Some(within) = node.get("AIndirection") else {
            return Vec::new();
        };
        let mut rows = self.rows(within.pointer("/arg/node"), scope);
        for name in strings(within.get("indirection")) {
            rows = self.rows_within(&rows, &name);
        }
        rows
    }

    /// The relations whose rows are called so: by a FROM, in a trigger, or as a variable.
    fn rows_called(&self, name: &str, scope: &Visible<'_>) -> Vec<Key> {
        if let Some(source) = scope.source(name) {
            return source.relation.iter().cloned().collect();
        }
        if !self.triggers.is_empty() && matches!(name, "new" | "old") {
            return self.triggers.clone();
        }
        self.variable(name)
    }

    fn rows_within(&self, rows: &[Key], column: &str) -> Vec<Key> {
        let inside = rows.iter().filter_map(|key| self.names.row_in(key, column));
        inside.map(|row| row.relation).collect()
    }

    /// Fields of rows, each within the one before it.
    fn fields_of(&mut self, mut rows: Vec<Key>, fields: Option<&Value>, at: usize) {
        let every = fields.and_then(Value::as_array).into_iter().flatten();
        for field in every {
            if field.pointer("/node/AStar").is_some() {
                for key in std::mem::take(&mut rows) {
                    self.note(Thing::Every(key), at);
                }
            }
            let Some(name) = field.pointer("/node/String/sval").and_then(Value::as_str) else {
                continue;
            };
            if rows.is_empty() {
                let place = (name.to_owned(), self.line(at), self.begins);
                self.fields.push(place);
                return;
            }
            self.columns_of(&rows, name, at);
            rows = self.rows_within(&rows, name);
            if rows.is_empty() {
                return;
            }
        }
    }

    fn columns_of(&mut self, rows: &[Key], name: &str, at: usize) {
        for key in rows {
            if self.names.has_column(key, name) {
                self.note(Thing::Column(key.clone(), name.to_owned()), at);
            }
        }
    }

    fn range_var(&mut self, object: &Object, scope: &Visible<'_>, at: usize) -> Option<Key> {
        let (namespace, name) = (text(object.get("schemaname")), text(object.get("relname")));
        if namespace.is_empty() && scope.has_query(&name) {
            return None;
        }
        let key = self.names.relation(&namespace, &name, self.path)?;
        if self.names.is_ours(&key) {
            self.relations.insert(key.clone());
            self.note(Thing::Relation(key.clone()), at);
        }
        Some(key)
    }

    /// The relation whose name stands in a constant.
    fn relation_in(&mut self, node: &Value, scope: &Visible<'_>, at: usize) {
        let constant = node
            .get("AConst")
            .or_else(|| node.pointer("/TypeCast/arg/node/AConst"));
        let Some(name) = constant.and_then(constant_text) else {
            return;
        };
        // A name in a string is written like one in a statement.
        let Ok(tree) = parsed(&format!("TABLE {name}"), 0) else {
            return;
        };
        let from = tree.pointer("/stmts/0/stmt/node/SelectStmt/from_clause/0/node/RangeVar");
        if let Some(Value::Object(object)) = from {
            self.range_var(object, scope, at);
        }
    }

    fn type_name(&mut self, object: &Object, at: usize) {
        let mut names = strings(object.get("names"));
        let Some(name) = names.pop() else { return };
        if object.get("pct_type") == Some(&Value::Bool(true)) {
            let Some(relation) = names.pop() else { return };
            let namespace = names.pop().unwrap_or_default();
            if let Some(key) = self.names.relation(&namespace, &relation, self.path) {
                self.note(Thing::Column(key, name), at);
            }
            return;
        }
        let namespace = names.pop().unwrap_or_default();
        if let Some(key) = self.names.data_type(&namespace, &name, self.path) {
            self.note(Thing::Type(key), at);
        }
    }

    fn column_ref(&mut self, object: &Object, scope: &Visible<'_>, at: usize) {
        let fields = object.get("fields").and_then(Value::as_array);
        let is_star = fields
            .and_then(|fields| fields.last()?.pointer("/node/AStar"))
            .is_some();
        let names = strings(object.get("fields"));
        match (names.as_slice(), is_star) {
            ([name], false) => self.column(None, name, scope, at),
            ([qualifier, name], false) => self.column(Some(qualifier), name, scope, at),
            ([namespace, relation, name], false) => {
                let key = self.names.relation(namespace, relation, self.path);
                match key.filter(|key| self.names.has_column(key, name)) {
                    Some(key) => self.note(Thing::Column(key, name.clone()), at),
                    None => self.qualified(&names, scope, at),
                }
            }
            (qualifiers, true) => {
                let every: Vec<Key> = match qualifiers.last() {
                    None => scope.relations().cloned().collect(),
                    Some(alias) => self.rows_called(alias, scope),
                };
                for key in every {
                    self.note(Thing::Every(key), at);
                }
            }
            (_, false) => self.qualified(&names, scope, at),
        }
    }

    /// Fields of a variable, within each other; before it may stand the name of the block or the function that declares it.
    fn qualified(&mut self, names: &[String], scope: &Visible<'_>, at: usize) {
        for start in [0, 1] {
            let Some((name, fields)) = names.get(start..).and_then(<[_]>::split_first) else {
                return;
            };
            let mut rows = self.rows_called(name, scope);
            if rows.is_empty() {
                continue;
            }
            for field in fields {
                self.columns_of(&rows, field, at);
                rows = self.rows_within(&rows, field);
            }
            return;
        }
    }

    fn column(&mut self, qualifier: Option<&str>, name: &str, scope: &Visible<'_>, at: usize) {
        let mut these: Vec<Key> = Vec::new();
        match qualifier {
            None => {
                let mut level = Some(scope);
                while let Some(one) = level.filter(|_| these.is_empty()) {
                    let relations = one
                        .relations()
                        .filter(|key| self.names.has_column(key, name));
                    these.extend(relations.cloned());
                    level = one.outer;
                }
            }
            Some(qualifier) => match scope.source(qualifier) {
                Some(source) => these.extend(source.relation.clone()),
                None if !self.triggers.is_empty() && matches!(qualifier, "new" | "old") => {
                    these.extend(self.triggers.iter().cloned());
                }
                None if self.variables.contains_key(qualifier) => {
                    these.extend(self.variable(qualifier));
                }
                None => {
                    let place = (name.to_owned(), self.line(at), self.begins);
                    self.fields.push(place);
                }
            },
        }
        for key in these {
            if self.names.has_column(&key, name) {
                self.note(Thing::Column(key, name.to_owned()), at);
            }
        }
    }

    /// The target of an assignment in PL/pgSQL.
    fn assigned(&mut self, object: &Object, at: usize) {
        let scope = Visible::none();
        let mut names = vec![text(object.get("name"))];
        names.extend(strings(object.get("indirection")));
        match names.as_slice() {
            [_] => {}
            [name, field] => self.column(Some(name), field, &scope, at),
            [name, field, ..] if self.rows_called(name, &scope).is_empty() => {
                self.column(Some(name), field, &scope, at);
                self.qualified(&names, &scope, at);
            }
            [..] => self.qualified(&names, &scope, at),
        }
    }
}

impl Visible<'_> {
    /// The one outside of all statements.
    fn none() -> Self {
        Self {
            outer: None,
            queries: Vec::new(),
            sources: Vec::new(),
        }
    }

    fn has_query(&self, name: &str) -> bool {
        self.queries.iter().any(|one| one == name)
            || self.outer.is_some_and(|outer| outer.has_query(name))
    }

    fn relations(&self) -> impl Iterator<Item = &Key> {
        self.sources
            .iter()
            .filter_map(|source| source.relation.as_ref())
    }

    fn source(&self, alias: &str) -> Option<&Source> {
        let own = self.sources.iter().find(|source| source.alias == alias);
        own.or_else(|| self.outer?.source(alias))
    }
}

fn parsed(text: &str, mode: i32) -> Result<Value, String> {
    let parsed = pg_query::parse(text, mode).map_err(|error| error.to_string())?;
    serde_json::to_value(&parsed.protobuf).map_err(|error| error.to_string())
}

/// The position of a node in its text.
fn place(object: &Object) -> Option<usize> {
    usize::try_from(object.get("location")?.as_i64()?).ok()
}

fn is_range_var(object: &Object) -> bool {
    object.contains_key("relpersistence")
}

fn is_select(object: &Object) -> bool {
    object.contains_key("distinct_clause")
}

fn text(value: Option<&Value>) -> String {
    value.and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// The texts in a list of names.
fn strings(value: Option<&Value>) -> Vec<String> {
    let all = value.and_then(Value::as_array).into_iter().flatten();
    all.filter_map(|one| Some(one.pointer("/node/String/sval")?.as_str()?.to_owned()))
        .collect()
}

/// The names to the left in `SET a = …`, or in a list of columns, each with its place.
fn targets(value: Option<&Value>) -> Vec<(String, Option<usize>)> {
    let all = value.and_then(Value::as_array).into_iter().flatten();
    all.filter_map(|one| one.pointer("/node/ResTarget")?.as_object())
        .map(|target| (text(target.get("name")), place(target)))
        .collect()
}

fn constant_text(constant: &Value) -> Option<&str> {
    constant.pointer("/val/Sval/sval")?.as_str()
}
