-- How many people pass each site in each hour? (the last 7 days, hours in UTC)
SELECT
  date_trunc('hour', seen_at) AS hour,
  coalesce(site, 'none') AS site,
  count(DISTINCT person_id) AS people,
  count(DISTINCT visit_id) AS visits,
  count(DISTINCT sighting_id) AS sightings
FROM sightings
WHERE dt >= date_format(current_date - INTERVAL '7' DAY, '%Y-%m-%d')
GROUP BY 1, 2
ORDER BY 1, 2;
