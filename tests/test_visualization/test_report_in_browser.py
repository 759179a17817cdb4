"""The pages in a real browser: they open, complain of nothing, toggle, sort, print, and read without scripts."""

import pytest
from report_runs import build, run_of_four, write_heatmap, write_run

from mmmammo.testing.headless_browser import HeadlessBrowser, find_browser
from mmmammo.visualization import GallerySettings

VISIBLE = "document.querySelectorAll('{0}').length && Array.from(document.querySelectorAll('{0}'))"
SHOWN = VISIBLE + ".every((e) => getComputedStyle(e).display !== 'none')"
FIRST_COLUMN = "Array.from(document.querySelector('table.sortable').tBodies[0].rows, (r) => r.cells[{}].dataset.value)"


@pytest.fixture(scope='module')
def executable():
    found = find_browser()
    if found is None:
        pytest.skip('no Chromium on this machine; on Debian: apt-get install chromium')
    return found


@pytest.fixture(scope='module')
def page(tmp_path_factory):
    """A report with a heatmap."""
    folder = tmp_path_factory.mktemp('report')
    write_run(folder)
    heatmaps = write_heatmap(folder, run_of_four()[0])
    return build(folder, bootstrap=20, gallery=GallerySettings(folder / 'images', heatmaps)).page


@pytest.fixture(scope='module')
def browser(executable, page):
    with HeadlessBrowser(executable) as opened:
        yield opened


@pytest.fixture(autouse=True)
def fresh(request, page):
    if 'browser' in request.fixturenames:
        request.getfixturevalue('browser').open(page)


def test_opens_without_a_complaint_and_asks_for_nothing_else(browser, page):
    assert browser.run('document.title') == 'Lesion detection in mammograms'
    assert browser.complaints == []
    assert [url for url in browser.requests if not url.startswith('data:')] == [page.resolve().as_uri()]


def test_every_picture_is_there(browser):
    sizes = browser.run('Array.from(document.images, (i) => i.complete && i.naturalWidth)')
    assert len(sizes) == 6 + 3 + 1 and all(sizes)


@pytest.mark.parametrize(
    ('toggle', 'mark'), [('detections', '.mark.detection'), ('lesions', '.mark.lesion'), ('heatmaps', 'img.heat')]
)
def test_toggles_take_their_marks_away_and_bring_them_back(browser, toggle, mark):
    shown = []
    for _ in range(3):
        shown.append(browser.run(SHOWN.format(mark)))
        browser.click(f'#show-{toggle}')
    assert shown == [True, False, True]


def test_a_toggle_leaves_the_others_alone(browser):
    browser.click('#show-detections')
    assert browser.run(SHOWN.format('.mark.lesion')) is True


def test_an_exam_is_enlarged(browser):
    width = "document.querySelector('figure.exam').getBoundingClientRect().width"
    before = browser.run(width)
    browser.click('figure.exam .zoom')
    assert browser.run(width) > 1.5 * before


def test_tables_sort_both_ways_and_say_so(browser):
    header = 'table.sortable th:nth-child(2)'
    values = [float(value) for value in browser.run(FIRST_COLUMN.format(1))]
    for order, expected in (('ascending', sorted(values)), ('descending', sorted(values)[::-1])):
        browser.click(f'{header} button')
        assert browser.run(f"document.querySelector('{header}').getAttribute('aria-sort')") == order
        assert [float(value) for value in browser.run(FIRST_COLUMN.format(1))] == expected


def test_tables_sort_by_keyboard(browser):
    browser.run("document.querySelector('table.sortable th button').focus()")
    browser.press('Enter', '\r')
    assert browser.run("document.querySelector('table.sortable th').getAttribute('aria-sort')") == 'ascending'
    assert browser.complaints == []


def test_undefined_numbers_stay_last(browser):
    table = "Array.from(document.querySelectorAll('table.sortable'))[1]"
    column = f'Array.from({table}.tBodies[0].rows, (r) => r.cells[1].dataset.value)'
    for _ in range(2):
        browser.run(f"{table}.querySelectorAll('th button')[1].click()")
        assert browser.run(column)[-1] == ''


def test_prints_without_toggles(browser):
    pdf = browser.print_pdf()
    assert pdf.startswith(b'%PDF') and len(pdf) > 20_000
    browser.send('Emulation.setEmulatedMedia', media='print')
    hidden = "getComputedStyle(document.querySelector('{}')).display"
    assert [browser.run(hidden.format(name)) for name in ('.toggle', 'nav', '.zoomer')] == ['none'] * 3
    assert browser.run('getComputedStyle(document.body).color') == 'rgb(0, 0, 0)'
    browser.send('Emulation.setEmulatedMedia', media='')


def test_prints_within_a_sheet(executable, page):
    with HeadlessBrowser(executable, width=718) as browser:  # A4 less its margins
        browser.open(page)
        browser.send('Emulation.setEmulatedMedia', media='print')
        assert browser.run('document.documentElement.scrollWidth') <= 718


@pytest.mark.parametrize(('scheme', 'ground'), [('light', 'rgb(255, 255, 255)'), ('dark', 'rgb(20, 24, 29)')])
def test_light_and_dark(executable, page, scheme, ground):
    with HeadlessBrowser(executable, preferences={'prefers-color-scheme': scheme}) as browser:
        browser.open(page)
        assert browser.run('getComputedStyle(document.body).backgroundColor') == ground


def test_reads_without_scripts(executable, page):
    with HeadlessBrowser(executable, scripts=False) as browser:
        browser.open(page)
        assert browser.run("document.querySelectorAll('th button').length") == 0
        assert 'the model finds 50.0%' in browser.run('document.body.innerText')
        browser.click('#show-detections')
        assert browser.run(SHOWN.format('.mark.detection')) is False
        assert browser.complaints == []


def test_nothing_is_wider_than_a_phone(executable, page):
    with HeadlessBrowser(executable, width=390) as browser:
        browser.open(page)
        assert browser.run('document.documentElement.scrollWidth') <= 390


def test_the_browser_of_these_tests_hears_complaints(browser, tmp_path):
    (tmp_path / 'bad.html').write_text('<script>console.error("one"); throw Error("two")</script><img src="three.png">')
    browser.open(tmp_path / 'bad.html')
    assert all(word in ' '.join(browser.complaints) for word in ('one', 'two'))
    assert any(url.endswith('three.png') for url in browser.requests)
