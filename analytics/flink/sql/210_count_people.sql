-- How many people a device saw in each minute. Every sighting that came in time is in exactly one row's sightings.
INSERT INTO people_per_minute
SELECT
  'people_per_minute',
  device_id,
  site,
  DATE_FORMAT(window_start, 'yyyy-MM-dd''T''HH:mm:ss.SSS''Z'''),
  DATE_FORMAT(window_end, 'yyyy-MM-dd''T''HH:mm:ss.SSS''Z'''),
  people,
  known_people,
  unknown_faces,
  sightings
FROM minutes
