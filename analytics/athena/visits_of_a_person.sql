-- When and where was a person? (the last 30 days; put in whom you ask for)
SELECT
  visit_id,
  device_id,
  max(coalesce(site, 'none')) AS site,
  min(seen_at) AS began,
  max(seen_at) AS ended,
  date_diff('millisecond', min(seen_at), max(seen_at)) / 1e3 AS seconds,
  count(DISTINCT sighting_id) AS sightings,
  max(similarity) AS best_similarity
FROM sightings
WHERE person_id = 'ada'
  AND visit_id IS NOT NULL
  AND dt >= date_format(current_date - INTERVAL '30' DAY, '%Y-%m-%d')
GROUP BY visit_id, device_id
ORDER BY began, visit_id;
