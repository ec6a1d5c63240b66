CREATE SCHEMA r;
CREATE FUNCTION r.parent_comment_ids(path ltree) RETURNS SETOF int LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (SELECT comment_id::int FROM string_to_table(ltree2text(path), '.') AS comment_id LIMIT 1);
CREATE FUNCTION r.is_counted(item record) RETURNS bool LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN COALESCE(NOT item.removed, false);
END $$;
CREATE FUNCTION r.delete_follow_before_person() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM community_follower AS c WHERE c.person_id = OLD.id;
    RETURN OLD;
END $$;
CREATE TRIGGER delete_follow BEFORE DELETE ON person FOR EACH ROW EXECUTE FUNCTION r.delete_follow_before_person();
CREATE PROCEDURE r.create_report_trigger(target_table text) LANGUAGE plpgsql AS $a$
BEGIN
    EXECUTE format($b$
        CREATE FUNCTION r.touch_%1$s() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF NEW IS DISTINCT FROM OLD THEN NEW.updated := now(); END IF;
            RETURN NEW;
        END $$;
        CREATE TRIGGER touch BEFORE UPDATE ON %1$I FOR EACH ROW EXECUTE FUNCTION r.touch_%1$s();
    $b$, target_table);
END $a$;
CALL r.create_report_trigger('post');
CALL r.create_report_trigger('comment');
CALL r.create_report_trigger('community');
CALL r.create_report_trigger('instance');
CREATE FUNCTION r.count_statement() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE community_aggregates a SET comments = a.comments + d.n
    FROM (SELECT p.community_id, count(*) n FROM new_rows c JOIN post p ON p.id = c.post_id GROUP BY 1) d
    WHERE d.community_id = a.community_id;
    RETURN NULL;
END $$;
CREATE TRIGGER count_statement AFTER INSERT ON comment REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION r.count_statement();
CREATE TRIGGER refresh_activity AFTER TRUNCATE ON post FOR EACH STATEMENT EXECUTE FUNCTION refresh_community_activity();
CREATE FUNCTION r.no_self_block() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.person_id = NEW.target_id THEN RAISE EXCEPTION 'nobody blocks themselves'; END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER no_self_block BEFORE INSERT OR UPDATE ON person_block FOR EACH ROW EXECUTE FUNCTION r.no_self_block();
CREATE TRIGGER protect_language BEFORE UPDATE ON language FOR EACH ROW WHEN (OLD.id = 0) EXECUTE FUNCTION suppress_redundant_updates_trigger();
GRANT USAGE ON SCHEMA r TO forum_app;
