"""Files of a download that are links out of it, pipes or places elsewhere: no source opens them."""

import csv
import os
import shutil
from importlib import import_module

import pytest
from dressed import phantom_exams, records_by_path

from mmmammo.phantom.dressing import inbreast as dressing
from mmmammo.sources import cbis_ddsm, cmmd, ddsm, inbreast
from mmmammo.sources.cbis_ddsm_tables import PARTS
from mmmammo.sources.listing import only_file, own_file, place_refusal
from mmmammo.structures import Laterality, MammoError

PRIVATE = 'Jane Doe, MRN 12345\n'
TABLES = {
    'cbis_ddsm': 'mass_case_description_train_set.csv',
    'cmmd': 'CMMD_clinicaldata_revision.csv',
    'cohort': 'cohort.csv',
    'embed': 'EMBED_OpenData_metadata_reduced.csv',
    'inbreast': 'INbreast.csv',
    'mias': 'Info.txt',
    'phantom': 'phantom.json',
    'rsna': 'train.csv',
    'vindr': 'breast-level_annotations.csv',
}
BESIDE = {
    'rsna': (
        'site_id,patient_id,image_id,laterality,view,age,implant,machine_id,cancer,biopsy,invasive,BIRADS,density,'
        'difficult_negative_case',
        ['test.csv'],
    ),
    'vindr': (
        'study_id,image_id,laterality,view_position,breast_birads,breast_density,split',
        ['finding_annotations.csv', 'metadata.csv', 'SHA256SUMS.txt'],
    ),
}
FINDINGS = 'study_id,image_id,laterality,view_position,breast_birads,breast_density,split,finding_categories,'
FINDINGS += 'finding_birads,xmin,ymin,xmax,ymax\n'
CASE, UID = 'Mass-Training_P_00001_LEFT_CC', '1.3.6.1.4.1.9590.1'


@pytest.fixture
def private(tmp_path):
    """What lies outside of the download."""
    path = tmp_path / 'private.txt'
    path.write_text(PRIVATE)
    return path


@pytest.fixture
def raw(tmp_path):
    (tmp_path / 'raw').mkdir()
    return tmp_path / 'raw'


def refusal_of(source, raw):
    with pytest.raises(MammoError, match='a link that leads out of the folder') as caught:
        list(import_module(f'mmmammo.sources.{source}').list_records(raw))
    assert 'Jane' not in str(caught.value)
    return caught.value


@pytest.mark.parametrize('source', TABLES)
def test_a_table_that_is_a_link_out_is_not_read(source, raw, private):
    (raw / TABLES[source]).symlink_to(private)
    assert refusal_of(source, raw).where == str(raw / TABLES[source])


@pytest.mark.parametrize(('source', 'name'), [(source, name) for source in BESIDE for name in BESIDE[source][1]])
def test_so_are_the_tables_beside_it(source, name, raw, private):
    (raw / TABLES[source]).write_text(BESIDE[source][0] + '\n')
    if source == 'vindr':
        (raw / 'finding_annotations.csv').write_text(FINDINGS)
    (raw / name).unlink(missing_ok=True)
    (raw / name).symlink_to(private)
    assert refusal_of(source, raw).where == str(raw / name)


def test_a_table_may_be_a_link_to_a_file_of_the_folder_and_is_no_pipe(raw):
    (raw / 'tables').mkdir()
    (raw / 'tables' / 'own.txt').write_text('')
    (raw / 'Info.txt').symlink_to('tables/own.txt')
    assert only_file(raw, (raw / 'Info.txt',), 'info.txt') == raw / 'Info.txt'
    assert own_file(raw / 'absent.csv', raw) == raw / 'absent.csv'
    os.mkfifo(raw / 'pipe.csv')
    with pytest.raises(MammoError, match='a named pipe'):
        own_file(raw / 'pipe.csv', raw)


def test_folders_on_the_way_may_lead_out_too(raw, private):
    (raw / 'out').symlink_to(raw.parent)
    (raw / 'here').symlink_to(raw)
    (raw / 'a.png').write_bytes(b'')
    root = raw.resolve()
    assert 'behind a link' in place_refusal(raw / 'out' / 'private.txt', root).reason
    assert 'behind a link' in place_refusal(raw / '..' / 'private.txt', root).reason
    assert place_refusal(raw / 'here' / 'a.png', root) is None
    assert place_refusal(raw / 'absent' / 'a.png', root) is None


def test_headers_behind_links_are_not_read(raw, private, monkeypatch):
    opened = []
    monkeypatch.setattr(cmmd, 'read_headers', lambda paths: (opened.append(path) for path in paths))
    (raw / 'CMMD_clinicaldata_revision.csv').write_text('ID1,LeftRight,Age,number,abnormality,classification\n')
    (raw / 'D1-0001').mkdir()
    (raw / 'D1-0001' / '1.dcm').write_bytes(b'')
    (raw / 'D1-0001' / '2.dcm').symlink_to(private)
    own, link = cmmd.list_records(raw)
    assert opened == [own.path] and own.refused is None
    assert 'leads out of the folder' in link.refused.reason and link.laterality is Laterality.UNKNOWN


