"""The command line of the doctor."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from mmmammo.doctor.packages import check_machine, check_opencv, check_packages, check_rivals, read_pins
from mmmammo.doctor.probes import PROBES, answer, run_probes
from mmmammo.doctor.result import Finding, Status


def examine() -> dict[str, list[Finding]]:
    """Look at everything; findings by heading."""
    pins = read_pins()
    probed = run_probes(pins)
    return {
        'This machine': check_machine(),
        'Installed, against constraints.txt': [*check_packages(pins), *check_opencv(pins), *check_rivals()],
        'Tried out': probed,
    }


def report(sections: dict[str, list[Finding]]) -> str:
    """The table, with the line that mends a thing below it, and a verdict."""
    findings = [finding for section in sections.values() for finding in section]
    width = max(len(finding.name) for finding in findings)
    lines = []
    for heading, section in sections.items():
        lines += [heading, *(line for finding in section for line in _lines(finding, width)), '']
    return '\n'.join([*lines, _verdict(findings)])


def _lines(finding: Finding, width: int) -> list[str]:
    row = f'  {finding.status:<4}  {finding.name:<{width}}  {finding.detail}'
    return [row, f'        mend it: {finding.remedy}'] if finding.remedy else [row]


def _verdict(findings: Sequence[Finding]) -> str:
    failed = sum(finding.status is Status.FAIL for finding in findings)
    warned = sum(finding.status is Status.WARN for finding in findings)
    if failed:
        return f'{failed} broken; run the lines above from the root of the repository'
    return f'all works, {warned} with a warning' if warned else 'all works'


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog='python -m mmmammo.doctor',
        description='Say what is installed, whether it works, and which line mends what does not.',
        epilog='Example: .venv/bin/python -m mmmammo.doctor && echo sound   (exit code 1: something is broken)',
    )
    parser.add_argument(
        '--probe', nargs='+', choices=PROBES, help='try out these only, with the traceback of a failure'
    )
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    """Print the table; the exit code says whether something that is needed is broken."""
    args = parse_args(argv)
    os.environ['NO_ALBUMENTATIONS_UPDATE'] = '1'
    if args.probe:
        answer(args.probe)
        return 0
    sections = examine()
    print(report(sections))
    return int(any(finding.status is Status.FAIL for section in sections.values() for finding in section))


if __name__ == '__main__':
    sys.exit(main())
