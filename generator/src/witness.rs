//! stub until the witness lands
use crate::url::Url;
#[derive(Debug, thiserror::Error)]
#[error("w")]
pub struct WitnessError;
pub fn dump(_: &std::path::Path, _: &Url) -> Result<String, WitnessError> {
    Err(WitnessError)
}
pub fn restore(_: &std::path::Path, _: &Url, _: &str, _: bool) -> Result<(), WitnessError> {
    Err(WitnessError)
}
#[derive(Debug)]
pub struct Difference;
impl std::fmt::Display for Difference {
    fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        Ok(())
    }
}
pub fn agree(_: &str, _: &str) -> Result<(), Vec<Difference>> {
    Ok(())
}
