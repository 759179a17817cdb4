"""Tables of downloads: by name, whatever wrote them, and every mistake with its row and column."""

import os

import pytest

from mmmammo.sources.listing import list_files
from mmmammo.sources.tables import read_table
from mmmammo.structures import MammoError


@pytest.fixture()
def table(tmp_path):
    def read(text, required=('a',), optional=('b',), encoding='utf-8', **settings):
        (tmp_path / 't.csv').write_bytes(text.encode(encoding))
        return read_table(tmp_path / 't.csv', required, optional, **settings)

    return read


def test_cells_come_by_name_in_any_order(table):
    read = table('b, a\n 1 ,x\n, "y, z"\n')
    assert [row.text('a') for row in read.rows] == ['x', 'y, z']
    assert [row.integer('b', default=None) for row in read.rows] == [1, None]
    assert read.columns == ('b', 'a') and read.extra == () and read.extra_columns() == ()


@pytest.mark.parametrize('encoding', ['utf-8', 'utf-8-sig', 'utf-16', 'latin-1'])
@pytest.mark.parametrize('end', ['\n', '\r\n', '\r'])
def test_encodings_and_line_ends_make_no_difference(table, encoding, end):
    read = table(f'a,b{end}Müller,1{end}', encoding=encoding)
    assert [row.text('a') for row in read.rows] == ['Müller']


def test_rows_are_numbered_as_a_spreadsheet_shows_them(table):
    read = table('a,b\n"one\ntwo",1\n\n,\nx,2\n')
    assert [(row.position, row.text('a')) for row in read.rows] == [(2, 'one\ntwo'), (5, 'x')]


def test_of_equal_headers_the_second_gets_a_suffix(table):
    read = table('UID, UID ,a\n1,2,3\n', required=('UID', 'UID.1', 'a'))
    assert dict(read.rows[0].cells) == {'UID': '1', 'UID.1': '2', 'a': '3'}


def test_extra_columns_are_told_by_name(table):
    read = table('a,,colour,b\n1,2,3,4\n')
    assert read.extra == ('column 2', 'colour')
    (check,) = read.extra_columns()
    assert (check.what, check.found, check.published) == ('unknown columns of t.csv', 2, 0)
    assert check.explanation == 'not read: column 2, colour'


def test_stray_delimiters_at_the_end_do_no_harm(table):
    read = table('a;b;;\n1;2;;\n', delimiter=';')
    assert read.columns == ('a', 'b') and read.rows[0].integer('b') == 2


def test_numbers_are_finite_and_whole_where_asked(table):
    (row,) = table('a,b\n61.0,-1.25\n').rows
    assert row.integer('a') == 61 and isinstance(row.integer('a'), int)
    assert row.number('b') == -1.25
    with pytest.raises(MammoError, match=r't.csv row 2, b: found -1.25; expected a whole number'):
        row.integer('b')


@pytest.mark.parametrize(('cell', 'expected'), [('x', 'a number'), ('inf', 'a finite number')])
def test_no_number_is_refused(table, cell, expected):
    with pytest.raises(MammoError, match=f't.csv row 2, a: found {cell}; expected {expected}'):
        table(f'a\n{cell}\n').rows[0].number('a')


def test_choices_have_meanings_and_others_are_refused(table):
    first, second, third = table('a,b\nL,1\nleft,1\n,1\n').rows
    meanings = {'L': 'left', 'R': 'right'}
    assert first.choice('a', meanings) == 'left' and third.choice('a', meanings, default=None) is None
    with pytest.raises(MammoError, match=r't.csv row 3, a: found left; expected one of L, R\. Remedy: ') as caught:
        second.choice('a', meanings)
    assert caught.value.where.endswith('t.csv')


@pytest.mark.parametrize('getter', ['text', 'integer', 'number'])
def test_an_empty_cell_needs_a_default(table, getter):
    *_, row = table('a,b\n,NaN\n"",nan\n,0\n').rows
    assert getattr(row, getter)('a', default=None) is None and getattr(row, getter)('never', default=None) is None
    assert not row.has('a') and row.has('b')
    with pytest.raises(MammoError, match='row 4, a: found nothing; expected a value'):
        getattr(row, getter)('a')


def test_what_is_absent_may_be_chosen(table):
    (row,) = table('a,b\nNaN,-\n', absent=('', '-')).rows
    assert row.text('a') == 'NaN' and not row.has('b')


@pytest.mark.parametrize(
    ('text', 'words'),
    [
        ('', 'column a: found an empty file'),
        ('b,c\n1,2\n', 'column a: found only b, c; expected a table with a'),
        ('a;b\n1;2\n', "column a: found only a;b; expected a table with a, separated by ','"),
        ('a,b\n1,2\n3\n', 'row 3: found 1 cells; expected 2, as in the header'),
        ('a,b\n1,2,3\n', 'row 2: found 3 cells; expected 2'),
        ('a,b\n"1,2\n', 'line 2: found unexpected end of data'),
    ],
)
def test_a_table_of_wrong_structure_is_refused(table, text, words):
    with pytest.raises(MammoError, match=words) as caught:
        table(text)
    assert caught.value.where.endswith('t.csv')


def test_a_missing_table_is_named(tmp_path):
    with pytest.raises(MammoError, match=r'nothing\.csv: table: found no such file'):
        read_table(tmp_path / 'nothing.csv', ('a',))
    with pytest.raises(MammoError, match='table: found Is a directory'):
        read_table(tmp_path, ('a',))


def test_a_named_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / 'pipe.csv')
    with pytest.raises(MammoError, match='found no regular file'):
        read_table(tmp_path / 'pipe.csv', ('a',))


def test_a_file_without_lines_is_not_held_in_memory(tmp_path):
    (tmp_path / 'huge.csv').write_bytes(b'x' * 2**20)
    with pytest.raises(MammoError, match='line 1: found field larger than field limit'):
        read_table(tmp_path / 'huge.csv', ('a',))


def test_rows_keep_no_more_cells_than_were_asked_for(tmp_path):
    (tmp_path / 't.csv').write_text('a,b,c\n1,2,3\n4,5\n')
    with pytest.raises(MammoError, match=r't\.csv row 3: found 2 cells'):
        read_table(tmp_path / 't.csv', ('a',), only_known=True)
    (tmp_path / 't.csv').write_text('a,b,c\n1,2,3\n')
    table = read_table(tmp_path / 't.csv', ('a',), ('c', 'd'), only_known=True)
    assert (table.rows[0].cells, table.columns, table.extra) == ({'a': '1', 'c': '3'}, ('a', 'b', 'c'), ('b',))


def test_a_byte_that_is_no_utf_8_far_behind_the_beginning_makes_it_latin_1(tmp_path):
    (tmp_path / 't.csv').write_bytes(b'a\n' + b'x\n' * 2**20 + 'Brüste\n'.encode('latin-1'))
    assert read_table(tmp_path / 't.csv', ('a',)).rows[-1].text('a') == 'Brüste'


def test_a_folder_that_may_not_be_looked_into_is_told(tmp_path, monkeypatch):
    (tmp_path / 'closed').mkdir()
    scandir = os.scandir

    def refuse(path):
        if os.fspath(path).endswith('closed'):
            raise PermissionError(13, 'Permission denied', os.fspath(path))
        return scandir(path)

    monkeypatch.setattr(os, 'scandir', refuse)
    with pytest.raises(MammoError, match='closed: folder: found permission denied'):
        list_files(tmp_path)
