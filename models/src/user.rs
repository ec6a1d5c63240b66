use chrono::{DateTime, Utc};
use trueup::Model;

/// A person who works in the laboratory.
#[derive(Model)]
#[model(table = "users", index("lower(full_name)"))]
#[model(check(name = "users_email_check", expr = "email LIKE '%_@_%'"))]
pub struct User {
    /// Never changes and is never used again.
    #[model(primary_key, identity = "always")]
    pub id: i64,
    /// Where notices go; also what the person signs in with.
    #[model(unique)]
    pub email: String,
    /// As the person writes it.
    pub full_name: String,
    /// Who has left keeps a row, so that old calibrations stay signed.
    #[model(default = "true")]
    pub active: bool,
    /// When the person joined.
    #[model(default = "now()")]
    pub created_at: DateTime<Utc>,
}
