-- Each sighting once: the first of its id, remembered for a day. Nobody known is NULL.
CREATE VIEW sightings AS
SELECT sighting_id, device_id, site, NULLIF(person_id, '') AS person_id, event_time
FROM (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY sighting_id ORDER BY arrived_at) AS occurrence
  FROM records
  WHERE malformed IS NULL
)
WHERE occurrence = 1
