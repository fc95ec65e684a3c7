PRAGMA journal_mode = DELETE;
CREATE TABLE item(id INTEGER PRIMARY KEY, name TEXT, weight REAL, parent INTEGER);
WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i + 1 FROM n WHERE i < 60000)
INSERT INTO item SELECT i, printf('item %d of %x', i * 7919 % 10007, i), i * 1.5, i / 3 FROM n;
CREATE INDEX item_name ON item(name);
CREATE INDEX item_parent ON item(parent, weight);
SELECT count(*), sum(weight), min(name), max(name) FROM item;
SELECT a.parent, count(*), group_concat(b.name, '+') FROM item a JOIN item b ON a.parent = b.id WHERE a.id % 997 = 3 GROUP BY a.parent ORDER BY 2 DESC, 1 LIMIT 20;
WITH RECURSIVE up(id, depth) AS (VALUES(59999, 0) UNION ALL SELECT item.parent, depth + 1 FROM item JOIN up USING(id) WHERE item.parent > 0)
SELECT * FROM up;
SELECT name, weight, sum(weight) OVER (PARTITION BY parent ORDER BY id) FROM item WHERE id < 40;
UPDATE item SET name = upper(name) || hex(id) WHERE id % 5 = 0;
DELETE FROM item WHERE id % 7 = 0;
CREATE TRIGGER echo AFTER INSERT ON item BEGIN UPDATE item SET weight = weight + 1 WHERE id = new.parent; END;
INSERT INTO item SELECT id + 100000, replace(name, 'I', 'i'), weight / 3, parent FROM item WHERE id < 5000;
SELECT json_group_array(json_object('id', id, 'name', name)) FROM item WHERE id BETWEEN 100 AND 120;
CREATE VIRTUAL TABLE words USING fts5(body);
INSERT INTO words SELECT name FROM item;
SELECT count(*) FROM words WHERE words MATCH 'of AND item';
EXPLAIN QUERY PLAN SELECT * FROM item WHERE parent = 5 ORDER BY weight;
VACUUM;
PRAGMA integrity_check;
