-- A database in memory: filled, indexed, joined, grouped, changed. ROWS is replaced by the number of rows.
PRAGMA temp_store = memory;
CREATE TABLE person(id INTEGER PRIMARY KEY, name TEXT, town TEXT, born INTEGER);
CREATE TABLE payment(id INTEGER PRIMARY KEY, person INTEGER, amount REAL, note TEXT);
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ROWS)
INSERT INTO person SELECT i, 'person ' || i, 'town ' || (i * 7919 % 501), 1930 + i % 80 FROM n;
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ROWS * 2)
INSERT INTO payment SELECT i, 1 + i * 31 % ROWS, i * 0.37, printf('payment %d of %s', i, hex(i * 17)) FROM n;
CREATE INDEX person_town ON person(town);
CREATE INDEX payment_person ON payment(person);
SELECT town, count(*), sum(amount), max(length(note)) FROM person JOIN payment ON person.id = person GROUP BY town;
SELECT born, group_concat(name) FROM person GROUP BY born;
SELECT count(DISTINCT substr(note, 5, 9)) FROM payment WHERE note LIKE '%7%';
UPDATE payment SET note = upper(note) || ' (seen)' WHERE id % 2;
SELECT name FROM person WHERE id IN (SELECT person FROM payment WHERE note LIKE '%SEEN%') ORDER BY name DESC;
DELETE FROM payment WHERE amount < ROWS * 0.1;
SELECT sum(length(name)) FROM person;
