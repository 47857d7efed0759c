-- Which devices were the busiest, and in how many minutes the first? (the last 7 days)
WITH ranks AS (
  SELECT DISTINCT window_start, rank, device_id, people, sightings
  FROM streaming_results
  WHERE query = 'busiest_devices'
    AND dt >= date_format(current_date - INTERVAL '7' DAY, '%Y-%m-%d')
)
SELECT
  device_id,
  count(CASE WHEN rank = 1 THEN 1 END) AS minutes_first,
  count(*) AS minutes_among_the_busiest,
  max(people) AS most_people,
  sum(sightings) AS sightings
FROM ranks
GROUP BY device_id
ORDER BY minutes_first DESC, minutes_among_the_busiest DESC, device_id;
