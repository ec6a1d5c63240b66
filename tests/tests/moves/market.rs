//! The models of the market: as its database is when they come, and as people edit them then.

#![allow(dead_code, reason = "only what the models declare is of interest")]

use tests::walk::declared;
use trueup::{__private::Submitted, Declarations, Model, PgEnum};

/// The number of tables that no model declares: those of prices, tags, tags of listings, lines of orders, messages and the log.
pub(crate) const UNMODELLED: usize = 6;

/// Words in the SQL of the edits.
pub(crate) const SAID: [&str; 8] = [
    "ADD COLUMN phone character varying(32)",
    "ADD COLUMN currency character(3) DEFAULT 'EUR'::bpchar NOT NULL",
    "ALTER TYPE public.listing_state ADD VALUE 'withdrawn'",
    "CREATE TYPE public.condition",
    "RENAME COLUMN \"a.b\" TO \"a.c\"",
    "DROP COLUMN seen_by",
    "CREATE TABLE public.favourites",
    "changes every NULL in public.reviews.said",
];

/// Models that say what is there.
pub(crate) fn now() -> Declarations {
    declared(&[
        Submitted::Enum(MemberState::DEFINITION),
        Submitted::Enum(ListingState::DEFINITION),
        Submitted::Enum(Way::DEFINITION),
        Submitted::Model(Member::DEFINITION),
        Submitted::Model(Shop::DEFINITION),
        Submitted::Model(Category::DEFINITION),
        Submitted::Model(Listing::DEFINITION),
        Submitted::Model(Order::DEFINITION),
        Submitted::Model(Review::DEFINITION),
        Submitted::Model(DeliveryNote::DEFINITION),
    ])
}

/// Models after the edits.
pub(crate) fn next() -> Declarations {
    declared(&[
        Submitted::Enum(MemberState::DEFINITION),
        Submitted::Enum(next::ListingState::DEFINITION),
        Submitted::Enum(next::Condition::DEFINITION),
        Submitted::Enum(Way::DEFINITION),
        Submitted::Model(next::Member::DEFINITION),
        Submitted::Model(next::Shop::DEFINITION),
        Submitted::Model(Category::DEFINITION),
        Submitted::Model(next::Listing::DEFINITION),
        Submitted::Model(Order::DEFINITION),
        Submitted::Model(next::Review::DEFINITION),
        Submitted::Model(next::DeliveryNote::DEFINITION),
        Submitted::Model(next::Favourite::DEFINITION),
    ])
}

/// Models with an edit each, and the code that it breaks.
pub(crate) fn breaking() -> [(Declarations, &'static str); 2] {
    let others = |listing, state| {
        declared(&[
            Submitted::Enum(MemberState::DEFINITION),
            Submitted::Enum(state),
            Submitted::Enum(Way::DEFINITION),
            Submitted::Model(Member::DEFINITION),
            Submitted::Model(Shop::DEFINITION),
            Submitted::Model(Category::DEFINITION),
            Submitted::Model(listing),
            Submitted::Model(Order::DEFINITION),
            Submitted::Model(Review::DEFINITION),
            Submitted::Model(DeliveryNote::DEFINITION),
        ])
    };
    let renamed = others(breaking::Listing::DEFINITION, ListingState::DEFINITION);
    let label = others(Listing::DEFINITION, breaking::ListingState::DEFINITION);
    [
        (renamed, "public.search_of_listing()"),
        (label, "public.withdraw_listings(before date)"),
    ]
}

#[derive(PgEnum)]
#[model(type = "member_state")]
enum MemberState {
    Invited,
    Active,
    Banned,
}

#[derive(PgEnum)]
#[model(type = "listing_state")]
enum ListingState {
    Draft,
    Offered,
    Reserved,
    Sold,
}

#[derive(PgEnum)]
#[model(type = "Way Of Delivery")]
enum Way {
    #[model(label = "by post")]
    Post,
    #[model(label = "Courier's")]
    Courier,
    #[model(label = "pick \"up\"")]
    PickUp,
}

#[derive(Model)]
#[model(table = "members")]
struct Member {
    #[model(primary_key, serial)]
    id: i32,
    #[model(sql_type = "citext", unique)]
    email: String,
    #[model(sql_type = "varchar(80)", check("length(btrim(display_name)) > 0"))]
    display_name: String,
    #[model(default = "'invited'")]
    state: MemberState,
    #[model(references = Member::id, on_delete = "set null")]
    invited_by: Option<i32>,
    #[model(sql_type = "timestamp", default = "now()")]
    created_at: String,
    #[model(sql_type = "timestamp", default = "now()")]
    updated_at: String,
}

#[derive(Model)]
#[model(
    table = "shops",
    check(name = "rating_is_of_five", expr = "rating BETWEEN 0 AND 5")
)]
#[model(index(columns("slugify(name)"), unique, name = "shops_slug"))]
struct Shop {
    #[model(primary_key, serial)]
    id: i32,
    #[model(references = Member::id, on_delete = "cascade")]
    owner_id: i32,
    name: String,
    #[model(generated = "slugify(name)")]
    slug: Option<String>,
    #[model(sql_type = "numeric(3, 2)")]
    rating: Option<String>,
    #[model(default = "0")]
    listings_cnt: i32,
    #[model(sql_type = "date", default = "CURRENT_DATE")]
    opened_on: String,
    #[model(sql_type = "timestamp", default = "now()")]
    created_at: String,
    #[model(sql_type = "timestamp", default = "now()")]
    updated_at: String,
}

