//! A calibration laboratory: who works there, what hangs on the walls, what it measured and when it was last checked.
//!
//! This is the example that ships with trueup. Each struct is a table and says all that there is to say about it; the
//! files under `migrations/` were made from it. The structs depend on `trueup` alone, so that editing one compiles in
//! no time. Diesel's derives go on the same structs and their `#[diesel(…)]` attributes are read, nothing is said
//! twice.

mod calibration;
mod device;
mod equipment;
mod reading;
mod user;

pub use calibration::{Calibration, CalibrationStatus};
pub use device::Device;
pub use equipment::Equipment;
pub use reading::Reading;
pub use user::User;

#[cfg(test)]
mod tests {
    #[test]
    fn the_models_agree_with_each_other() {
        let declarations = trueup::declarations();
        assert!(declarations.is_ok(), "{declarations:?}");
    }
}
