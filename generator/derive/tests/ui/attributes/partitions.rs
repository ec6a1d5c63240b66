use trueup::Model;

#[derive(Model)]
#[model(table = "events", partition_by(range(created)), partition_by(list(kind)))]
#[model(partition("a", from = "1"), partition("b", values("1")), partition("c", default, from = "1", to = "2"))]
#[model(partition(from = "1", to = "2"), partition("d", from = "1", to = "2", partition("e", default)))]
#[model(partitions(hash = 4), partitions(monthly, from = "2026-13", to = "2027-01"), partitions(monthly))]
#[model(partitions(yearly, from = "2026-02", to = "2027-01"), partitions(quarterly, monthly, from = "2026", to = "2027"))]
struct Event {
    id: i64,
    kind: String,
}

#[derive(Model)]
#[model(table = "readings", partition_by(rows(id)), partition("f", default))]
struct Reading {
    id: i64,
}

#[derive(Model)]
#[model(table = "visits", partition_by(hash(id)), partitions(hash = 0))]
struct Visit {
    id: i64,
}

fn main() {}
