-- Which sightings came too late for their window? (by device and hour, the last 7 days)
SELECT
  date_trunc('hour', seen_at) AS hour,
  device_id,
  count(DISTINCT sighting_id) AS late_sightings,
  count(DISTINCT person_id) AS people
FROM streaming_results
WHERE query = 'late_sightings'
  AND dt >= date_format(current_date - INTERVAL '7' DAY, '%Y-%m-%d')
GROUP BY 1, 2
ORDER BY 1, 2;
