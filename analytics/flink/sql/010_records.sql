-- Every record of the sightings stream. A malformed one has its reason and payload instead of a sighting; its time
-- is the oldest there is, so that it moves no watermark.
CREATE TABLE records (
  sighting_id STRING,
  device_id STRING,
  site STRING,
  person_id STRING,
  seen_at TIMESTAMP_LTZ(3),
  malformed STRING,
  payload STRING,
  event_time AS COALESCE(seen_at, TO_TIMESTAMP_LTZ(0, 3)),
  arrived_at AS PROCTIME(),
  WATERMARK FOR event_time AS CAST(event_time AS TIMESTAMP_LTZ(0)) - INTERVAL '${late_after_seconds}' SECOND(3)
) WITH (${sightings}, 'format' = 'sightings')
