use chrono::{DateTime, Utc};
use trueup::Model;

use crate::Device;

/// A value that a device measured.
#[derive(Model)]
#[model(table = "readings", primary_key(device_id, taken_at))]
#[model(index(columns(taken_at), method = "brin", name = "readings_taken_at_brin"))]
#[model(index(device_id, where = "NOT plausible", name = "readings_implausible_idx"))]
pub struct Reading {
    /// A device with readings stays.
    #[model(references = Device::id, on_delete = "restrict")]
    pub device_id: i64,
    /// The device's clock, to the microsecond.
    pub taken_at: DateTime<Utc>,
    /// In the unit of the device.
    pub value: f64,
    /// What the device was sure of, as plus or minus.
    #[model(check(name = "readings_uncertainty_check", expr = "uncertainty >= 0"))]
    pub uncertainty: Option<f64>,
    /// Whether the value lies within what the device can measure.
    #[model(default = "true")]
    pub plausible: bool,
}
