-- What is no sighting at all.
INSERT INTO malformed_records
SELECT 'malformed_records', payload, malformed
FROM records
WHERE malformed IS NOT NULL
