//! Nothing secret leaves the process, even where it panics: what it was started with is known as secret before anything else.

use std::{
    backtrace::{Backtrace, BacktraceStatus},
    env, panic,
};

use generator::{postgres::secrets, report::Output};

/// Remembers the secrets of the environment and of the command line, and takes over what a panic says.
pub(crate) fn prepare() {
    let variables: Vec<_> = env::vars_os()
        .map(|(name, value)| {
            let text = |text: std::ffi::OsString| text.to_string_lossy().into_owned();
            (text(name), text(value))
        })
        .collect();
    let variables = variables.iter();
    secrets::remember_variables(variables.map(|(name, value)| (name.as_str(), value.as_str())));
    for argument in env::args_os() {
        secrets::remember_uri(&argument.to_string_lossy());
    }
    panic::set_hook(Box::new(|panicked| {
        let trace = Backtrace::capture();
        let trace = if trace.status() == BacktraceStatus::Captured {
            format!("\n{trace}")
        } else {
            String::new()
        };
        Output::default().refusal(&format!("{panicked}{trace}\n"));
    }));
}
