-- How many people were at each device in each minute? (the last 7 days; a window that came twice is shown once)
SELECT DISTINCT
  window_start,
  device_id,
  coalesce(site, 'none') AS site,
  people,
  known_people,
  unknown_faces,
  sightings
FROM streaming_results
WHERE query = 'people_per_minute'
  AND dt >= date_format(current_date - INTERVAL '7' DAY, '%Y-%m-%d')
ORDER BY window_start, device_id;
