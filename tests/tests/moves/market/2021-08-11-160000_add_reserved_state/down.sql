DO $$ BEGIN RAISE EXCEPTION 'a label of an enum cannot be taken away'; END $$;
