//! The statements and expressions in the body of a PL/pgSQL function, as PL/pgSQL's own parser takes it apart.

use diesel::{
    QueryableByName,
    sql_types::{Array, BigInt, Bool, Text},
};
use serde_json::Value;
use trueup::name::{literal, quoted_ident};

use super::{declared::Declared, tree::Reader};

/// The header of a function: everything that CREATE FUNCTION states before the body.
#[derive(QueryableByName, Clone)]
pub(super) struct Header {
    /// Its own name, by which the body may call its parameters.
    #[diesel(sql_type = Text)]
    own_name: String,
    /// `trigger`, `event_trigger`, `void`, or another type.
    #[diesel(sql_type = Text)]
    returns: String,
    #[diesel(sql_type = Bool)]
    returns_set: bool,
    #[diesel(sql_type = Bool)]
    is_procedure: bool,
    /// Empty for an argument without a name.
    #[diesel(sql_type = Array<Text>)]
    names: Vec<String>,
    /// `pg_proc.proargmodes`.
    #[diesel(sql_type = Array<Text>)]
    modes: Vec<String>,
    /// Which arguments are rows.
    #[diesel(sql_type = Array<Bool>)]
    rows: Vec<bool>,
    /// The types of the arguments, by their numbers in the catalog.
    #[diesel(sql_type = Array<BigInt>)]
    types: Vec<i64>,
}

/// `RAW_PARSE_PLPGSQL_EXPR` of Postgres.
const EXPRESSION: i32 = 2;

/// Variables that PL/pgSQL declares for a trigger function.
const OF_TRIGGER: &str = "new record, old record, tg_name text, tg_when text, tg_level text, tg_op text, tg_relid text, \
     tg_relname text, tg_table_name text, tg_table_schema text, tg_nargs text, tg_argv text";
/// And for an event trigger.
const OF_EVENT: &str = "tg_event text, tg_tag text";

impl Header {
    /// Declares the arguments that are rows of a relation.
    pub(super) fn declare(&self, reader: &mut Reader<'_>) {
        let is_in = |mode: &str| matches!(mode, "i" | "b" | "v");
        let mut place = 0;
        for ((name, mode), type_oid) in self.names.iter().zip(&self.modes).zip(&self.types) {
            // PL/pgSQL numbers all that a call gives; what comes out has its name alone.
            place += usize::from(is_in(mode));
            reader.parameter(place, name, *type_oid);
        }
    }

    /// A statement with the same body and a header that the parser takes, which knows no types but Postgres' own, and cannot
    /// write down what it declares for triggers.
    fn plain(&self, body: &str) -> String {
        let is_out = |mode: &str| matches!(mode, "o" | "b" | "t");
        let arguments = self.names.iter().zip(&self.modes).zip(&self.rows);
        let arguments = arguments.map(|((name, mode), row)| {
            let mode = match mode.as_str() {
                "o" | "t" => "OUT ",
                "b" => "INOUT ",
                _ => "",
            };
            let name = if name.is_empty() {
                String::new()
            } else {
                format!("{} ", quoted_ident(name))
            };
            let data_type = if *row { "record" } else { "text" };
            format!("{mode}{name}{data_type}")
        });
        let mut arguments = arguments.collect::<Vec<_>>().join(", ");
        let outs: Vec<bool> = self
            .modes
            .iter()
            .zip(&self.rows)
            .filter(|(mode, _)| is_out(mode))
            .map(|(_, row)| *row)
            .collect();
        let mut returns = match (outs.as_slice(), self.returns.as_str()) {
            ([], "void") => "void",
            ([false], _) => "text",
            ([] | [true] | [_, _, ..], _) => "record",
        };
        match self.returns.as_str() {
            "trigger" => OF_TRIGGER.clone_into(&mut arguments),
            "event_trigger" => {
                OF_EVENT.clone_into(&mut arguments);
                returns = "void";
            }
            _ => {}
        }
        let (kind, returns) = if self.is_procedure {
            ("PROCEDURE", String::new())
        } else {
            let set = if self.returns_set { "SETOF " } else { "" };
            ("FUNCTION", format!(" RETURNS {set}{returns}"))
        };
        format!(
            "CREATE {kind} {}({arguments}){returns} LANGUAGE plpgsql AS {}",
            quoted_ident(&self.own_name),
            literal(body)
        )
    }
}

