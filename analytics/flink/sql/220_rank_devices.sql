-- The five busiest devices of every minute.
INSERT INTO busiest_devices
SELECT
  'busiest_devices',
  DATE_FORMAT(window_start, 'yyyy-MM-dd''T''HH:mm:ss.SSS''Z'''),
  DATE_FORMAT(window_end, 'yyyy-MM-dd''T''HH:mm:ss.SSS''Z'''),
  place,
  device_id,
  people,
  sightings
FROM (
  SELECT
    *,
    ROW_NUMBER() OVER (
      PARTITION BY window_start, window_end ORDER BY people DESC, sightings DESC, device_id, site
    ) AS place
  FROM minutes
)
WHERE place <= 5
