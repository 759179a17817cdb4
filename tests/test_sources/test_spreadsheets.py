"""Excel files, old and new, whole and damaged."""

import datetime
from zipfile import ZIP_DEFLATED, ZipFile

import numpy as np
import openpyxl
import pandas as pd
import pytest

from mmmammo.phantom.dressing.xls_writer import write_xls
from mmmammo.sources.spreadsheets import read_spreadsheet
from mmmammo.structures import MammoError

ROWS = [['name', 'mark ', 'ü'], [20500001.0, 'X', '4a'], [None, None, None], [20500002.0, None, 1.5]]


@pytest.fixture()
def xls(tmp_path):
    write_xls(tmp_path / 'a.xls', {'Sheet1': ROWS, 'Sheet2': [['name'], ['other']]})
    return tmp_path / 'a.xls'


def cells_of(table):
    return [dict(row.cells) for row in table.rows]


def test_an_old_file_is_read_by_column_and_without_blank_rows(xls):
    table = read_spreadsheet(xls, ('name',), ('mark',), sheet='Sheet1')
    assert table.columns == ('name', 'mark', 'ü') and table.extra == ('ü',)
    assert cells_of(table) == [
        {'name': '20500001', 'mark': 'X', 'ü': '4a'},
        {'name': '20500002', 'mark': '', 'ü': '1.5'},
    ]
    assert [row.position for row in table.rows] == [2, 4]


def test_the_other_sheet_is_another_table(xls):
    assert cells_of(read_spreadsheet(xls, ('name',), sheet='Sheet2')) == [{'name': 'other'}]
    with pytest.raises(MammoError, match='found no sheet that can be read'):
        read_spreadsheet(xls, ('name',), sheet='Sheet3')


def test_many_rows_need_more_than_one_sector_of_the_container(tmp_path):
    write_xls(tmp_path / 'a.xls', {'Sheet1': [['n'], *([float(i)] for i in range(9000))]})
    table = read_spreadsheet(tmp_path / 'a.xls', ('n',))
    assert [row.cells['n'] for row in table.rows] == [str(i) for i in range(9000)]


def test_a_new_file_reads_the_same(tmp_path):
    frame = pd.DataFrame({'name': [1, 2], 'day': [datetime.datetime(2010, 7, 18), None], 'x': ['nan', None]})
    frame.to_excel(tmp_path / 'a.xlsx', index=False)
    table = read_spreadsheet(tmp_path / 'a.xlsx', ('name',))
    assert cells_of(table) == [{'name': '1', 'day': '2010-07-18', 'x': ''}, {'name': '2', 'day': '', 'x': ''}]


def test_a_cell_far_out_costs_no_memory(tmp_path):
    book = openpyxl.Workbook()
    book.active.append(['name'])
    book.active.append([1])
    book.active.cell(1, 16384, 'far')
    book.save(tmp_path / 'right.xlsx')
    book.active.cell(1048576, 1, 'far')
    book.save(tmp_path / 'low.xlsx')
    assert cells_of(read_spreadsheet(tmp_path / 'right.xlsx', ('name',))) == [{'name': '1'}]
    with pytest.raises(MammoError, match=r'low\.xlsx: table: found more than 100,000 rows'):
        read_spreadsheet(tmp_path / 'low.xlsx', ('name',))


def test_a_small_file_that_unpacks_to_a_large_one_is_not_unpacked(tmp_path):
    with ZipFile(tmp_path / 'bomb.xlsx', 'w', ZIP_DEFLATED) as archive:
        archive.writestr('xl/worksheets/sheet1.xml', bytes(2**26 + 1))
    assert (tmp_path / 'bomb.xlsx').stat().st_size < 2**17
    with pytest.raises(MammoError, match='more than 64 MiB, as it is or unpacked'):
        read_spreadsheet(tmp_path / 'bomb.xlsx', ('name',))


def test_no_file_and_no_column_are_told(xls):
    with pytest.raises(MammoError, match=r'b\.xls: table: found no such file'):
        read_spreadsheet(xls.with_name('b.xls'), ('name',))
    with pytest.raises(MammoError, match='column age: found only name, mark, ü'):
        read_spreadsheet(xls, ('name', 'age'))


@pytest.mark.parametrize('suffix', ['.xls', '.xlsx'])
def test_damaged_files_are_told_and_print_nothing(tmp_path, xls, suffix, capfd):
    path = tmp_path / f'damaged{suffix}'
    if suffix == '.xlsx':
        pd.DataFrame({'name': range(50)}).to_excel(path, index=False)
    whole = (xls if suffix == '.xls' else path).read_bytes()
    rng, refused = np.random.default_rng(0), 0
    for number in range(60):
        content = bytearray(whole)
        for place in rng.integers(len(content), size=20):
            content[place] = rng.integers(256)
        path.write_bytes(content[: rng.integers(1, len(content))] if number % 3 == 0 else content)
        try:
            read_spreadsheet(path, ('name',))
        except MammoError as err:
            refused += 1
            assert str(path) in str(err)
    assert refused > 20
    assert capfd.readouterr().out == ''
