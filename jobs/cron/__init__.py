"""Cron patterns: `parse` turns text into a `Schedule`, which knows its fire times in a time zone.

There are three layers, because none of the available libraries is right in all of them:

1. `parser` checks the text. A pattern means here what it means in crontab(5), or it is refused
   with a message that names the fix.
2. cronsim finds matching dates and times. It gets only lists of numbers and local times without a
   time zone. Its own rules for steps, for `*` in day fields and for clock changes are never used.
3. `schedule` turns local times into instants. It does what Debian's cron(8) does when the clocks
   change.

`describe` writes a pattern in English. Nothing here reads a clock: every instant is an argument.
"""

from jobs.cron.parser import CronError, parse
from jobs.cron.schedule import Schedule

__all__ = ["CronError", "Schedule", "parse"]
