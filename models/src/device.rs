use chrono::{DateTime, Utc};
use trueup::Model;

use crate::Equipment;

/// A measuring channel of a piece of equipment.
#[derive(Model)]
#[model(table = "devices", unique(equipment_id, channel))]
pub struct Device {
    /// Names the channel in every reading.
    #[model(primary_key, identity = "by default")]
    pub id: i64,
    /// Goes with the equipment that it is a part of.
    #[model(references = Equipment::id, on_delete = "cascade")]
    pub equipment_id: i64,
    /// From 1, as printed beside the socket.
    #[model(default = "1", check("channel > 0"))]
    pub channel: i16,
    /// The unit of its readings, as in the SI.
    #[model(sql_type = "varchar(12)")]
    pub unit: String,
    /// When it last said anything at all.
    #[model(index(desc, nulls = "last"))]
    pub last_seen_at: Option<DateTime<Utc>>,
}
