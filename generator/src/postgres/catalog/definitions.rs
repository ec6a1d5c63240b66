//! The query about what no kind reads: its name in Postgres' words, and the statements that make it where Postgres prints them
//! or where they are put together of parts that it prints.
//!
//! Invariant: a definition is complete or there is none. `pg_dump` is the judge of that wherever one is used.

use trueup::Server;

/// The query, with the addresses' classes as `$1`, their oids as `$2` and the numbers of their parts as `$3`.
pub(super) fn query(server: Server) -> String {
    let [published_columns, published_rows] = published(server);
    format!(
        "SELECT a.class, a.object, a.sub, i.type AS kind, i.identity AS name,
        array_to_json(array_remove(ARRAY[
            CASE WHEN c.oid IS NOT NULL OR t.typrelid <> 0 THEN jsonb_build_object('relation',
                jsonb_build_object('namespace', n.nspname, 'name', COALESCE(c.relname, t.typname))) END,
            CASE WHEN t.oid IS NOT NULL THEN jsonb_build_object('type',
                jsonb_build_object('namespace', n.nspname, 'name', t.typname)) END
        ], NULL))::text AS occupies,
        array_to_json(array_remove(CASE
            WHEN f.oid IS NOT NULL THEN ARRAY[
                pg_catalog.pg_get_functiondef(f.oid),
                'COMMENT ON ROUTINE ' || f.oid::pg_catalog.regprocedure || ' IS '
                    || quote_literal(pg_catalog.obj_description(f.oid, 'pg_proc'))]
            WHEN g.oid IS NOT NULL THEN ARRAY[
                pg_catalog.pg_get_triggerdef(g.oid),
                'ALTER TABLE ' || g.tgrelid::pg_catalog.regclass || CASE g.tgenabled
                    WHEN 'D' THEN ' DISABLE TRIGGER '
                    WHEN 'R' THEN ' ENABLE REPLICA TRIGGER '
                    WHEN 'A' THEN ' ENABLE ALWAYS TRIGGER ' END || quote_ident(g.tgname),
                'COMMENT ON TRIGGER ' || quote_ident(g.tgname) || ' ON ' || g.tgrelid::pg_catalog.regclass || ' IS '
                    || quote_literal(pg_catalog.obj_description(g.oid, 'pg_trigger'))]
            WHEN p.oid IS NOT NULL THEN ARRAY[
                'CREATE POLICY ' || quote_ident(p.polname) || ' ON ' || p.polrelid::pg_catalog.regclass
                    || CASE WHEN p.polpermissive THEN '' ELSE ' AS RESTRICTIVE' END
                    || CASE p.polcmd WHEN 'r' THEN ' FOR SELECT' WHEN 'a' THEN ' FOR INSERT' WHEN 'w' THEN ' FOR UPDATE'
                        WHEN 'd' THEN ' FOR DELETE' ELSE '' END
                    || COALESCE(' TO ' || (SELECT string_agg(quote_ident(r.rolname), ', ' ORDER BY r.rolname)
                        FROM pg_catalog.pg_roles r WHERE r.oid = ANY (p.polroles)), '')
                    || COALESCE(' USING (' || pg_catalog.pg_get_expr(p.polqual, p.polrelid) || ')', '')
                    || COALESCE(' WITH CHECK (' || pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid) || ')', ''),
                'COMMENT ON POLICY ' || quote_ident(p.polname) || ' ON ' || p.polrelid::pg_catalog.regclass || ' IS '
                    || quote_literal(pg_catalog.obj_description(p.oid, 'pg_policy'))]
            WHEN m.oid IS NOT NULL THEN ARRAY[
                'ALTER PUBLICATION ' || quote_ident(b.pubname) || ' ADD TABLE ONLY ' || m.prrelid::pg_catalog.regclass
                    || {published_columns} || {published_rows}]
            WHEN d.oid IS NOT NULL THEN ARRAY[
                'CREATE DOMAIN ' || d.oid::pg_catalog.regtype || ' AS ' || pg_catalog.format_type(d.typbasetype, d.typtypmod)
                    || COALESCE(' COLLATE ' || (SELECT l.oid::pg_catalog.regcollation FROM pg_catalog.pg_collation l
                        JOIN pg_catalog.pg_type s ON s.oid = d.typbasetype
                        WHERE l.oid = d.typcollation AND d.typcollation <> s.typcollation), '')
                    || COALESCE(' DEFAULT ' || d.typdefault, '') || CASE WHEN d.typnotnull THEN ' NOT NULL' ELSE '' END
                    || COALESCE((SELECT string_agg(' CONSTRAINT ' || quote_ident(k.conname) || ' '
                        || pg_catalog.pg_get_constraintdef(k.oid), '' ORDER BY k.conname)
                        FROM pg_catalog.pg_constraint k WHERE k.contypid = d.oid AND k.contype = 'c' AND k.convalidated), ''),
                'COMMENT ON DOMAIN ' || d.oid::pg_catalog.regtype || ' IS '
                    || quote_literal(pg_catalog.obj_description(d.oid, 'pg_type'))]
            ELSE ARRAY[]::text[]
        END, NULL))::text AS definition
    FROM unnest($1, $2, $3) AS a(class, object, sub)
        CROSS JOIN LATERAL pg_catalog.pg_identify_object(a.class::oid, a.object::oid, a.sub::int4) i
        LEFT JOIN pg_catalog.pg_class c
            ON a.class = 'pg_catalog.pg_class'::regclass::int8 AND c.oid = a.object::oid
        LEFT JOIN pg_catalog.pg_type t
            ON a.class = 'pg_catalog.pg_type'::regclass::int8 AND t.oid = a.object::oid OR t.oid = c.reltype
        LEFT JOIN pg_catalog.pg_namespace n ON n.oid = COALESCE(c.relnamespace, t.typnamespace)
        LEFT JOIN pg_catalog.pg_proc f
            ON a.class = 'pg_catalog.pg_proc'::regclass::int8 AND f.oid = a.object::oid AND f.prokind <> 'a'
        LEFT JOIN pg_catalog.pg_trigger g
            ON a.class = 'pg_catalog.pg_trigger'::regclass::int8 AND g.oid = a.object::oid
        LEFT JOIN pg_catalog.pg_policy p
            ON a.class = 'pg_catalog.pg_policy'::regclass::int8 AND p.oid = a.object::oid
        LEFT JOIN pg_catalog.pg_publication_rel m
            ON a.class = 'pg_catalog.pg_publication_rel'::regclass::int8 AND m.oid = a.object::oid
        LEFT JOIN pg_catalog.pg_type d ON d.oid = t.oid AND d.typtype = 'd' AND NOT EXISTS (
            SELECT FROM pg_catalog.pg_constraint k WHERE k.contypid = d.oid AND NOT k.convalidated)
        LEFT JOIN pg_catalog.pg_publication b ON b.oid = m.prpubid
    WHERE i.identity IS NOT NULL"
    )
}

/// The columns and the rows of a table that a publication is narrowed to.
fn published(server: Server) -> [&'static str; 2] {
    if !server.at_least(15) {
        return ["''", "''"];
    }
    [
        "COALESCE(' (' || (SELECT string_agg(quote_ident(k.attname), ', ' ORDER BY k.attnum)
            FROM pg_catalog.pg_attribute k WHERE k.attrelid = m.prrelid AND k.attnum = ANY (m.prattrs)) || ')', '')",
        "COALESCE(' WHERE (' || pg_catalog.pg_get_expr(m.prqual, m.prrelid) || ')', '')",
    ]
}
