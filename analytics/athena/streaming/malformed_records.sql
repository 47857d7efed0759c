-- What came that is no sighting? (the last 7 days; how often, and the first characters)
SELECT
  dt,
  reason,
  payload,
  count(*) AS records
FROM streaming_results
WHERE query = 'malformed_records'
  AND dt >= date_format(current_date - INTERVAL '7' DAY, '%Y-%m-%d')
GROUP BY dt, reason, payload
ORDER BY dt, records DESC, payload;
