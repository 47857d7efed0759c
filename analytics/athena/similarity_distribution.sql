-- How sure are the matches? Sightings and people per percent, and what a higher threshold would leave (the last 30 days)
WITH best AS (
  SELECT sighting_id, max(person_id) AS person_id, max(similarity) AS similarity
  FROM sightings
  WHERE similarity IS NOT NULL
    AND dt >= date_format(current_date - INTERVAL '30' DAY, '%Y-%m-%d')
  GROUP BY sighting_id
)
SELECT
  floor(similarity) AS from_percent,
  count(*) AS sightings,
  count(DISTINCT person_id) AS people,
  sum(count(*)) OVER (ORDER BY floor(similarity) DESC) AS sightings_from_here_up
FROM best
GROUP BY floor(similarity)
ORDER BY from_percent;
