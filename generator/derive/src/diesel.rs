//! Reads `#[diesel(…)]`, so that nothing must be declared twice. All that is not about the table is left to Diesel.

use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{Attribute, Ident, LitStr, Meta, Path, Token, parenthesized, token};

use crate::argument::pass_comma;

/// Diesel's attributes about the table, on a struct or a field.
#[derive(Debug, Default)]
pub(crate) struct DieselAttributes {
    /// `table_name = schema::users` says `users`.
    pub(crate) table_name: Option<LitStr>,
    /// The path to Diesel's module of the table, where one is written.
    pub(crate) table: Option<Path>,
    /// The namespace that the path to the table says.
    pub(crate) namespace: Namespace,
    pub(crate) column_name: Option<LitStr>,
    pub(crate) primary_key: Option<Vec<Ident>>,
    /// The field is a struct whose fields are the columns.
    pub(crate) embed: Option<Ident>,
}

/// The namespace that the path to Diesel's table says. `diesel print-schema` writes the tables of a namespace into a module of its
/// name, and those of `public` into none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Namespace {
    /// No path was written.
    #[default]
    Unwritten,
    /// The path names no namespace: `public`, as far as it tells.
    Default,
    /// `schema::v2::account` says `v2`.
    Module(String),
    /// `accounts::account` says nothing: what the module stands for is unknown.
    Unknown(String),
}

impl Namespace {
    fn of(path: &Path) -> Self {
        let names = path
            .segments
            .iter()
            .map(|segment| segment.ident.unraw().to_string());
        let mut modules: Vec<String> = names.collect();
        modules.pop();
        let begins = modules
            .iter()
            .take_while(|name| ["crate", "self", "super"].contains(&name.as_str()));
        let begins = begins.count();
        let modules = &modules[begins..];
        let schema = modules.iter().rposition(|name| name == "schema");
        match (modules, schema.map(|place| &modules[place + 1..])) {
            ([], _) | (_, Some([])) => Self::Default,
            (_, Some([namespace])) => Self::Module(namespace.clone()),
            (_, Some(_) | None) => Self::Unknown(modules.join("::")),
        }
    }
}

/// Reads `#[diesel(…)]`. Whatever has another form is left for Diesel's own derives to report.
pub(crate) fn diesel_attributes(attributes: &[Attribute]) -> DieselAttributes {
    let mut found = DieselAttributes::default();
    for attribute in attributes
        .iter()
        .filter(|attribute| attribute.path().is_ident("diesel"))
    {
        if let Meta::List(list) = &attribute.meta {
            let _ = (|input: ParseStream| {
                while !input.is_empty() {
                    read(input, &mut found);
                    pass_comma(input);
                }
                Ok(())
            })
            .parse2(list.tokens.clone());
        }
    }
    found
}

fn read(input: ParseStream, found: &mut DieselAttributes) {
    let Ok(key) = input.call(Ident::parse_any) else {
        return;
    };
    match key.to_string().as_str() {
        "table_name" => {
            if let Some((name, table)) = name(input) {
                found.table_name = Some(name);
                found.namespace = table.as_ref().map_or(Namespace::Unwritten, Namespace::of);
                found.table = table;
            }
        }
        "column_name" => found.column_name = name(input).map(|(name, _)| name),
        "primary_key" => found.primary_key = identifiers(input),
        "embed" => found.embed = Some(key),
        _ => {}
    }
}

/// `= "users"`, `= users` or `= schema::users`.
fn name(input: ParseStream) -> Option<(LitStr, Option<Path>)> {
    input.parse::<Token![=]>().ok()?;
    if input.peek(LitStr) {
        return Some((input.parse().ok()?, None));
    }
    let path = input.call(Path::parse_mod_style).ok()?;
    let last = &path.segments.last()?.ident;
    let name = LitStr::new(&last.unraw().to_string(), last.span());
    Some((name, Some(path)))
}

fn identifiers(input: ParseStream) -> Option<Vec<Ident>> {
    if !input.peek(token::Paren) {
        return None;
    }
    let list = (|| {
        let inner;
        parenthesized!(inner in input);
        inner.parse_terminated(Ident::parse_any, Token![,])
    })();
    Some(list.ok()?.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use syn::{ItemStruct, parse_quote};

    use super::{Namespace, diesel_attributes};

    #[test]
    fn a_module_of_a_diesel_schema_is_a_namespace() {
        let of = |path| Namespace::of(&path);
        for path in [
            parse_quote!(users),
            parse_quote!(crate::users),
            parse_quote!(schema::users),
            parse_quote!(crate::db::schema::users),
            parse_quote!(super::super::schema::users),
        ] {
            assert_eq!(of(path), Namespace::Default);
        }
        let v2 = of(parse_quote!(crate::schema::v2::users));
        assert_eq!(v2, Namespace::Module("v2".to_owned()));
        let raw = of(parse_quote!(schema::r#type::users));
        assert_eq!(raw, Namespace::Module("type".to_owned()));
        for (path, modules) in [
            (parse_quote!(crate::accounts::users), "accounts"),
            (parse_quote!(super::v2::users), "v2"),
            (parse_quote!(crate::schema::a::b::users), "schema::a::b"),
        ] {
            assert_eq!(of(path), Namespace::Unknown(modules.to_owned()));
        }
    }

    #[test]
    fn names_are_read_and_the_rest_is_passed_over() {
        let item: ItemStruct = parse_quote! {
            #[diesel(belongs_to(Team, foreign_key = team), table_name = crate::schema::users)]
            #[diesel(check_for_backend(diesel::pg::Pg), serialize_as = Map<A, B>, primary_key(a, r#type))]
            #[diesel(column_name = "Name")]
            struct User;
        };
        let found = diesel_attributes(&item.attrs);
        assert_eq!(
            found.table_name.map(|name| name.value()).as_deref(),
            Some("users")
        );
        assert_eq!(
            found.column_name.map(|name| name.value()).as_deref(),
            Some("Name")
        );
        let key: Vec<String> = found
            .primary_key
            .unwrap_or_default()
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(key, ["a", "r#type"]);
    }
}
