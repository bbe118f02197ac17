"""What watches the service: health, statistics, and the monitoring loop."""
