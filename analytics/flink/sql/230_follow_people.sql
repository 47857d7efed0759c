-- Who went from one device to another within ten minutes: two neighbouring sightings of a person.
INSERT INTO journeys
SELECT
  'journeys',
  person_id,
  from_device,
  to_device,
  DATE_FORMAT(CAST(left_at AS TIMESTAMP(3)), 'yyyy-MM-dd''T''HH:mm:ss.SSS''Z'''),
  DATE_FORMAT(CAST(arrived_at AS TIMESTAMP(3)), 'yyyy-MM-dd''T''HH:mm:ss.SSS''Z'''),
  TIMESTAMPDIFF(SECOND, left_at, arrived_at)
FROM (SELECT person_id, device_id, sighting_id, event_time FROM on_time WHERE person_id IS NOT NULL)
MATCH_RECOGNIZE (
  PARTITION BY person_id
  ORDER BY event_time, device_id, sighting_id
  MEASURES
    A.device_id AS from_device,
    B.device_id AS to_device,
    A.event_time AS left_at,
    B.event_time AS arrived_at
  ONE ROW PER MATCH
  AFTER MATCH SKIP TO LAST B
  PATTERN (A B) WITHIN INTERVAL '10' MINUTE
  DEFINE B AS B.device_id <> A.device_id
)
