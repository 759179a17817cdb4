"""Results as DICOM: whose they are, where the regions lie, and that another library reads them."""

import re
import warnings

import numpy as np
import pydicom
import pytest
from dicom_factory import nested
from highdicom import sr
from pydicom.sr.codedict import codes

from mmmammo.io.dicom_sr import WARNING, MarkedImage, write_detection_report, write_picture
from mmmammo.structures import Laterality, MammoError
from mmmammo.testing.raw_files import draw_breast, write_dicom, write_png

PIXELS = draw_breast(size=(64, 48))
PATIENT = {'PatientID': 'p1', 'PatientName': 'Doe^Jane', 'PatientBirthDate': '19600102', 'PatientSex': 'F'}


def mammogram(path, **tags):
    study = {'StudyInstanceUID': '1.2.3', 'SeriesInstanceUID': '1.2.3.4', 'StudyDate': '20240102', 'StudyID': 's'}
    return write_dicom(path, PIXELS, **PATIENT | study | tags)


def marked(path, boxes=((4, 8, 20.5, 30),), lesions=('A',), category='mass'):
    scores = np.linspace(0.9, 0.5, len(boxes))
    shaped = np.array(boxes, dtype=float).reshape(-1, 4)
    return MarkedImage(path, Laterality.LEFT, shaped, scores, [category] * len(boxes), lesions)


@pytest.fixture
def images(tmp_path):
    """A lesion in CC and MLO, a second detection in CC, and a view without."""
    cc, mlo, other = (mammogram(tmp_path / f'{name}.dcm') for name in ('cc', 'mlo', 'other'))
    return [
        marked(cc, [(4, 8, 20.5, 30), (1, 2, 3, 4)], ('A', '')),
        marked(mlo, [(10, 10, 20, 20)]),
        marked(other, (), ()),
    ]


def groups_of(path):
    report = sr.srread(path)
    assert isinstance(report, sr.ComprehensiveSR)
    return report, report.content.get_planar_roi_measurement_groups()


def test_a_region_per_detection_in_pixels_of_the_file(images, tmp_path):
    path = write_detection_report(tmp_path / 'new' / 'sr.dcm', images, 'agrcnn epoch_3', '1.0')
    _, groups = groups_of(path)
    corners = [group.roi.value.tolist() for group in groups]
    assert corners[0] == [[4, 8], [20.5, 8], [20.5, 30], [4, 30], [4, 8]]
    assert len(groups) == 3
    (certainty,) = groups[0].get_measurements(name=codes.DCM.CertaintyOfFinding)
    assert certainty.value == 90.0 and certainty.unit == codes.UCUM.Percent
    assert groups[0].finding_type == codes.SCT.MammographicBreastMass
    assert groups[0].finding_sites[0].laterality == codes.SCT.Left


def test_it_belongs_to_patient_and_study_and_is_preliminary(images, tmp_path):
    report, _ = groups_of(write_detection_report(tmp_path / 'sr.dcm', images, 'm', '1.0'))
    assert (report.PatientID, report.PatientName, report.StudyInstanceUID) == ('p1', 'Doe^Jane', '1.2.3')
    assert (report.PreliminaryFlag, report.VerificationFlag, report.Modality) == ('PRELIMINARY', 'UNVERIFIED', 'SR')
    assert report.SeriesDescription == WARNING and report.Manufacturer == 'mmmammo'


def test_every_image_is_named_also_without_a_detection(images, tmp_path):
    report, _ = groups_of(write_detection_report(tmp_path / 'sr.dcm', images, 'm', '1.0'))
    wanted = {pydicom.dcmread(image.path).SOPInstanceUID for image in images}
    series = report.CurrentRequestedProcedureEvidenceSequence[0].ReferencedSeriesSequence
    assert {item.ReferencedSOPInstanceUID for one in series for item in one.ReferencedSOPSequence} == wanted


def test_detections_of_one_lesion_share_its_identifier(images, tmp_path):
    _, (first, alone, second) = groups_of(write_detection_report(tmp_path / 'sr.dcm', images, 'm', '1.0'))
    assert first.tracking_uid == second.tracking_uid != alone.tracking_uid
    assert (first.tracking_identifier, alone.tracking_identifier) == ('lesion A', 'detection 2')


def test_an_exam_in_which_nothing_was_found_has_a_report(images, tmp_path):
    report, groups = groups_of(write_detection_report(tmp_path / 'sr.dcm', images[2:], 'm', '1.0'))
    assert groups == []
    (said,) = report.content.get_image_measurement_groups()
    (evaluation,) = said.get_qualitative_evaluations()
    assert evaluation.value.meaning == 'No detection by the algorithm'
    assert [image.referenced_sop_instance_uid for image in said.source_images] == [
        pydicom.dcmread(images[2].path).SOPInstanceUID
    ]


@pytest.mark.parametrize(
    ('category', 'scheme'), [('calcification', 'SCT'), ('asymmetry', 'SCT'), ('suspicious lymph node', '99MMMAMMO')]
)
def test_categories_have_codes(tmp_path, category, scheme):
    image = marked(mammogram(tmp_path / 'cc.dcm'), category=category)
    _, (group,) = groups_of(write_detection_report(tmp_path / 'sr.dcm', [image], 'm', '1.0'))
    assert group.finding_type.scheme_designator == scheme and len(group.finding_type.value) <= 16


