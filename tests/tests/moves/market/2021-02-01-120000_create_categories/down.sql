DROP FUNCTION ancestors(ltree);
DROP TABLE categories;
DROP FUNCTION move_below();
DROP EXTENSION ltree;
