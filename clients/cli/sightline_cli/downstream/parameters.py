"""Parameters of the template with which a stack on this machine has every consumer, as fast as it can be."""

# The shortest time that Firehose takes with Parquet and partitions.
LAKE_AT_ONCE = {"Lake": "true", "LakeBufferSeconds": "60"}
# Firehose copies as often as it can; whoever wants to see the rows merges.
WAREHOUSE_AT_ONCE = {
    "Warehouse": "serverless",
    "WarehouseBufferSeconds": "60",
    "WarehouseMergeMinutes": "1440",
}
EVERY_CONSUMER = {"StreamingSql": "true", "Presence": "true", **LAKE_AT_ONCE, **WAREHOUSE_AT_ONCE}
