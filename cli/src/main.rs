//! The binary for this workspace's own models.
fn main() {}
