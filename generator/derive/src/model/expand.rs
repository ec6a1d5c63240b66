//! The expansion of `#[derive(Model)]`: the columns as constants, the definition as a static, and its submission.

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;

use super::Model;
use super::field::Field;
use super::fill::Fill;
use super::key::Key;
use super::using::Using;
use crate::diesel::Namespace;
use crate::place::{Place, comment, line, optional, unraw};
use crate::renamed_from::RenamedFrom;

/// The columns are constants of a type of their own, so that `references = Other::field` is resolved by the compiler and
/// a field that is not there is an error at its name; constants of the model itself would clash with its methods.
pub(crate) fn expand(model: &Model) -> TokenStream {
    let ident = &model.ident;
    let columns_type = format_ident!("{}Columns", unraw(ident));
    let columns = columns(model);
    let definition = definition(model);
    let agrees = agrees_with_diesel(model);
    quote! {
        #agrees

        const _: () = {
            use ::trueup::__private as __trueup;
            #[allow(unused_imports)]
            use __trueup::NotNullable as _;

            #[allow(dead_code, missing_docs, missing_debug_implementations, unreachable_pub)]
            pub struct #columns_type;

            #[allow(dead_code, missing_docs, non_upper_case_globals, unreachable_pub)]
            impl #columns_type {
                #(#columns)*
            }

            #[automatically_derived]
            impl ::trueup::Model for #ident {
                type Columns = #columns_type;
                const DEFINITION: &'static __trueup::ModelDef = &#definition;
            }

            __trueup::inventory::submit! {
                __trueup::Submitted::Model(<#ident as ::trueup::Model>::DEFINITION)
            }
        };
    }
}

/// The columns alone: a definition that nothing asks for.
pub(crate) fn stand_in(model: &Model) -> TokenStream {
    let ident = &model.ident;
    let columns_type = format_ident!("{}Columns", unraw(ident));
    let columns = columns(model);
    quote! {
        const _: () = {
            use ::trueup::__private as __trueup;

            #[allow(dead_code, missing_docs, missing_debug_implementations, unreachable_pub)]
            pub struct #columns_type;

            #[allow(dead_code, missing_docs, non_upper_case_globals, unreachable_pub)]
            impl #columns_type {
                #(#columns)*
            }

            #[automatically_derived]
            impl ::trueup::Model for #ident {
                type Columns = #columns_type;
                const DEFINITION: &'static __trueup::ModelDef = ::core::panic!("this model has mistakes");
            }
        };
    }
}

