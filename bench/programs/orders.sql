-- A small shop in memory: inserts, indexes, a join with grouping, text, deletions and a rebuild.
PRAGMA cache_size = -65536;
CREATE TABLE customer(id INTEGER PRIMARY KEY, name TEXT, city TEXT);
CREATE TABLE purchase(id INTEGER PRIMARY KEY, customer INTEGER, amount REAL, note TEXT);

WITH RECURSIVE number(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < 20000)
INSERT INTO customer SELECT n, printf('customer %d', n * 7919 % 20011), 'city ' || (n * 31 % 97) FROM number;

WITH RECURSIVE number(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < 150000)
INSERT INTO purchase SELECT n, n * 7907 % 20000 + 1, (n * 104729 % 100000) / 100.0,
    substr('a note that some purchases have and that is cut somewhere', 1, n % 57) FROM number;

CREATE INDEX purchase_customer ON purchase(customer);
CREATE INDEX customer_city ON customer(city, name);

SELECT city, count(*), round(sum(amount), 2), max(length(note))
    FROM customer JOIN purchase ON purchase.customer = customer.id GROUP BY city ORDER BY 3 DESC LIMIT 10;
SELECT length(group_concat(name, ';')) FROM customer;
SELECT note, count(*) FROM purchase GROUP BY note ORDER BY 2 DESC, 1 LIMIT 5;
DELETE FROM purchase WHERE id % 3 = 0;
UPDATE purchase SET note = upper(note) || id WHERE id % 5 = 0;
VACUUM;
SELECT count(*), sum(length(note)) FROM purchase;
