DROP FUNCTION "Ways Of"(bigint);
DROP TABLE "Delivery Note's";
DROP FUNCTION "Note It"();
DROP TYPE "Way Of Delivery";
