"""Ticks: from the cron schedule to the confirmed job."""
