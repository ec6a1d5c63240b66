//! Former names.

use proc_macro2::TokenStream;
use quote::quote;
use syn::LitStr;

use crate::argument::Argument;
use crate::mistakes::Mistakes;
use crate::place::Place;

/// The former name of an object.
#[derive(Clone, Debug)]
pub(crate) struct RenamedFrom {
    place: Place,
    pub(crate) name: LitStr,
}

impl RenamedFrom {
    /// `renamed_from = "…"`, written at this place.
    pub(crate) fn read(place: Place, argument: &Argument) -> Option<Self> {
        let name = argument.text()?;
        Some(Self { place, name })
    }

    /// Reports a former name that is also the new one.
    pub(crate) fn differs_from(&self, name: &str, mistakes: &Mistakes) {
        if self.name.value() == name {
            mistakes.at(
                &self.name,
                format!(
                    "this is called `{name}` now; `renamed_from` says what it was called before"
                ),
            );
        }
    }

    pub(crate) fn expand(&self) -> TokenStream {
        let Self { place, name } = self;
        quote! { __trueup::RenamedFromDef { place: #place, name: #name } }
    }
}

/// Reports one former name of two objects.
pub(crate) fn each_from_another<'a>(
    all: impl IntoIterator<Item = &'a RenamedFrom>,
    mistakes: &Mistakes,
) {
    let mut seen = std::collections::BTreeSet::new();
    for RenamedFrom { name, .. } in all {
        if !seen.insert(name.value()) {
            mistakes.at(name, format!("two are renamed from `{}`", name.value()));
        }
    }
}
