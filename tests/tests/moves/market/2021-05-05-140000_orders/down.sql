DROP TABLE order_lines;
DROP TABLE orders;
DROP FUNCTION verify_total();
DROP FUNCTION order_lines_changed();
DROP FUNCTION order_total(bigint);
DROP FUNCTION set_order_number();
DROP SEQUENCE order_numbers;
