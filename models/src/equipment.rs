use chrono::NaiveDate;
use trueup::Model;

use crate::User;

/// A thing with a serial number that somebody answers for.
#[derive(Model)]
#[model(
    table = "equipment",
    unique(
        columns(manufacturer, serial_number),
        name = "equipment_serial_number_key"
    ),
    index(keeper_id),
    check("retired_on IS NULL OR retired_on >= acquired_on")
)]
pub struct Equipment {
    /// What the inventory sticker says.
    #[model(primary_key, identity = "always")]
    pub id: i64,
    /// Who made it.
    pub manufacturer: String,
    /// What the manufacturer calls this one; two makers may use the same number.
    #[model(sql_type = "varchar(40)")]
    pub serial_number: String,
    /// Free words to find it by.
    #[model(default = "'{}'", index(method = "gin"))]
    pub tags: Vec<String>,
    /// Who answers for it. Nobody does while its keeper has left.
    #[model(references = User::id, on_delete = "set null")]
    pub keeper_id: Option<i64>,
    /// When it was bought.
    pub acquired_on: NaiveDate,
    /// When it was scrapped or sold.
    pub retired_on: Option<NaiveDate>,
}
