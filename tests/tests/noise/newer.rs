//! Models that say what older servers have no word for. The namespace of each is called after the first major that has.

use trueup::Model;

#[derive(Model)]
#[model(table = "teams", namespace = "major_15", unique(id, coach))]
#[allow(dead_code, reason = "only what it declares is of interest")]
struct Team {
    #[model(primary_key)]
    id: i32,
    coach: Option<i32>,
}

#[derive(Model)]
#[model(table = "players", namespace = "major_15")]
#[model(foreign_key(
    columns(team, coach),
    references = Team(id, coach),
    on_delete(set_null(coach)),
    not_valid
))]
#[model(foreign_key(
    columns(other, coach),
    references = Team(id, coach),
    on_delete(set_default(coach)),
    deferrable
))]
#[allow(dead_code, reason = "only what it declares is of interest")]
struct Player {
    #[model(primary_key)]
    id: i32,
    team: i32,
    other: Option<i32>,
    #[model(default = "1")]
    coach: Option<i32>,
}

#[derive(Model)]
#[model(
    table = "rooms",
    namespace = "major_18",
    primary_key(floors, during, without_overlaps)
)]
#[model(unique(columns(during, floors), name = "no_two", without_overlaps))]
#[model(check("note <> ''", not_enforced))]
#[allow(dead_code, reason = "only what it declares is of interest")]
struct Room {
    #[model(sql_type = "int4range")]
    floors: String,
    #[model(sql_type = "daterange")]
    during: String,
    #[model(not_null(name = "Something to Say"))]
    note: String,
}

#[derive(Model)]
#[model(
    table = "visits",
    namespace = "major_18",
    partition_by(hash(id)),
    partitions(hash = 2)
)]
#[model(foreign_key(columns(id), references = Team(id), not_valid, name = "of_a_team"))]
#[allow(dead_code, reason = "only what it declares is of interest")]
struct Visit {
    #[model(not_null(name = "whose"))]
    id: i32,
    #[model(storage = "plain", statistics = 100, not_null(name = "why"))]
    why: String,
}

#[derive(Model)]
#[model(table = "bookings", namespace = "major_18")]
#[model(foreign_key(columns(room, on), references = Room(floors, during), period))]
#[allow(dead_code, reason = "only what it declares is of interest")]
struct Booking {
    #[model(primary_key)]
    id: i32,
    #[model(sql_type = "int4range")]
    room: String,
    #[model(sql_type = "daterange")]
    on: String,
    #[model(references(Self::id, not_enforced))]
    moved_from: Option<i32>,
}
