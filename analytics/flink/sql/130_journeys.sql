CREATE TABLE journeys (
  `query` STRING,
  person_id STRING,
  from_device STRING,
  to_device STRING,
  left_at STRING,
  arrived_at STRING,
  seconds INT
) WITH (${results}, 'format' = 'json')
