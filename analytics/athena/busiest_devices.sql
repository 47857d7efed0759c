-- Which ten devices have the most visits? (the last 7 days)
SELECT
  device_id,
  max(coalesce(site, 'none')) AS site,
  count(DISTINCT visit_id) AS visits,
  count(DISTINCT person_id) AS people,
  count(DISTINCT sighting_id) AS sightings,
  max(seen_at) AS last_seen_at
FROM sightings
WHERE dt >= date_format(current_date - INTERVAL '7' DAY, '%Y-%m-%d')
GROUP BY device_id
ORDER BY visits DESC, sightings DESC, device_id
LIMIT 10;
