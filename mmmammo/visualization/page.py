"""The page of a report: one file that loads nothing, and works without scripts."""

from __future__ import annotations

import base64
import hashlib
import math
import re
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from mmmammo.evaluation.summary.detections import per_image

TEMPLATES = Path(__file__).parent / 'templates'
UNDEFINED = 'not defined'


def render(template: str, **content: Any) -> str:
    """One of the templates with its content; the style sheet and the script become part of it."""
    script = (TEMPLATES / 'page.js').read_text(encoding='utf-8')
    style = (TEMPLATES / 'page.css').read_text(encoding='utf-8')
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode('ascii')
    return (
        _environment()
        .get_template(template)
        .render(script=Markup(script), style=Markup(style), script_digest=digest, **content)
    )


def number(value: float | None, digits: int = 3) -> str:
    """A number for the page; what is not defined is called so."""
    if value is None or math.isnan(value):
        return UNDEFINED
    return f'{value:,.0f}' if float(value).is_integer() and abs(value) > 1 else _fixed(value, digits)


def percent(value: float | None) -> str:
    """A share in per cent."""
    return UNDEFINED if value is None or math.isnan(value) else f'{value:.1%}'


def interval(low: float | None, high: float | None, digits: int = 3) -> str:
    """Bounds, or a dash."""
    if low is None or high is None or math.isnan(low) or math.isnan(high):
        return '–'
    return f'{_fixed(low, digits)} to {_fixed(high, digits)}'


def _fixed(value: float, digits: int) -> str:
    """Rounded; never ``-0.000``."""
    return f'{value:z.{digits}f}'


def p_value(value: float | None) -> str:
    """A p-value; the smallest are given as a bound."""
    if value is None or math.isnan(value):
        return '–'
    return '< 0.001' if value < 0.001 else f'{value:.3f}'


def sortable(value: float | str | None) -> str:
    """What a column is sorted by; the undefined has nothing."""
    return '' if value is None or (isinstance(value, float) and math.isnan(value)) else f'{value}'


def breakable(key: str) -> Markup:
    """A key that may be broken between its parts only."""
    return Markup(re.sub(r'([/@_])', r'\1<wbr>', str(escape(key))))


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        'breakable': breakable,
        'number': number,
        'percent': percent,
        'per_image': per_image,
        'p_value': p_value,
        'sortable': sortable,
        'thousands': '{:,}'.format,
    }
    environment.globals |= {'interval': interval}
    return environment
