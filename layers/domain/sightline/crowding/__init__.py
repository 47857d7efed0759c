"""More people at a device than its owner wants there: one alert per crowd."""
