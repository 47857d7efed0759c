-- How many faces of each device matched nobody? (by day, the last 7 days; only devices that keep unknown faces have any)
SELECT
  dt,
  device_id,
  count(DISTINCT CASE WHEN person_id IS NULL THEN sighting_id END) AS unknown_faces,
  count(DISTINCT sighting_id) AS sightings,
  round(
    1e2 * count(DISTINCT CASE WHEN person_id IS NULL THEN sighting_id END) / count(DISTINCT sighting_id), 1
  ) AS percent
FROM sightings
WHERE dt >= date_format(current_date - INTERVAL '7' DAY, '%Y-%m-%d')
GROUP BY dt, device_id
HAVING count(DISTINCT CASE WHEN person_id IS NULL THEN sighting_id END) > 0
ORDER BY dt, unknown_faces DESC, device_id;
