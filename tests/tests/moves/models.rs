//! Models of half of the forum's tables.

#![allow(dead_code, reason = "only what they declare is of interest")]
#![allow(
    clippy::struct_excessive_bools,
    clippy::duplicated_attributes,
    reason = "tables are as people make them"
)]

use std::borrow::Cow;

use serde_json::Value;
use trueup::{Model, PgEnum, PgType};

use schema::{instance, language, person_block};

mod schema {
    diesel::table! {
        instance (id) { id -> Int4, domain -> Varchar, }
    }

    diesel::table! {
        person_block (person_id, target_id) { person_id -> Int4, target_id -> Int4, }
    }

    diesel::table! {
        language (id) { id -> Int4, code -> Varchar, name -> Text, }
    }
}

#[derive(Model)]
#[diesel(table_name = instance)]
pub(super) struct Instance {
    #[model(primary_key, serial)]
    id: i32,
    #[model(unique, sql_type = "varchar(255)")]
    domain: String,
    #[model(sql_type = "varchar(255)")]
    software: Option<String>,
    #[model(sql_type = "varchar(255)")]
    version: Option<String>,
    #[model(default = "now()")]
    published: Time,
    updated: Option<Time>,
}

#[derive(Model)]
#[model(
    table = "person",
    unique(actor_id),
    index("lower(actor_id)", unique, name = "idx_person_lower_actor_id"),
    index(published(desc), name = "idx_person_published"),
    check(r"matrix_user_id is null or matrix_user_id ~* '^@[A-Za-z0-9\.-]+:[A-Za-z0-9.-]+\.[A-Za-z]{2,4}$'"),
    check(name = "person_name_length", expr = "length(name::text) < 256", not_valid)
)]
pub(super) struct Person {
    #[model(primary_key, serial)]
    id: i32,
    #[model(sql_type = "citext")]
    name: String,
    #[model(sql_type = "varchar(255)")]
    display_name: Option<String>,
    avatar: Option<String>,
    #[model(default = "false")]
    banned: bool,
    #[model(default = "now()")]
    published: Time,
    #[model(default = "now()")]
    updated_at: Time,
    #[model(sql_type = "varchar(255)")]
    actor_id: String,
    bio: Option<String>,
    #[model(default = "true")]
    local: bool,
    private_key: Option<String>,
    public_key: String,
    #[model(default = "false")]
    deleted: bool,
    #[model(references = Instance::id, on_update = "cascade", on_delete = "cascade")]
    instance_id: i32,
    matrix_user_id: Option<String>,
    ban_expires: Option<Time>,
}

#[derive(PgEnum)]
#[model(type = "sort_type_enum", rename_all = "PascalCase")]
pub(super) enum SortType {
    Active,
    Hot,
    New,
    NewComments,
    Old,
    TopDay,
    TopWeek,
    MostComments,
}

#[derive(Model)]
#[model(
    table = "local_user",
    index(
        "lower(email::text)",
        unique,
        where = "email is not null",
        name = "local_user_email_key"
    )
)]
pub(super) struct LocalUser {
    #[model(primary_key, serial)]
    id: i32,
    #[model(unique, references = Person::id, on_update = "cascade", on_delete = "cascade")]
    person_id: i32,
    password_encrypted: String,
    #[model(sql_type = "citext")]
    email: Option<String>,
    #[model(default = "false")]
    show_nsfw: bool,
    #[model(default = "'browser'")]
    theme: String,
    #[model(default = "'Active'")]
    default_sort_type: SortType,
    #[model(default = "'Local'", sql_type = "listing_type_enum")]
    default_listing_type: String,
    #[model(default = "'browser'", sql_type = "varchar(20)")]
    lang: String,
    #[model(default = "now()")]
    validator_time: Time,
    totp_2fa_secret: Option<String>,
}

#[derive(Model)]
#[diesel(table_name = language)]
pub(super) struct Language {
    #[model(primary_key, identity = "by default")]
    id: i32,
    #[model(sql_type = "varchar(3)")]
    code: String,
    name: String,
}

#[derive(Model)]
#[model(
    table = "community",
    unique(name, instance_id),
    index(
        "immutable_unaccent(lower(title))",
        name = "idx_community_title_unaccent"
    )
)]
pub(super) struct Community {
    #[model(primary_key, serial)]
    id: i32,
    #[model(sql_type = "citext")]
    name: String,
    #[model(sql_type = "varchar(255)")]
    title: String,
    description: Option<String>,
    #[model(default = "false")]
    removed: bool,
    #[model(default = "now()")]
    published: Time,
    updated: Option<Time>,
    #[model(default = "false")]
    nsfw: bool,
    #[model(
        sql_type = "varchar(255)",
        unique,
        default = "'http://changeme/' || encode(gen_random_bytes(12), 'hex')"
    )]
    actor_id: String,
    #[model(references = Instance::id, on_update = "cascade", on_delete = "cascade")]
    instance_id: i32,
    #[model(sql_type = "community_visibility", default = "'Public'")]
    visibility: String,
    #[model(default = "false")]
    posting_restricted_to_mods: bool,
}

