"""What a chart is about: titles, names of categories and series, and numbers, all invented."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

LISTS: dict[str, list[str]] = {
    "Region": ["North", "South", "East", "West", "Central", "Highlands", "Coast", "Islands", "Capital area", "Lake district"],
    "Month": ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"],
    "Weekday": ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"],
    "Wochentag": ["Mo", "Di", "Mi", "Do", "Fr", "Sa", "So"],
    "Monat": ["Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September", "Oktober"],
    "Age group": ["0-14", "15-24", "25-34", "35-44", "45-54", "55-64", "65+"],
    "Fruit": ["Apples", "Pears", "Plums", "Cherries", "Quinces", "Grapes", "Figs", "Melons", "Lemons", "Dates"],
    "Country": ["Austria", "Brazil", "Canada", "Denmark", "Egypt", "Finland", "Ghana", "Hungary", "India", "Japan", "Kenya", "Peru"],
    "Land": ["Österreich", "Belgien", "Chile", "Dänemark", "Estland", "Frankreich", "Griechenland", "Irland", "Lettland"],
    "Reason": [
        "Too far from home", "Costs too much", "No time for it", "Not open on Sundays", "Prefer to stay at home", "Do not know it",
        "Other reasons",
    ],
    "Department": ["Sales", "Support", "Research", "Legal", "Purchasing", "Human resources", "Logistics", "Marketing"],
    "Sector": [
        "Agriculture and fishing", "Construction", "Manufacturing", "Retail trade", "Transport and storage", "Public services",
        "Hotels and restaurants", "Energy",
    ],
    "Trimestre": ["T1", "T2", "T3", "T4"],
    "Quarter": ["Q1 2023", "Q2 2023", "Q3 2023", "Q4 2023", "Q1 2024", "Q2 2024", "Q3 2024", "Q4 2024"],
    "Ville": ["Lyon", "Nantes", "Lille", "Rennes", "Dijon", "Brest", "Nancy", "Tours", "Annecy"],
    "Model": ["A100", "B200", "C300", "D400", "E500", "F600"],
    "Size": ["XS", "S", "M", "L", "XL", "XXL"],
    "Letter": list("ABCDEFGHIJKL"),
    "Class": ["1", "2", "3", "4", "5", "6", "7", "8", "9", "10"],
    "Answer": ["Very satisfied", "Satisfied", "Neutral", "Unsatisfied", "Very unsatisfied"],
}  # fmt: skip
ORDERED = ("Month", "Weekday", "Wochentag", "Monat", "Age group", "Quarter", "Trimestre", "Size", "Answer", "Letter", "Class")
SERIES: list[list[str]] = [
    ["Men", "Women"], ["2019", "2024"], ["Urban", "Rural"], ["Plan", "Actual"], ["Online", "Shops", "Partners"],
    ["Coal", "Gas", "Wind", "Solar", "Hydro"], ["Bus", "Tram", "Train", "Car"], ["Low", "Medium", "High"],
    ["Product A", "Product B", "Product C", "Product D"], ["Umsatz", "Kosten"], ["Export", "Import"],
    ["Strongly agree", "Agree", "Disagree"], ["Yes", "No", "Don't know"], ["Team Red", "Team Blue", "Team Gold"],
    ["under 30 years", "30 to 60 years", "over 60 years"], ["Berlin", "Madrid", "Oslo", "Rome"],
]  # fmt: skip
MEASURES: list[tuple[str, str]] = [
    ("Visitors", ""), ("Sales", "$"), ("Umsatz", "€"), ("Share of answers", "%"), ("Rainfall", "mm"), ("Energy use", "kWh"),
    ("Trees planted", ""), ("Average wage", "$"), ("Unemployment rate", "%"), ("Temperature", "°C"), ("Population", ""),
    ("Anteil", "%"), ("Anzahl", ""), ("Prix moyen", "€"), ("Distance", "km"), ("Score", ""), ("Weight", "kg"), ("Orders", ""),
    ("Growth", "%"), ("Hours worked", ""),
]  # fmt: skip
TITLES = (
    "{measure} by {dimension}", "{measure} per {dimension}", "{measure} in 2024", "How {measure} differ by {dimension}", "{measure}",
    "{measure} of the last years", "Report: {measure}", "{measure} ({unit})", "{measure} has changed more than expected",
)  # fmt: skip
NOTES = (
    "Source: own survey", "Note: figures are rounded.", "Source: annual report, page 12", "Quelle: eigene Erhebung",
    "Data: statistics office, 2024",
)  # fmt: skip


@dataclass
class Subject:
    """The data of a chart, before it is drawn. ``values`` has a row for each series, with a number for each category."""

    title: str
    x_title: str
    y_title: str
    unit: str
    categories: list[str]
    series: list[str]
    values: list[list[float]]
    ordered: bool


def subject(random: Random, most: int, series_count: int, *, positive: bool = False, time: bool = False) -> Subject:
    """A subject with at most ``most`` categories and ``series_count`` series; ``time``: the categories follow each other in time."""
    measure, unit = random.choice(MEASURES)
    if time and random.random() < 0.55:
        count = random.randint(4, max(5, most))
        first = random.randint(1960, 2024 - count)
        dimension, categories = random.choice(("Year", "Jahr", "Year", "")), [str(first + n) for n in range(count)]
    else:
        dimension = random.choice(ORDERED[:6] if time else list(LISTS))
        names = LISTS[dimension]
        count = random.randint(min(3, most), min(most, len(names)))
        start = random.randint(0, len(names) - count)
        categories = names[start : start + count] if dimension in ORDERED else random.sample(names, count)
    known = [names for names in SERIES if len(names) >= series_count and not set(names) & set(categories)]
    names = random.choice(known)[:series_count] if series_count > 1 else [""]
    values = numbers(random, len(categories), len(names), unit, positive=positive, smooth=time and random.random() < 0.7)
    title = random.choice(TITLES).format(measure=measure, dimension=dimension.lower() or "year", unit=unit or "total")
    axis = f"{measure} ({unit})" if unit and random.random() < 0.5 else measure
    return Subject(title, dimension, axis, unit, categories, names, values, bool(time or dimension in ORDERED))


def numbers(random: Random, count: int, series: int, unit: str, *, positive: bool, smooth: bool) -> list[list[float]]:
    """Rows of numbers of one size: even, uneven, rising, or with zeros and minus signs."""
    size = random.choice((1, 10, 100, 100, 1000, 20_000, 3e5, 4e6)) if unit != "%" else random.choice((10, 30, 60, 90))
    spread = random.choice((0.3, 0.6, 0.95))
    skewed = not smooth and random.random() < 0.3  # few large numbers and many small ones
    sign = not positive and random.random() < 0.12
    floor = 1 - spread
    rows = []
    for _ in range(series):
        level, slope = random.uniform(0.2, 1), random.uniform(-0.8, 1.2)
        row = []
        for _n in range(count):
            value = min(1.5, 0.25 * random.lognormvariate(0, 1)) if skewed else random.uniform(floor, 1)
            if smooth:
                level = max(0.05, level + random.gauss(0.02 * slope, 0.09))
                value = min(1.6, level)
            if sign:
                value -= random.choice((0.0, 0.6))
            row.append(value * size)
        rows.append([_rounded(value, size) for value in row])
    return rows


def _rounded(value: float, size: float) -> float:
    places = 2 if size <= 1 else 1 if size <= 100 else 0
    return round(value, places)
