CREATE TYPE "Way Of Delivery" AS ENUM ('by post', 'Courier''s', 'pick "up"');
CREATE TABLE "Delivery Note's" (
    "Id" SERIAL PRIMARY KEY,
    "order" BIGINT NOT NULL,
    "placed on" DATE NOT NULL,
    "Way" "Way Of Delivery" NOT NULL DEFAULT 'Courier''s',
    "Größe (cm)" NUMERIC(6, 2) CONSTRAINT "größer als 0" CHECK ("Größe (cm)" > 0),
    "a.b" TEXT,
    "say ""hi""" TEXT,
    FOREIGN KEY ("order", "placed on") REFERENCES orders (id, placed_on) ON DELETE CASCADE
);
CREATE INDEX "Index of ""odd"" things" ON "Delivery Note's" (lower("a.b"), "Way");
CREATE FUNCTION "Note It"() RETURNS trigger AS $$
BEGIN
    NEW."say ""hi""" := coalesce(NEW."say ""hi""", 'hi');
    RETURN NEW;
END
$$ LANGUAGE plpgsql;
CREATE TRIGGER "Note It!" BEFORE INSERT OR UPDATE ON "Delivery Note's" FOR EACH ROW EXECUTE FUNCTION "Note It"();
CREATE FUNCTION "Ways Of"("Order" bigint) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT string_agg("Way"::text, ', ') FROM "Delivery Note's" WHERE "order" = "Order"
$$;