def test_files_without_optional_tags_are_enough(tmp_path):
    nothing = dict.fromkeys([*PATIENT, 'StudyDate', 'StudyID'])
    report, groups = groups_of(
        write_detection_report(tmp_path / 'sr.dcm', [marked(mammogram(tmp_path / 'cc.dcm', **nothing))], 'm', '1.0')
    )
    assert not report.PatientName and len(groups) == 1


def test_a_picture_belongs_to_the_study(images, tmp_path):
    picture = np.zeros((30, 40, 3), np.uint8)
    picture[5, 7] = (255, 128, 0)
    written = pydicom.dcmread(write_picture(tmp_path / 'panel.dcm', picture, [image.path for image in images]))
    np.testing.assert_array_equal(written.pixel_array, picture)
    assert (written.PatientID, written.StudyInstanceUID) == ('p1', '1.2.3')
    assert written.SOPClassUID.name.startswith('Secondary Capture') and written.SeriesDescription == WARNING


@pytest.mark.parametrize(
    'odd',
    [
        {'SpecificCharacterSet': ['', 'ISO 2022 IR 87'], 'PatientName': 'Yamada^Tarou'},
        {'SpecificCharacterSet': 'ISO_IR 100', 'PatientName': 'Müller^Jörg'},
        {'PatientSex': 'W', 'PatientBirthDate': '1960', 'StudyDate': '2024-01-02', 'StudyTime': '12:30:11'},
        {'PatientName': 'DOE JANE'},
        {'PatientName': ['Doe^Jane', 'Roe^Jane']},
    ],
    ids=lambda odd: ' '.join(odd),
)
def test_odd_headers_are_mended_and_names_never_printed(tmp_path, odd, capfd, caplog):
    warnings.simplefilter('always')
    path = mammogram(tmp_path / 'cc.dcm', **odd)
    report, _ = groups_of(write_detection_report(tmp_path / 'sr.dcm', [marked(path)], 'm', '1.0'))
    picture = pydicom.dcmread(write_picture(tmp_path / 'p.dcm', np.zeros((4, 4, 3), np.uint8), [path]))
    name = odd.get('PatientName', 'Doe^Jane')
    wanted = name if isinstance(name, str) else name[0]
    assert str(report.PatientName) == str(picture.PatientName) == wanted
    printed = ''.join(capfd.readouterr()) + caplog.text
    assert not any(word in printed for word in re.split(r'\W+', wanted))


def test_sequences_nested_without_end_are_left_behind(tmp_path):
    path = mammogram(tmp_path / 'cc.dcm')
    whole = path.read_bytes()
    place = whole.index(b'\xe0\x7f\x10\0O')
    path.write_bytes(whole[:place] + nested(2000, b'\x40\0\x55\x05') + whole[place:])
    report, groups = groups_of(write_detection_report(tmp_path / 'sr.dcm', [marked(path)], 'm', '1.0'))
    assert len(groups) == 1 and 'AcquisitionContextSequence' not in report


def test_what_the_standard_does_not_know_is_told_without_its_values(tmp_path):
    path = mammogram(tmp_path / 'cc.dcm', SOPClassUID='1.2.3.4.5')
    with pytest.raises(
        MammoError, match=r'cc\.dcm: header: found what cannot be taken over into a new file \(KeyError\)'
    ):
        write_detection_report(tmp_path / 'sr.dcm', [marked(path)], 'm', '1.0')


@pytest.mark.parametrize(('said', 'expected'), [('NO', 'NO'), ('YES', 'YES'), (None, None)])
def test_a_picture_says_of_labels_what_its_images_say(tmp_path, said, expected):
    paths = [
        mammogram(tmp_path / 'a.dcm', BurnedInAnnotation='NO'),
        mammogram(tmp_path / 'b.dcm', BurnedInAnnotation=said),
    ]
    written = pydicom.dcmread(write_picture(tmp_path / 'p.dcm', np.zeros((4, 4, 3), np.uint8), paths))
    assert written.get('BurnedInAnnotation') == expected
    assert not written.PatientOrientation


def test_a_report_says_how_it_came_about(images, tmp_path):
    made = {'parameters': ['detections of certainty 5 % or more'], 'is_complete': False}
    report, _ = groups_of(write_detection_report(tmp_path / 'sr.dcm', images, 'm', '1.0', **made))
    assert report.CompletionFlag == 'PARTIAL'
    assert 'detections of certainty 5 % or more' in [element.value for element in report.iterall()]
    again, _ = groups_of(write_detection_report(tmp_path / 'sr2.dcm', images, 'm', '1.0'))
    observers = [[e.value for e in one.iterall() if e.keyword == 'UID'] for one in (report, again)]
    assert observers[0][0] == observers[1][0], 'the device is the same one'


def test_what_cannot_be_reported_on_is_told(tmp_path):
    cc = mammogram(tmp_path / 'cc.dcm')
    png = write_png(tmp_path / 'mlo.png', PIXELS)
    for images, message in (
        ([cc, png], r'mlo\.png: format: found no DICOM'),
        ([cc, mammogram(tmp_path / 'b.dcm', StudyInstanceUID='1.9')], 'found 2 studies in one exam; expected one'),
        ([mammogram(tmp_path / 'c.dcm', SeriesInstanceUID=None)], r'c\.dcm: SeriesInstanceUID: found nothing'),
    ):
        with pytest.raises(MammoError, match=message):
            write_detection_report(tmp_path / 'sr.dcm', [marked(path) for path in images], 'm', '1.0')
    assert not (tmp_path / 'sr.dcm').exists()
