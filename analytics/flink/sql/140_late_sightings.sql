CREATE TABLE late_sightings (
  `query` STRING,
  sighting_id STRING,
  device_id STRING,
  person_id STRING,
  seen_at STRING,
  window_start STRING
) WITH (${results}, 'format' = 'json')
