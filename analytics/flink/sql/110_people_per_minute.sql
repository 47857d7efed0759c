CREATE TABLE people_per_minute (
  `query` STRING,
  device_id STRING,
  site STRING,
  window_start STRING,
  window_end STRING,
  people BIGINT,
  known_people BIGINT,
  unknown_faces BIGINT,
  sightings BIGINT
) WITH (${results}, 'format' = 'json')