#[derive(Model)]
#[model(
    table = "categories",
    index(columns(path), method = "gist", name = "categories_path_gist")
)]
struct Category {
    #[model(primary_key, serial)]
    id: i32,
    #[model(sql_type = "ltree", unique)]
    path: String,
    title: String,
    #[model(default = "0")]
    listings_cnt: i32,
}

#[derive(Model)]
#[model(table = "listings")]
#[model(index(columns(shop_id, state), name = "listings_shop_id"))]
#[model(index(columns(search), method = "gin", name = "listings_search"))]
#[model(index(
    columns(category_id, price(desc)),
    where = "state = 'offered'",
    name = "listings_by_category"
))]
#[model(index(
    columns(attributes(opclass = "jsonb_path_ops")),
    method = "gin",
    name = "listings_attributes"
))]
#[allow(
    clippy::duplicated_attributes,
    reason = "several indexes have a method"
)]
struct Listing {
    #[model(primary_key, serial)]
    id: i32,
    #[model(references = Shop::id, on_delete = "cascade")]
    shop_id: i32,
    #[model(references = Category::id)]
    category_id: i32,
    title: String,
    #[model(default = "''")]
    body: String,
    #[model(sql_type = "price")]
    price: String,
    #[model(default = "'draft'")]
    state: ListingState,
    #[model(sql_type = "tsvector", default = "''")]
    search: String,
    #[model(sql_type = "jsonb", default = "'{}'")]
    attributes: String,
    #[model(sql_type = "timestamp", default = "now()")]
    created_at: String,
    #[model(sql_type = "timestamp", default = "now()")]
    updated_at: String,
}

#[derive(Model)]
#[model(
    table = "orders",
    primary_key(id, placed_on),
    partition_by(range(placed_on))
)]
#[model(
    partition("orders_2021", from = "'2021-01-01'", to = "'2022-01-01'"),
    partition("orders_later", default)
)]
struct Order {
    #[model(identity = "by default")]
    id: i64,
    #[model(sql_type = "date", default = "CURRENT_DATE")]
    placed_on: String,
    number: i64,
    #[model(references = Member::id, index(name = "orders_buyer_id"))]
    buyer_id: i32,
    #[model(sql_type = "numeric(12, 2)", default = "0")]
    total: String,
    note: Option<String>,
    #[model(sql_type = "timestamp", default = "now()")]
    updated_at: String,
}

#[derive(Model)]
#[model(table = "reviews", unique(shop_id, member_id))]
#[model(check(name = "stars_of_five", expr = "stars BETWEEN 1 AND 5", not_valid))]
struct Review {
    #[model(primary_key, serial)]
    id: i32,
    #[model(references = Shop::id, on_delete = "cascade")]
    shop_id: i32,
    #[model(references = Member::id, on_delete = "cascade")]
    member_id: i32,
    stars: i32,
    said: Option<String>,
    seen_by: Option<String>,
    #[model(sql_type = "timestamp", default = "now()")]
    updated_at: String,
}

