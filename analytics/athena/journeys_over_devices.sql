-- Which ways do people take from one device to the next, within half an hour? (the last 7 days)
WITH visits AS (
  SELECT person_id, device_id, visit_id, min(seen_at) AS began, max(seen_at) AS ended
  FROM sightings
  WHERE person_id IS NOT NULL
    AND visit_id IS NOT NULL
    AND dt >= date_format(current_date - INTERVAL '7' DAY, '%Y-%m-%d')
  GROUP BY person_id, device_id, visit_id
),
steps AS (
  SELECT
    person_id,
    device_id AS from_device,
    lead(device_id) OVER (PARTITION BY person_id ORDER BY began, visit_id) AS to_device,
    date_diff(
      'millisecond', ended, lead(began) OVER (PARTITION BY person_id ORDER BY began, visit_id)
    ) / 1e3 AS seconds
  FROM visits
)
SELECT
  from_device,
  to_device,
  count(*) AS journeys,
  count(DISTINCT person_id) AS people,
  min(seconds) AS quickest_seconds,
  max(seconds) AS slowest_seconds
FROM steps
WHERE to_device <> from_device
  AND seconds <= 1800
GROUP BY from_device, to_device
ORDER BY journeys DESC, from_device, to_device;