/// Reads what a function names.
pub(super) fn read(header: &Header, body: &str, reader: &mut Reader<'_>) -> Result<(), String> {
    let Declared { body, defaults } = Declared::read(body, reader);
    let tree = pg_query::parse_plpgsql(&header.plain(&body)).map_err(|error| error.to_string())?;
    for (expression, line) in defaults {
        reader.read(&expression, EXPRESSION, Some(line))?;
    }
    let datums = tree.pointer("/0/PLpgSQL_function/datums");
    let datums = datums
        .and_then(Value::as_array)
        .map_or(&[][..], Vec::as_slice);
    Walk { datums, reader }.walk(&tree, None, false)
}

/// A tree of PL/pgSQL's parser that is gone through.
struct Walk<'w, 'r> {
    /// What it declares, by the numbers that statements have for it.
    datums: &'w [Value],
    reader: &'w mut Reader<'r>,
}

impl<'w> Walk<'w, '_> {
    /// `computes` is true below an expression that gives SQL.
    fn walk(&mut self, value: &Value, line: Option<usize>, computes: bool) -> Result<(), String> {
        match value {
            Value::Array(all) => all
                .iter()
                .try_for_each(|one| self.walk(one, line, computes)),
            Value::Object(object) => {
                let own = object.get("lineno").and_then(Value::as_u64);
                let line = own.and_then(|own| usize::try_from(own).ok()).or(line);
                for (key, child) in object {
                    match key.as_str() {
                        "PLpgSQL_expr" => self.expression(child, line, computes)?,
                        "PLpgSQL_stmt_dynexecute" | "PLpgSQL_stmt_dynfors" => {
                            self.dynamic(child, line)?;
                        }
                        "dynquery" => self.walk(child, line, true)?,
                        "target" | "var" => {
                            self.target(child, line);
                            self.walk(child, line, computes)?;
                        }
                        _ => self.walk(child, line, computes)?,
                    }
                }
                Ok(())
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Ok(()),
        }
    }

    /// A record that is filled, or the fields of records that are set.
    fn target(&mut self, target: &Value, line: Option<usize>) {
        let record = target.pointer("/PLpgSQL_rec/refname");
        if let Some(name) = record.and_then(Value::as_str) {
            self.reader.filled(name, line);
        }
        let fields = target
            .pointer("/PLpgSQL_row/fields")
            .and_then(Value::as_array);
        let numbers = fields.into_iter().flatten().map(|field| field.get("varno"));
        // GET DIAGNOSTICS has a number alone.
        for number in numbers.chain([Some(target)]).flatten() {
            let Some(field) = self
                .datum(number)
                .and_then(|datum| datum.get("PLpgSQL_recfield"))
            else {
                continue;
            };
            // A number that is 0 is left out.
            let parent = field
                .get("recparentno")
                .cloned()
                .unwrap_or_else(|| Value::from(0));
            let of = self.datum(&parent);
            let of = of.and_then(|of| of.pointer("/PLpgSQL_rec/refname")?.as_str());
            let name = field.get("fieldname").and_then(Value::as_str);
            if let (Some(of), Some(name)) = (of, name) {
                self.reader.set(of, name, line);
            }
        }
    }

    fn datum(&self, number: &Value) -> Option<&'w Value> {
        let datums = self.datums;
        datums.get(usize::try_from(number.as_u64()?).ok()?)
    }

    fn dynamic(&mut self, value: &Value, line: Option<usize>) -> Result<(), String> {
        let own = value.get("lineno").and_then(Value::as_u64);
        let line = own.and_then(|own| usize::try_from(own).ok()).or(line);
        let children = value.as_object().into_iter().flatten();
        for (key, child) in children {
            if key == "target" || key == "var" {
                self.target(child, line);
            }
            self.walk(child, line, key == "query")?;
        }
        Ok(())
    }

    fn expression(
        &mut self,
        value: &Value,
        line: Option<usize>,
        computes: bool,
    ) -> Result<(), String> {
        let query = value
            .get("query")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let mode = value.get("parseMode").and_then(Value::as_i64).unwrap_or(0);
        let mode = i32::try_from(mode).unwrap_or(0);
        if computes {
            self.reader.computed(query, mode, line)
        } else {
            self.reader.read(query, mode, line)
        }
    }
}
