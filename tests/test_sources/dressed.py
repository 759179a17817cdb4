"""What every source's test does with a dressed download."""

import csv
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module

from mmmammo.phantom.config import PhantomConfig
from mmmammo.phantom.exam import make_exam
from mmmammo.prepare import PrepareOptions, prepare_dataset


def phantom_exams(count, seed=0):
    return [make_exam(PhantomConfig(height=256), seed, index) for index in range(count)]


def quality_rows(source, raw, out, **options):
    """Rows of ``quality.csv`` by path, of the set that is prepared here."""
    module = import_module(f'mmmammo.sources.{source}')
    with ThreadPoolExecutor(1) as executor:
        prepare_dataset(
            module.list_records(raw, **options),
            out,
            PrepareOptions(crop=False),
            categories=module.CATEGORIES,
            source=source,
            executor=executor,
        )
    with (out / 'quality.csv').open(newline='', encoding='utf-8') as file:
        return {row['path']: row for row in csv.DictReader(file)}


def wrong_rows(rows, planted):
    """Planted faults that became something else, and rows that are not accepted though nothing was planted."""
    said = {fault.path: fault for fault in planted}
    missed = [
        (fault, rows.get(fault.path))
        for fault in planted
        if fault.path not in rows
        or rows[fault.path]['status'] != fault.status
        or fault.says not in rows[fault.path]['reason'] + rows[fault.path]['warnings']
    ]
    return missed + [row for path, row in rows.items() if row['status'] != 'accepted' and path not in said]


def records_by_path(source, raw, **options):
    module = import_module(f'mmmammo.sources.{source}')
    return {record.relative_path: record for record in module.list_records(raw, **options)}
