//! A program without models: an error, never a DROP of everything.

use generator::{ErrorKind, pipeline::autogen};

#[test]
fn no_models_is_an_error() {
    let error = autogen::declarations().expect_err("this program has no models");
    assert_eq!(error.kind(), ErrorKind::Input);
    assert!(
        error
            .to_string()
            .contains("there are no models in this program"),
        "{error}"
    );
}
