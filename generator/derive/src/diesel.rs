//! What `#[diesel(…)]` already says, so that nothing is said twice. Everything else in there is Diesel's own affair.

use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{Attribute, Ident, LitStr, Meta, Path, Token, parenthesized, token};

use crate::argument::pass_comma;

/// What Diesel's attributes on a struct or a field say about the table.
#[derive(Debug, Default)]
pub(crate) struct DieselAttributes {
    /// `table_name = schema::users` says `users`.
    pub(crate) table_name: Option<LitStr>,
    pub(crate) column_name: Option<LitStr>,
    pub(crate) primary_key: Option<Vec<Ident>>,
    /// The field is a struct whose fields are the columns.
    pub(crate) embed: Option<Ident>,
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
        "table_name" => found.table_name = name(input),
        "column_name" => found.column_name = name(input),
        "primary_key" => found.primary_key = identifiers(input),
        "embed" => found.embed = Some(key),
        _ => {}
    }
}

/// `= "users"`, `= users` or `= schema::users`.
fn name(input: ParseStream) -> Option<LitStr> {
    input.parse::<Token![=]>().ok()?;
    if input.peek(LitStr) {
        return input.parse().ok();
    }
    let path = input.call(Path::parse_mod_style).ok()?;
    let last = &path.segments.last()?.ident;
    Some(LitStr::new(&last.unraw().to_string(), last.span()))
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

    use super::diesel_attributes;

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
