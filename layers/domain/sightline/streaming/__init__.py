"""The Flink application of the streaming SQL: started when it is deployed, stopped before it goes."""
