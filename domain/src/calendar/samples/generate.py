#!/usr/bin/env python3
"""Expected results for the tests of `calendar`, by Python's zoneinfo and by stepping alone.

Writes beside itself:
- zones.json: every zone's offset and its changes in the years 2026 to 2031; zones that agree
  share an entry.
- nights.json: questions and answers around gaps and folds; moments are seconds. Rows are
  ["moment", zone, local, answer], ["next_at", zone, now, time, answer],
  ["day", zone, now, start, next] and ["window", zone, now, days, from, to, inside, flips].

Run it again when the tables of the zones are renewed: `python3 generate.py`. The output depends on
nothing but the machine's tzdata, whose version is written into zones.json.
"""
import json
import os
from datetime import datetime, timedelta, timezone
from zoneinfo import TZPATH, ZoneInfo, available_timezones

HERE = os.path.dirname(os.path.abspath(__file__))
UTC = timezone.utc
BEGIN, END = datetime(2026, 1, 1, tzinfo=UTC), datetime(2032, 1, 1, tzinfo=UTC)
NOT_ZONES = {"localtime", "posixrules", "Factory"}
MINUTE = timedelta(minutes=1)


def seconds(moment):
    return int(moment.timestamp())


def offset(zone, moment):
    return int(moment.astimezone(zone).utcoffset().total_seconds())


def changes(zone, begin, end):
    """Every change of the offset: [second, offset from then on]."""
    found, at = [], begin
    while at < end:
        following = min(at + timedelta(hours=12), end)
        if offset(zone, at) != offset(zone, following):
            low, high = seconds(at), seconds(following)
            while high - low > 1:
                middle = (low + high) // 2
                if offset(zone, datetime.fromtimestamp(middle, UTC)) == offset(zone, at):
                    low = middle
                else:
                    high = middle
            found.append([high, offset(zone, datetime.fromtimestamp(high, UTC))])
        at = following
    return found


def zones():
    groups = {}
    for name in sorted(available_timezones() - NOT_ZONES):
        zone = ZoneInfo(name)
        key = (offset(zone, BEGIN), json.dumps(changes(zone, BEGIN, END)))
        groups.setdefault(key, []).append(name)
    return [{"zones": names, "offset": first, "changes": json.loads(rest)} for (first, rest), names in sorted(groups.items(), key=lambda g: g[1][0])]


def tzdata_version():
    for folder in TZPATH:
        path = os.path.join(folder, "tzdata.zi")
        if os.path.exists(path):
            with open(path, encoding="ascii") as file:
                return file.readline().split()[-1]
    return "unknown"


# --- nights.json: all by stepping a minute at a time over the wall clock ---------------------------

def wall(zone, moment):
    return moment.astimezone(zone).replace(tzinfo=None)


def step(zone, moment, wanted):
    """The first minute from `moment` on at which `wanted(wall clock)`."""
    while not wanted(wall(zone, moment)):
        moment += MINUTE
    return moment


def clock(text):
    hours, minutes = text.split(":")
    return int(hours) * 60 + int(minutes)


def inside(days, begin, end):
    """Is a wall clock inside windows on these days (0 is Monday)?"""
    begin, end = clock(begin), clock(end)

    def answer(shown):
        minute, day = shown.hour * 60 + shown.minute, shown.weekday()
        if begin < end:
            return day in days and begin <= minute < end
        return (day in days and minute >= begin) or ((day - 1) % 7 in days and minute < end)

    return answer


def moment_of(zone, local):
    """The first moment at which the wall clock has reached `local`."""
    start = (local - timedelta(hours=30)).replace(tzinfo=UTC)
    return step(zone, start, lambda shown: shown >= local)


NIGHTS = [
    ("America/New_York", "2026-03-08"), ("America/New_York", "2026-11-01"),
    ("Europe/Berlin", "2026-03-29"), ("Europe/Berlin", "2026-10-25"),
    ("Australia/Lord_Howe", "2026-04-05"), ("Australia/Lord_Howe", "2026-10-04"),
    ("America/Sao_Paulo", "2018-02-18"), ("America/Sao_Paulo", "2018-11-04"),
    ("Pacific/Apia", "2011-12-30"), ("Pacific/Apia", "2012-04-01"),
    ("Africa/Casablanca", "2026-02-15"), ("Africa/Casablanca", "2026-03-22"),
    ("America/Havana", "2026-03-08"), ("America/Havana", "2026-11-01"),
    ("Africa/Cairo", "2026-04-24"), ("Africa/Cairo", "2026-10-30"),
    ("America/Nuuk", "2026-03-28"), ("America/Nuuk", "2026-10-24"),
    ("Antarctica/Troll", "2026-03-29"), ("Antarctica/Troll", "2026-10-25"),
    ("America/St_Johns", "2006-04-02"), ("America/St_Johns", "2006-10-29"),
    ("Pacific/Kwajalein", "1993-08-21"), ("Asia/Pyongyang", "2018-05-05"),
    ("Asia/Seoul", "2026-11-21"), ("Asia/Kathmandu", "2026-11-21"),
]
TIMES = ["00:00", "00:30", "01:00", "01:30", "01:45", "02:00", "02:15", "02:30", "03:00", "12:00"]
WINDOWS = [("22:00", "07:00"), ("01:15", "02:15"), ("02:30", "01:30"), ("00:00", "00:30"), ("02:00", "03:00")]
STARTS = [-20, -4, 0, 1, 2, 3]  # hours from the local midnight


def nights():
    rows = []
    for name, date in NIGHTS:
        zone, midnight = ZoneInfo(name), datetime.fromisoformat(date)
        for text in TIMES:
            local = midnight + timedelta(minutes=clock(text))
            rows.append(["moment", name, local.isoformat(timespec="minutes"), seconds(moment_of(zone, local))])
        base = moment_of(zone, midnight)
        for hours in STARTS:
            now = base + timedelta(hours=hours)
            today = wall(zone, now).replace(hour=0, minute=0)
            for text in TIMES[::3]:
                candidates = (moment_of(zone, today + timedelta(days=day, minutes=clock(text))) for day in range(-1, 4))
                rows.append(["next_at", name, seconds(now), text, seconds(min(c for c in candidates if c > now))])
            starts = [moment_of(zone, today + timedelta(days=day)) for day in range(-2, 4)]
            rows.append(["day", name, seconds(now), seconds(max(s for s in starts if s <= now)), seconds(min(s for s in starts if s > now))])
            for days in ([0, 1, 2, 3, 4, 5, 6], [midnight.weekday()]):
                for begin, end in WINDOWS:
                    is_inside = inside(days, begin, end)
                    covered = is_inside(wall(zone, now))
                    flips = step(zone, now, lambda shown: is_inside(shown) != covered)
                    rows.append(["window", name, seconds(now), days, begin, end, covered, seconds(flips)])
    return rows


def write(name, rows, head):
    with open(os.path.join(HERE, name), "w", encoding="ascii") as file:
        file.write("{" + "".join(f"{json.dumps(key)}: {json.dumps(value)}, " for key, value in head.items()) + '"rows": [\n')
        file.write(",\n".join(json.dumps(row, separators=(",", ":")) for row in rows))
        file.write("\n]}\n")


write("zones.json", zones(), {"tzdata": tzdata_version(), "from": seconds(BEGIN), "to": seconds(END)})
write("nights.json", nights(), {})