@pytest.fixture
def case(raw):
    """A view of DDSM without findings."""
    view = 'LEFT_CC LINES 40 PIXELS_PER_LINE 30 BITS_PER_PIXEL 12 RESOLUTION 50 NON_OVERLAY\n'
    (raw / 'B-9001-1.ics').write_text(f'filename B-9001-1\nDENSITY 2\nDIGITIZER LUMISYS LASER\n{view}')
    (raw / 'B_9001_1.LEFT_CC.LJPEG').write_bytes(b'\xff\xd8')
    return raw


@pytest.mark.parametrize('name', ['B_9001_1.LEFT_CC.OVERLAY', 'B-9001-1.ics'])
def test_texts_of_ddsm_behind_links_are_not_told(case, private, name):
    (case / name).unlink(missing_ok=True)
    (case / name).symlink_to(private)
    (record,) = ddsm.list_records(case)
    assert record.relative_path == 'B_9001_1.LEFT_CC.LJPEG' and 'a link that leads out' in record.refused.reason
    assert 'Jane' not in str(record.refused) and 'cancer' not in record.labels


def test_a_pipe_among_the_images_of_ddsm_is_not_waited_for(case):
    (case / 'B_9001_1.LEFT_CC.LJPEG').unlink()
    os.mkfifo(case / 'B_9001_1.LEFT_CC.png')
    (record,) = ddsm.list_records(case)
    assert 'a named pipe' in record.refused.reason


def test_outlines_of_inbreast_behind_links_and_pipes_refuse_their_images(raw, private):
    dressing.dress(raw, phantom_exams(5), 0)
    before = records_by_path('inbreast', raw)
    used = [name for name, record in before.items() if record.refused is None and record.findings][:3]
    link, pipe, inner = (next(raw.rglob(f'{name.rpartition("/")[2][:8]}.xml')) for name in used)
    shutil.move(inner, raw / 'moved.plist')
    inner.symlink_to(raw / 'moved.plist')
    for path in (link, pipe):
        path.unlink()
    link.symlink_to(private)
    os.mkfifo(pipe)
    after = records_by_path('inbreast', raw)
    changed = {name for name in before if bool(before[name].refused) != bool(after[name].refused)}
    assert changed == set(used[:2]) and len(after[used[2]].findings) == len(before[used[2]].findings)
    assert 'leads out of the folder' in after[used[0]].refused.reason
    assert 'a named pipe' in after[used[1]].refused.reason
    assert inbreast.count_checks(raw)


def cbis_row(mask=f'{CASE}_1/{UID}.2/{UID}.3/000000.dcm'):
    """The row of a mass."""
    image, crop = f'{CASE}/{UID}.2/{UID}.4/000000.dcm', f'{CASE}_1/{UID}.2/{UID}.5/000000.dcm'
    return {
        'patient_id': 'P_00001',
        'breast_density': '2',
        'left or right breast': 'LEFT',
        'image view': 'CC',
        'abnormality id': '1',
        'abnormality type': 'mass',
        'mass shape': 'OVAL',
        'mass margins': 'CIRCUMSCRIBED',
        'assessment': '4',
        'pathology': 'BENIGN',
        'subtlety': '3',
        'image file path': image,
        'cropped image file path': crop,
        'ROI mask file path': mask,
    }


def cbis(raw, row):
    """A download of one image with its cut-out, and without its mask."""
    for part in PARTS[:2]:
        with (raw / part.file_name).open('w', newline='') as file:
            writer = csv.DictWriter(file, list(row))
            writer.writeheader()
            writer.writerows([row] if part.split == 'train' else [])
    for column in ('image file path', 'cropped image file path'):
        (raw / row[column]).parent.mkdir(parents=True)
        (raw / row[column]).write_bytes(b'')
    return raw / row['ROI mask file path']


@pytest.mark.parametrize('of_folder', [False, True])
def test_a_mask_of_cbis_behind_a_link_refuses_its_image(raw, private, of_folder):
    mask = cbis(raw, cbis_row())
    record = records_by_path('cbis_ddsm', raw)[cbis_row()['image file path']]
    assert record.refused is None and mask in record.masked[0].files  # absent, as is told when it is prepared
    (raw.parent / 'series').mkdir()
    shutil.copy(private, raw.parent / 'series' / mask.name)
    link, target = (mask.parent, raw.parent / 'series') if of_folder else (mask, private)
    link.parent.mkdir(exist_ok=True)
    link.symlink_to(target)
    record = records_by_path('cbis_ddsm', raw)[cbis_row()['image file path']]
    assert ('behind a link' if of_folder else 'leads out of the folder') in record.refused.reason


@pytest.mark.parametrize(
    'place', [f'{CASE}_1/../../000001.dcm', f'{CASE}_1/{UID}/../000001.dcm', f'{CASE}_1/./1/1.dcm']
)
def test_places_of_cbis_are_below_the_folder(raw, place):
    cbis(raw, cbis_row(place))
    record = records_by_path('cbis_ddsm', raw)[cbis_row()['image file path']]
    assert 'case folder, study UID, series UID' in record.refused.reason
    assert all('..' not in path.parts for path in record.files)


def test_tables_of_cbis_above_the_folder_are_no_links_out_of_theirs(raw, private):
    cbis(raw, cbis_row())
    shutil.move(raw / PARTS[0].file_name, raw.parent)
    assert any(record.refused is None for record in cbis_ddsm.list_records(raw))
    (raw.parent / PARTS[0].file_name).unlink()
    (raw.parent / PARTS[0].file_name).symlink_to('/etc/hostname')
    assert refusal_of('cbis_ddsm', raw).where == str(raw.parent / PARTS[0].file_name)
