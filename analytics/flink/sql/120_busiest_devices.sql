CREATE TABLE busiest_devices (
  `query` STRING,
  window_start STRING,
  window_end STRING,
  `rank` BIGINT,
  device_id STRING,
  people BIGINT,
  sightings BIGINT
) WITH (${results}, 'format' = 'json')
