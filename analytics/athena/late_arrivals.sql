-- Which devices are late? Sightings that were written more than a minute after they were seen (the last 7 days)
WITH arrivals AS (
  SELECT
    sighting_id,
    max(device_id) AS device_id,
    date_diff('millisecond', min(seen_at), min(recorded_at)) / 1e3 AS seconds
  FROM sightings
  WHERE dt >= date_format(current_date - INTERVAL '7' DAY, '%Y-%m-%d')
  GROUP BY sighting_id
)
SELECT
  device_id,
  count(*) AS sightings,
  count(CASE WHEN seconds > 60 THEN 1 END) AS late,
  round(1e2 * count(CASE WHEN seconds > 60 THEN 1 END) / count(*), 1) AS percent,
  max(seconds) AS latest_seconds
FROM arrivals
GROUP BY device_id
ORDER BY late DESC, device_id;
