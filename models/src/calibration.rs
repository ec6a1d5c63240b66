use chrono::NaiveDate;
use trueup::{Model, PgEnum};

use crate::{Device, User};

/// How far a calibration has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug, PgEnum)]
#[model(type = "calibration_status")]
pub enum CalibrationStatus {
    /// A date is set.
    Planned,
    /// The device is in the laboratory.
    InProgress,
    /// The device measures what it should.
    Passed,
    /// It does not.
    Failed,
}

/// A check of a device against a standard, good for a while.
#[derive(Model)]
#[model(
    table = "calibrations",
    check(
        name = "calibrations_validity_check",
        expr = "valid_until > performed_on"
    ),
    index(columns(device_id, performed_on(desc)))
)]
pub struct Calibration {
    /// What the certificate is filed under.
    #[model(primary_key, identity = "always")]
    pub id: i64,
    /// What was calibrated.
    #[model(references = Device::id, on_delete = "cascade")]
    pub device_id: i64,
    /// Who signed for it.
    #[model(references = User::id, on_delete = "restrict")]
    pub performed_by: i64,
    /// How far it has come.
    #[model(default = "'planned'")]
    pub status: CalibrationStatus,
    /// The day on which it was or will be done.
    pub performed_on: NaiveDate,
    /// The last day on which readings can be trusted because of it.
    pub valid_until: NaiveDate,
    /// Whatever the certificate has no room for.
    pub notes: Option<String>,
}
