-- Whether it is too many is for the device's own limit to say, which may change at any time.
INSERT INTO crowding
SELECT
  'crowding',
  device_id,
  site,
  DATE_FORMAT(window_start, 'yyyy-MM-dd''T''HH:mm:ss.SSS''Z'''),
  DATE_FORMAT(window_end, 'yyyy-MM-dd''T''HH:mm:ss.SSS''Z'''),
  people
FROM minutes
WHERE people >= ${crowding_floor}