#[derive(Model)]
#[model(
    table = "post",
    index(community_id, name = "idx_post_community"),
    index(creator_id, include(community_id), name = "idx_post_creator"),
    index(
        columns(name(opclass = "gin_trgm_ops"), body(opclass = "gin_trgm_ops")),
        method = "gin",
        name = "idx_post_trigram"
    ),
    index(url, where = "url is not null", name = "idx_post_url"),
    index(search, method = "gin", name = "idx_post_search"),
    index(score(desc), published(desc), name = "idx_post_hot"),
    check(name = "post_url_http", expr = "url ~ '^https?://'", not_valid)
)]
pub(super) struct Post {
    #[model(primary_key, serial)]
    id: i32,
    #[model(sql_type = "varchar(200)")]
    name: String,
    #[model(sql_type = "varchar(512)")]
    url: Option<String>,
    body: Option<String>,
    #[model(references = Person::id, on_update = "cascade", on_delete = "cascade")]
    creator_id: i32,
    #[model(references = Community::id, on_update = "cascade", on_delete = "cascade")]
    community_id: i32,
    #[model(references = Language::id, default = "0")]
    language_id: i32,
    #[model(default = "false")]
    removed: bool,
    #[model(default = "false")]
    locked: bool,
    #[model(default = "now()")]
    published: Time,
    updated: Option<Time>,
    #[model(sql_type = "varchar(255)", unique(name = "idx_post_ap_id"))]
    ap_id: String,
    #[model(default = "0")]
    score: i64,
    embed_title: Option<String>,
    embed_text: Option<String>,
    #[model(
        sql_type = "tsvector",
        generated = "to_tsvector('simple', coalesce(name, '') || ' ' || coalesce(body, ''))"
    )]
    search: Option<String>,
}

#[derive(Model)]
#[model(
    table = "comment",
    index(path, method = "gist", name = "idx_path_gist"),
    index(
        content(opclass = "gin_trgm_ops"),
        method = "gin",
        name = "idx_comment_content_trigram"
    )
)]
pub(super) struct Comment {
    #[model(primary_key, serial)]
    id: i32,
    #[model(references = Person::id, on_update = "cascade", on_delete = "cascade")]
    creator_id: i32,
    #[model(references = Post::id, on_update = "cascade", on_delete = "cascade")]
    post_id: i32,
    content: String,
    #[model(default = "false")]
    removed: bool,
    #[model(default = "now()")]
    published: Time,
    updated: Option<Time>,
    #[model(sql_type = "varchar(255)", unique)]
    ap_id: String,
    #[model(sql_type = "ltree", default = "'0'")]
    path: String,
    #[model(default = "false")]
    distinguished: bool,
    #[model(references = Language::id, default = "0")]
    language_id: i32,
}

#[derive(Model)]
#[model(
    table = "post_like",
    primary_key(person_id, post_id),
    check("score in (-1, 1)")
)]
pub(super) struct PostLike {
    #[model(references = Post::id, on_update = "cascade", on_delete = "cascade")]
    post_id: i32,
    #[model(references = Person::id, on_update = "cascade", on_delete = "cascade")]
    person_id: i32,
    score: i16,
    #[model(default = "now()")]
    published: Time,
}

#[derive(Model)]
#[model(table = "private_message", check("creator_id <> recipient_id"))]
pub(super) struct PrivateMessage {
    #[model(primary_key, serial)]
    id: i32,
    #[model(references = Person::id, on_update = "cascade", on_delete = "cascade")]
    creator_id: i32,
    #[model(references = Person::id, on_update = "cascade", on_delete = "cascade")]
    recipient_id: i32,
    content: String,
    #[model(default = "false")]
    deleted: bool,
    #[model(default = "false")]
    read: bool,
    #[model(default = "now()")]
    published: Time,
    #[model(default = "now()")]
    updated_at: Time,
    #[model(sql_type = "url_text", unique)]
    ap_id: String,
}

#[derive(Model)]
#[diesel(table_name = person_block, primary_key(person_id, target_id))]
pub(super) struct PersonBlock {
    #[model(references = Person::id, on_update = "cascade", on_delete = "cascade")]
    person_id: i32,
    #[model(references(
        Person::id,
        name = "person_block_target_id_fkey",
        not_valid,
        on_delete = "cascade"
    ))]
    target_id: i32,
    #[model(default = "now()")]
    published: Time,
}

#[derive(Model)]
#[model(
    table = "notification",
    check(name = "one_target", expr = "num_nonnulls(comment_id, message_id) = 1"),
    index(recipient_id, where = "not read")
)]
pub(super) struct Notification {
    #[model(primary_key, identity = "always")]
    id: i64,
    #[model(references = Person::id, on_delete = "cascade")]
    recipient_id: i32,
    #[model(references = Comment::id, on_delete = "cascade")]
    comment_id: Option<i32>,
    #[model(references = PrivateMessage::id, on_delete = "cascade")]
    message_id: Option<i32>,
    #[model(default = "'mention'")]
    kind: String,
    #[model(default = "false")]
    read: bool,
    payload: Option<Value>,
    #[model(default = "now()")]
    created_at: Time,
}

#[derive(PgEnum)]
#[model(type = "mod_action", rename_all = "PascalCase")]
pub(super) enum ModAction {
    RemovePost,
    LockPost,
    RemoveComment,
    Ban,
    Unban,
}

#[derive(Model)]
#[model(
    table = "mod_log",
    primary_key(id, when_),
    partition_by(range(when_)),
    partition("mod_log_2022_07", from = "'2022-07-01'", to = "'2022-08-01'"),
    partition("mod_log_2022_08", from = "'2022-08-01'", to = "'2022-09-01'"),
    partition("mod_log_default", default),
    index(moderator_id)
)]
pub(super) struct ModLog {
    #[model(serial)]
    id: i64,
    #[model(references = Person::id, on_update = "cascade", on_delete = "cascade")]
    moderator_id: i32,
    action: ModAction,
    reason: Option<String>,
    #[model(default = "'{}'")]
    target: Value,
    #[model(default = "now()")]
    when_: Time,
}
