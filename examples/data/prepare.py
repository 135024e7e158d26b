#!/usr/bin/env python3
"""Makes the bike-sharing data of the examples from `Bikeshare.csv` of the PyPI package ISLP 0.6.0.

    python3 prepare.py Bikeshare.csv bike-sharing
"""

import csv
import pathlib
import sys

MONTHS = ["Jan", "Feb", "March", "April", "May", "June", "July", "Aug", "Sept", "Oct", "Nov", "Dec"]
WEATHER = ["clear", "cloudy/misty", "light rain/snow", "heavy rain/snow"]
FEATURES = [
    "season",
    "mnth",
    "day",
    "hr",
    "holiday",
    "weekday",
    "workingday",
    "weathersit",
    "temp",
    "atemp",
    "hum",
    "windspeed",
]
ORDINALS = {"mnth": MONTHS, "weathersit": WEATHER}


def encoded(column, value):
    if column in ORDINALS:
        return str(ORDINALS[column].index(value) + 1)
    number = float(value)
    return str(int(number)) if number.is_integer() else repr(number)


def main(source, folder):
    with open(source, newline="") as file:
        rows = list(csv.DictReader(file))
    times = [(int(row["day"]), int(row["hr"])) for row in rows]
    if times != sorted(times):
        sys.exit(f"{source} is not in the order of time")

    # The past predicts the future: no row of the train set is later than one of the others.
    first, second = len(rows) * 70 // 100, len(rows) * 85 // 100
    parts = {"train": rows[:first], "validation": rows[first:second], "test": rows[second:]}
    folder.mkdir(parents=True, exist_ok=True)
    for name, part in parts.items():
        with open(folder / f"{name}.csv", "w", newline="") as file:
            lines = csv.writer(file, lineterminator="\n")
            lines.writerows([encoded(column, row[column]) for column in ["bikers"] + FEATURES] for row in part)
        print(f"{name}: {len(part)} rows, day {part[0]['day']} to {part[-1]['day']}")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(sys.argv[1], pathlib.Path(sys.argv[2]))
