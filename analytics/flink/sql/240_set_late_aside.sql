-- Too late for every window and journey, and told by itself. The window is the minute that it would have been in.
INSERT INTO late_sightings
SELECT
  'late_sightings',
  sighting_id,
  device_id,
  person_id,
  DATE_FORMAT(CAST(event_time AS TIMESTAMP(3)), 'yyyy-MM-dd''T''HH:mm:ss.SSS''Z'''),
  DATE_FORMAT(CAST(event_time AS TIMESTAMP(3)), 'yyyy-MM-dd''T''HH:mm:00.000''Z''')
FROM sightings
WHERE event_time <= CURRENT_WATERMARK(event_time)
