CREATE TABLE malformed_records (
  `query` STRING,
  payload STRING,
  reason STRING
) WITH (${results}, 'format' = 'json')