/// A question to the compiler: does Diesel's `table!` write a namespace where none is known here, and none where one is? A path
/// alone does not tell, since a table may be imported from anywhere.
fn agrees_with_diesel(model: &Model) -> Option<TokenStream> {
    let container = &model.container;
    let name = container.diesel.table_name.as_ref()?;
    let table = container.diesel.table.as_ref()?;
    let (agrees, says) = match (&container.namespace, &container.diesel.namespace) {
        (Some(_), _) | (None, Namespace::Unwritten | Namespace::Unknown(_)) => return None,
        (None, Namespace::Default) => (
            quote! { Asked::<#table::table>::IS_BARE },
            "Diesel's table! writes a namespace before this table's name: write it here too, #[model(namespace = \"…\")]".to_owned(),
        ),
        // Diesel leaves a `public.` that is written out.
        (None, Namespace::Module(module)) if module == "public" => return None,
        (None, Namespace::Module(module)) => (
            quote! { !Asked::<#table::table>::IS_BARE },
            format!(
                "Diesel's table! writes no namespace before this table's name, and its module is called {module}: write which it \
                 is, #[model(namespace = \"public\")] or #[model(namespace = \"{module}\")]"
            ),
        ),
    };
    Some(quote_spanned! { name.span() =>
        const _: () = {
            use diesel as __diesel;

            struct Asked<T>(::core::marker::PhantomData<T>);

            #[allow(dead_code)]
            trait Otherwise {
                const IS_BARE: bool = false;
            }

            impl<T> Otherwise for Asked<T> {}

            #[allow(dead_code)]
            impl<T> Asked<T>
            where
                T: __diesel::internal::table_macro::StaticQueryFragment<
                    Component = __diesel::internal::table_macro::Identifier<'static>,
                >,
            {
                const IS_BARE: bool = true;
            }

            ::core::assert!(#agrees, #says);
        };
    })
}

fn columns(model: &Model) -> impl Iterator<Item = TokenStream> {
    let (namespace, table) = (model.container.namespace(), model.container.table_name());
    model.columns().map(move |field| {
        let (ident, column) = (&field.ident, field.column_name());
        quote! {
            pub const #ident: __trueup::ColumnRef =
                __trueup::ColumnRef { namespace: #namespace, table: #table, column: #column };
        }
    })
}

fn definition(model: &Model) -> TokenStream {
    let Model {
        ident,
        container,
        column_names,
        ..
    } = model;
    let (item, line) = (unraw(ident), line(ident.span()));
    let (namespace, table) = (container.namespace(), container.table_name());
    let (comment, unlogged) = (
        comment(container.comment.as_ref(), container.documentation.as_ref()),
        container.unlogged,
    );
    let parameters = container.parameters.as_ref();
    let parameters = optional(parameters.map(|(_, parameters)| parameters));
    let of_type = optional(container.of_type.as_ref());
    let renamed_from = optional(container.renamed_from.as_ref().map(RenamedFrom::expand));
    let columns = model.columns().map(column);
    let primary_key = optional(primary_key(model).map(|key| key.expand(column_names)));
    let uniques = model
        .columns()
        .flat_map(|field| &field.uniques)
        .chain(&container.uniques);
    let uniques = uniques.map(|key| key.expand(column_names));
    let checks = model
        .columns()
        .flat_map(|field| &field.checks)
        .chain(&container.checks);
    let checks = checks.map(super::check::Check::expand);
    let excludes = container
        .excludes
        .iter()
        .map(|exclude| exclude.expand(column_names));
    let indexes = model.indexes().map(|index| index.expand(column_names));
    let foreign_keys = model
        .columns()
        .filter_map(Field::foreign_key)
        .chain(container.foreign_keys.iter().cloned());
    let foreign_keys = foreign_keys.map(|key| key.expand(column_names));
    let statistics = container
        .statistics
        .iter()
        .map(|one| one.expand(column_names));
    let partition_by = container.layout.expand_by(column_names);
    let partitions = container.layout.expand_partitions(&table, column_names);
    quote! {
        __trueup::ModelDef {
            item: __trueup::Item { name: #item, module: ::core::module_path!(), file: ::core::file!(), line: #line },
            namespace: #namespace,
            table: #table,
            of_type: #of_type,
            unlogged: #unlogged,
            parameters: #parameters,
            renamed_from: #renamed_from,
            comment: #comment,
            columns: &[#(#columns),*],
            primary_key: #primary_key,
            uniques: &[#(#uniques),*],
            checks: &[#(#checks),*],
            excludes: &[#(#excludes),*],
            indexes: &[#(#indexes),*],
            foreign_keys: &[#(#foreign_keys),*],
            statistics: &[#(#statistics),*],
            partition_by: #partition_by,
            partitions: #partitions,
        }
    }
}

fn column(field: &Field) -> TokenStream {
    let Field { ident, ty, .. } = field;
    let (place, name) = (Place::of_field(ident), field.column_name());
    let is_serial = field
        .fillings
        .iter()
        .any(|filling| filling.name() == "serial");
    let sql_type = match &field.sql_type {
        Some(written) => quote! { __trueup::TypeDef::Written(#written) },
        // A serial's keyword is its type.
        None if is_serial => quote! { __trueup::TypeDef::Serial },
        None => {
            let of_rust = quote_spanned! { ty.span()=> <#ty as ::trueup::PgType>::sql_type };
            quote! { __trueup::TypeDef::OfRust(#of_rust) }
        }
    };
    let nullable = if field.sql_type.is_some() {
        quote! { __trueup::Nullable::<#ty>::NULLABLE }
    } else {
        quote_spanned! { ty.span()=> <#ty as ::trueup::PgType>::NULLABLE }
    };
    let collation = optional(field.collation.as_ref());
    let not_null = optional(field.not_null.as_ref());
    let storage = optional(field.storage);
    let compression = optional(field.compression);
    let statistics = optional(field.statistics);
    let filling = optional(field.fillings.first().map(|filling| filling.expand(ty)));
    let comment = comment(field.comment.as_ref(), field.documentation.as_ref());
    let using = optional(field.using.as_ref().map(Using::expand));
    let fill = optional(field.fill.as_ref().map(Fill::expand));
    let renamed_from = optional(field.renamed_from.as_ref().map(RenamedFrom::expand));
    quote! {
        __trueup::ColumnDef {
            place: #place,
            name: #name,
            sql_type: #sql_type,
            nullable: #nullable,
            collation: #collation,
            not_null: #not_null,
            storage: #storage,
            compression: #compression,
            statistics: #statistics,
            filling: #filling,
            comment: #comment,
            using: #using,
            fill: #fill,
            renamed_from: #renamed_from,
        }
    }
}

fn primary_key(model: &Model) -> Option<Key> {
    let on_field = model.columns().find_map(|field| field.primary_key.as_ref());
    let ours = model.container.primary_key.as_ref().or(on_field).cloned();
    ours.or_else(|| {
        let columns = model.container.diesel_primary_key()?.to_vec();
        let span = columns.first().map_or(model.ident.span(), syn::Ident::span);
        Some(Key::over(columns, Place::on_struct_at(span)))
    })
}