#[derive(Model)]
#[model(
    table = "Delivery Note's",
    index(columns("lower(\"a.b\")", way), name = "Index of \"odd\" things")
)]
#[model(foreign_key(columns(order, placed_on), references = Order(id, placed_on), on_delete = "cascade"))]
struct DeliveryNote {
    #[model(primary_key, serial, column = "Id")]
    id: i32,
    order: i64,
    #[model(column = "placed on", sql_type = "date")]
    placed_on: String,
    #[model(column = "Way", default = "'Courier''s'")]
    way: Way,
    #[model(
        column = "Größe (cm)",
        sql_type = "numeric(6, 2)",
        check(name = "größer als 0", expr = "\"Größe (cm)\" > 0")
    )]
    size: Option<String>,
    #[model(column = "a.b")]
    dotted: Option<String>,
    #[model(column = "say \"hi\"")]
    quoted: Option<String>,
}

/// What is edited.
mod next {
    use super::{Category, MemberState, Order, Way};
    use trueup::{Model, PgEnum};

    #[derive(PgEnum)]
    #[model(type = "listing_state")]
    pub(super) enum ListingState {
        Draft,
        Offered,
        Reserved,
        Sold,
        Withdrawn,
    }

    #[derive(PgEnum)]
    #[model(type = "condition", comment = "")]
    pub(super) enum Condition {
        Good,
        #[model(label = "like new")]
        LikeNew,
    }

    #[derive(Model)]
    #[model(table = "members")]
    pub(super) struct Member {
        #[model(primary_key, serial)]
        pub(super) id: i32,
        #[model(sql_type = "citext", unique)]
        email: String,
        #[model(sql_type = "varchar(80)", check("length(btrim(display_name)) > 0"))]
        display_name: String,
        #[model(default = "'invited'")]
        state: MemberState,
        #[model(references = Member::id, on_delete = "set null")]
        invited_by: Option<i32>,
        #[model(sql_type = "timestamp", default = "now()")]
        created_at: String,
        #[model(sql_type = "timestamp", default = "now()")]
        updated_at: String,
        #[model(sql_type = "varchar(32)", index)]
        phone: Option<String>,
    }

