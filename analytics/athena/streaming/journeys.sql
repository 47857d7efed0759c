-- Which ways did people take from one device to the next within 10 minutes, and how long did they need? (the last 7 days)
WITH steps AS (
  SELECT DISTINCT person_id, from_device, to_device, left_at, arrived_at, seconds
  FROM streaming_results
  WHERE query = 'journeys'
    AND dt >= date_format(current_date - INTERVAL '7' DAY, '%Y-%m-%d')
)
SELECT
  from_device,
  to_device,
  count(*) AS journeys,
  count(DISTINCT person_id) AS people,
  min(seconds) AS quickest_seconds,
  round(avg(seconds), 1) AS average_seconds,
  max(seconds) AS slowest_seconds
FROM steps
GROUP BY from_device, to_device
ORDER BY journeys DESC, from_device, to_device;
