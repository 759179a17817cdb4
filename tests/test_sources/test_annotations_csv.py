"""The table a user writes: read as it stands, refused by row and column."""

import pytest

from mmmammo.sources.folder import list_exams, list_records
from mmmammo.structures import Laterality, MammoError, View
from mmmammo.testing.raw_files import draw_breast, write_png


@pytest.fixture()
def raw(tmp_path):
    for name in ('a/L_CC.png', 'a/L_MLO.png', 'b/x.png'):
        write_png(tmp_path / name, draw_breast(size=(32, 24)))
    return tmp_path


def read(raw, text, encoding='utf-8'):
    (raw / 'annotations.csv').write_text(text, encoding=encoding)
    return {record.relative_path: record for record in list_records(raw)}


def test_every_column_arrives(raw):
    records = read(
        raw,
        'file,category,x1,y1,x2,y2,lesion_id,pathology,birads,split,cancer,density,age,breast_birads\n'
        'a/L_CC.png,mass,1,2.5,10,20,m1,malignant,4A,train,1,C,61.5,5\n'
        'a/L_CC.png,calcification,3,4,5,6,,,,,,,,\n'
        'a/L_MLO.png,,,,,,,,,train,0,,,\n',
    )
    mass, calcification = records['a/L_CC.png'].findings
    assert mass.bbox == (1, 2.5, 10, 20) and mass.category == 'mass'
    assert (mass.lesion_id, mass.pathology, mass.birads) == ('m1', 'malignant', '4A')
    assert (calcification.lesion_id, calcification.pathology, calcification.birads) == (None, None, None)
    assert records['a/L_CC.png'].labels == {'cancer': 1, 'density': 'C', 'age': 61.5, 'birads': 5}
    assert records['a/L_CC.png'].split == 'train'
    assert records['a/L_MLO.png'].findings == () and records['a/L_MLO.png'].labels == {'cancer': 0}
    assert records['b/x.png'].findings == () and records['b/x.png'].labels == {} and records['b/x.png'].split is None


def test_side_view_exam_and_patient_may_be_given(raw):
    records = read(
        raw, 'file,laterality,view,exam_id,patient_id\nb/x.png,R,MLO,a,eve\na/L_CC.png,,,,eve\na/L_MLO.png,,,,eve\n'
    )
    said = records['b/x.png']
    assert (said.laterality, said.view, said.exam_id, said.patient_id) == (Laterality.RIGHT, View.MLO, 'a', 'eve')
    assert records['a/L_CC.png'].laterality is Laterality.LEFT and records['a/L_CC.png'].exam_id == 'a'


def test_a_named_exam_is_of_one_patient_without_being_told(raw):
    records = read(raw, 'file,exam_id\nb/x.png,a\n')
    assert len({record.patient_id for record in records.values()}) == 1


@pytest.mark.parametrize('encoding', ['utf-8', 'utf-8-sig'])
def test_spaces_and_a_byte_order_mark_do_no_harm(raw, encoding):
    records = read(raw, 'file, category ,x1,y1,x2,y2\n"a/L_CC.png", mass, 1, 2, 3, 4\n', encoding)
    assert records['a/L_CC.png'].findings[0].bbox == (1, 2, 3, 4)


@pytest.mark.parametrize(
    ('text', 'words'),
    [
        ('file,colour\na/L_CC.png,red\n', r'columns: found unknown colour; expected only file, category'),
        ('category\nmass\n', 'column file: found only category; expected a table with file'),
        ('file;category\na/L_CC.png;mass\n', 'found only file;category.*save it with commas'),
        ('', 'column file: found an empty file'),
        ('file\na/L_CC.png\na/R_CC.png\n', r'row 3, file: found a/R_CC\.png; expected an image of this folder'),
        ('file\n../a/L_CC.png\n', 'row 2, file'),
        ('file,category,x1,y1,x2,y2\na/L_CC.png,Mass,1,2,3,4\n', 'row 2, category: found Mass; expected one of mass'),
        ('file,category,x1,y1,x2,y2\na/L_CC.png,mass,1,2,3,\n', 'row 2, y2: found nothing'),
        ('file,category,x1,y1,x2,y2\na/L_CC.png,,1,2,3,4\n', 'row 2, category: found nothing'),
        ('file,pathology\na/L_CC.png,benign\n', 'row 2, category, x1, y1, x2, y2: found nothing'),
        ('file,category,x1,y1,x2,y2\na/L_CC.png,mass,1,2,three,4\n', 'row 2, x2: found three; expected a number'),
        (
            'file,category,x1,y1,x2,y2\na/L_CC.png,mass,5,2,3,4\n',
            'row 2, x1, y1, x2, y2: found 5, 2, 3, 4; expected x1 less than x2',
        ),
        ('file,category,x1,y1,x2,y2\na/L_CC.png,mass,1,4,3,4\n', 'row 2, x1, y1, x2, y2: found 1, 4, 3, 4'),
        ('file,split\n\na/L_CC.png,training\n', 'row 3, split: found training'),
        ('file\n,\n"",x\n', 'row 3: found 2 cells; expected 1'),
        ('file,split\na/L_CC.png,training\n', 'row 2, split: found training; expected one of train, val, test'),
        ('file,view\na/L_CC.png,MLX\n', 'row 2, view: found MLX'),
        ('file\na\\L_CC.png\n', 'row 2, file: found .* Remedy: write / between folders'),
        ('file,category,x1,y1,x2,y2\na/L_CC.png,mass,"1,5",2,3,4\n', 'x1: found 1,5; .*the decimal sign is a point'),
        ('file,cancer\na/L_CC.png,yes\n', 'row 2, cancer: found yes; expected one of 0, 1'),
        ('file,density\na/L_CC.png,dense\n', 'row 2, density: found dense; expected one of A, B, C, D'),
        ('file,age\na/L_CC.png,inf\n', 'row 2, age: found inf; expected a finite number'),
        ('file,breast_birads\na/L_CC.png,7\n', 'row 2, breast_birads: found 7'),
        ('file,laterality\na/L_CC.png,left\n', 'row 2, laterality: found left; expected one of L, R'),
        (
            'file,cancer\na/L_CC.png,0\na/L_CC.png,1\n',
            r'row 3, cancer: found 1; expected 0, as an earlier row of a/L_CC',
        ),
        ('file,split\na/L_CC.png,val\na/L_CC.png,test\n', 'row 3, split: found test; expected val'),
    ],
)
def test_a_mistake_is_named_with_row_and_column(raw, text, words):
    with pytest.raises(MammoError, match=words) as caught:
        read(raw, text)
    assert caught.value.where.endswith('annotations.csv')


def test_what_a_model_need_not_know_may_be_wrong(raw):
    (raw / 'annotations.csv').write_text(
        'file,category,x1,y1,x2,y2,view,colour\na/L_CC.png,cancer,1,x,,,MLO,red\na/withdrawn.png,mass,1,2,3,4,CC,\n'
    )
    with pytest.raises(MammoError, match='columns'):
        list(list_records(raw))
    records = {record.relative_path: record for record in list_exams(raw)}
    assert records['a/L_CC.png'].view is View.MLO and records['a/L_CC.png'].findings == ()
    (raw / 'annotations.csv').write_text('file,view\na/L_CC.png,MLX\n')
    with pytest.raises(MammoError, match='view: found MLX'):
        list(list_exams(raw))