    #[derive(Model)]
    #[model(
        table = "shops",
        check(name = "rating_is_of_five", expr = "rating BETWEEN 0 AND 5")
    )]
    #[model(index(columns("slugify(name)"), unique, name = "shops_slug"))]
    pub(super) struct Shop {
        #[model(primary_key, serial)]
        pub(super) id: i32,
        #[model(references = Member::id, on_delete = "cascade")]
        owner_id: i32,
        name: String,
        #[model(generated = "slugify(name)")]
        slug: Option<String>,
        #[model(sql_type = "numeric(3, 2)")]
        rating: Option<String>,
        #[model(default = "0")]
        listings_cnt: i64,
        #[model(sql_type = "date", default = "CURRENT_DATE")]
        opened_on: String,
        #[model(sql_type = "timestamp", default = "now()")]
        created_at: String,
        #[model(sql_type = "timestamp", default = "now()")]
        updated_at: String,
        #[model(sql_type = "char(3)", fill = "'EUR'", check("currency ~ '^[A-Z]{3}$'"))]
        currency: String,
    }

    #[derive(Model)]
    #[model(table = "listings")]
    #[model(index(columns(shop_id, state), name = "listings_shop_id"))]
    #[model(index(columns(search), method = "gin", name = "listings_search"))]
    #[model(index(
        columns(category_id, price(desc)),
        where = "state = 'offered'",
        name = "listings_by_category"
    ))]
    #[model(index(
        columns(attributes(opclass = "jsonb_path_ops")),
        method = "gin",
        name = "listings_attributes"
    ))]
    #[allow(
        clippy::duplicated_attributes,
        reason = "several indexes have a method"
    )]
    pub(super) struct Listing {
        #[model(primary_key, serial)]
        pub(super) id: i32,
        #[model(references = Shop::id, on_delete = "cascade")]
        shop_id: i32,
        #[model(references = Category::id)]
        category_id: i32,
        title: String,
        #[model(default = "''")]
        body: String,
        #[model(sql_type = "price")]
        price: String,
        #[model(default = "'draft'")]
        state: ListingState,
        #[model(sql_type = "tsvector", default = "''")]
        search: String,
        #[model(sql_type = "jsonb", default = "'{}'")]
        attributes: String,
        #[model(sql_type = "timestamp", default = "now()")]
        created_at: String,
        #[model(sql_type = "timestamp", default = "now()")]
        updated_at: String,
        condition: Option<Condition>,
    }

    #[derive(Model)]
    #[model(table = "reviews", unique(shop_id, member_id))]
    #[model(check(name = "stars_of_five", expr = "stars BETWEEN 1 AND 5"))]
    pub(super) struct Review {
        #[model(primary_key, serial)]
        id: i32,
        #[model(references = Shop::id, on_delete = "cascade")]
        shop_id: i32,
        #[model(references = Member::id, on_delete = "cascade")]
        member_id: i32,
        stars: i32,
        #[model(fill = "''")]
        said: String,
        #[model(sql_type = "timestamp", default = "now()")]
        updated_at: String,
    }

    #[derive(Model)]
    #[model(
        table = "Delivery Note's",
        index(columns("lower(\"a.c\")", way), name = "Index of \"odd\" things")
    )]
    #[model(foreign_key(columns(order, placed_on), references = Order(id, placed_on), on_delete = "cascade"))]
    pub(super) struct DeliveryNote {
        #[model(primary_key, serial, column = "Id")]
        id: i32,
        order: i64,
        #[model(column = "placed on", sql_type = "date")]
        placed_on: String,
        #[model(column = "Way", default = "'Courier''s'")]
        way: Way,
        #[model(
            column = "Größe (cm)",
            sql_type = "numeric(6, 2)",
            check(name = "größer als 0", expr = "\"Größe (cm)\" > 0")
        )]
        size: Option<String>,
        #[model(column = "a.c", renamed_from = "a.b")]
        dotted: Option<String>,
        #[model(column = "say \"hi\"")]
        quoted: Option<String>,
        #[model(column = "weight; in 'g'", check("\"weight; in 'g'\" > 0"))]
        weight: Option<i32>,
    }

    #[derive(Model)]
    #[model(table = "favourites", primary_key(member_id, listing_id))]
    pub(super) struct Favourite {
        #[model(references = Member::id, on_delete = "cascade")]
        member_id: i32,
        #[model(references = Listing::id, on_delete = "cascade", index)]
        listing_id: i32,
    }
}

/// What the database's own functions name.
mod breaking {
    use super::{Category, Shop};
    use trueup::{Model, PgEnum};

    #[derive(PgEnum)]
    #[model(type = "listing_state")]
    pub(super) enum ListingState {
        Draft,
        Offered,
        #[model(renamed_from = "reserved")]
        Held,
        Sold,
    }

    #[derive(Model)]
    #[model(table = "listings")]
    #[model(index(columns(shop_id, state), name = "listings_shop_id"))]
    #[model(index(columns(search), method = "gin", name = "listings_search"))]
    #[model(index(
        columns(category_id, price(desc)),
        where = "state = 'offered'",
        name = "listings_by_category"
    ))]
    #[model(index(
        columns(attributes(opclass = "jsonb_path_ops")),
        method = "gin",
        name = "listings_attributes"
    ))]
    #[allow(
        clippy::duplicated_attributes,
        reason = "several indexes have a method"
    )]
    pub(super) struct Listing {
        #[model(primary_key, serial)]
        id: i32,
        #[model(references = Shop::id, on_delete = "cascade")]
        shop_id: i32,
        #[model(references = Category::id)]
        category_id: i32,
        title: String,
        #[model(default = "''", renamed_from = "body")]
        description: String,
        #[model(sql_type = "price")]
        price: String,
        #[model(default = "'draft'")]
        state: super::ListingState,
        #[model(sql_type = "tsvector", default = "''")]
        search: String,
        #[model(sql_type = "jsonb", default = "'{}'")]
        attributes: String,
        #[model(sql_type = "timestamp", default = "now()")]
        created_at: String,
        #[model(sql_type = "timestamp", default = "now()")]
        updated_at: String,
    }
}
