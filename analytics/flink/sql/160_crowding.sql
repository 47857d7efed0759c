CREATE TABLE crowding (
  `query` STRING,
  device_id STRING,
  site STRING,
  window_start STRING,
  window_end STRING,
  people BIGINT
) WITH (${crowding}, 'format' = 'json')
