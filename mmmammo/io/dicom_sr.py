"""Results as DICOM, for a PACS: a structured report of detections, and a picture as Secondary Capture.

Both belong to patient and study of the mammograms they are about, and so name the patient as these do. The report is a
Comprehensive SR of template TID 1500, preliminary and unverified: a region per detection with its finding type, side
and certainty; its evidence are the images that were looked at, also those in which nothing was found. Not imported by
:mod:`mmmammo.io`, since highdicom takes a second to load.
"""

from __future__ import annotations

import hashlib
import re
import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

import highdicom as hd
import numpy as np
import numpy.typing as npt
from highdicom import sr
from pydicom.datadict import dictionary_has_tag, dictionary_VR
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code
from pydicom.uid import ExplicitVRLittleEndian

from mmmammo.io.dicom_file import HEAD_LENGTH, looks_like_dicom, open_dicom, quiet
from mmmammo.io.whole_files import written_whole
from mmmammo.structures import Laterality, MammoError

MANUFACTURER = 'mmmammo'
WARNING = 'mmmammo: research software, not for diagnosis'
_SERIES = {'report': 9801, 'picture': 9802}
_FINDINGS = {
    'mass': codes.SCT.MammographicBreastMass,
    'calcification': codes.SCT.CalcificationOfBreast,
    'distortion': codes.SCT.ArchitecturalDistortionOfBreast,
    'asymmetry': codes.SCT.AsymmetricBreastTissue,
}
_RESULT = Code('RESULT', '99MMMAMMO', 'Result')
_NO_DETECTION = Code('NO_DETECTION', '99MMMAMMO', 'No detection by the algorithm')
_SIDES = {Laterality.LEFT: codes.SCT.Left, Laterality.RIGHT: codes.SCT.Right}
_UIDS = ('SOPClassUID', 'SOPInstanceUID', 'SeriesInstanceUID', 'StudyInstanceUID')
_REFUSED = (
    *(ArithmeticError, AttributeError, LookupError, TypeError, ValueError),
    *(NotImplementedError, RecursionError, MemoryError, EOFError, struct.error),
)
_ANY = re.compile(r'.*', re.DOTALL)
_FORMS = {
    'PatientBirthDate': re.compile(r'\d{8}'),
    'StudyDate': re.compile(r'\d{8}'),
    'StudyTime': re.compile(r'\d{2}(\d{2}(\d{2}(\.\d{1,6})?)?)?'),
    'PatientSex': re.compile('[MFO]'),
}
_MAY_BE_EMPTY = (
    *('PatientID', 'PatientName', 'PatientBirthDate', 'PatientSex', 'StudyID', 'StudyDate', 'StudyTime'),
    *('AccessionNumber', 'ReferringPhysicianName'),
)


@dataclass(frozen=True, eq=False)
class MarkedImage:
    """Detections in one DICOM file.

    Args:
        path: The file.
        laterality: Of the breast.
        boxes: (n, 4) xyxy in pixels of the file; a box may end at the edges of pixels, as DICOM's coordinates do.
        scores: (n,) in [0, 1].
        categories: (n,) names of classes; those of this package have codes of SNOMED, others one of our own.
        lesions: (n,) the same name in several images for the same lesion; '' for a lesion of its own.
    """

    path: Path
    laterality: Laterality
    boxes: npt.NDArray[np.float64]
    scores: npt.NDArray[np.float64]
    categories: Sequence[str]
    lesions: Sequence[str] = ()


def write_detection_report(
    path: Path,
    images: Sequence[MarkedImage],
    model: str,
    version: str,
    parameters: Sequence[str] = (),
    is_complete: bool = True,
) -> Path:
    """Write the structured report of one exam.

    Args:
        path: The new file; its folder is made.
        images: Of one study, also those without detections.
        model: Which model it was: config and checkpoint.
        version: Of this package.
        parameters: What decides which detections are listed, in words: the threshold, say.
        is_complete: Whether all images of the exam were looked at.

    Raises:
        MammoError: If a file is no DICOM or lacks an identifier, the images are of several studies, or a header cannot
            be taken over.
    """
    with _told(images[0].path if images else path):
        sources = _sources([image.path for image in images])
        algorithm = sr.AlgorithmIdentification(model, version, parameters or None, manufacturer=MANUFACTURER)
        report = sr.ComprehensiveSR(
            sources,
            _content(images, sources, algorithm)[0],
            hd.UID(),
            _SERIES['report'],
            hd.UID(),
            1,
            manufacturer=MANUFACTURER,
            is_complete=is_complete,
            series_description=WARNING,
        )
        return _saved(report, path)


def _content(
    images: Sequence[MarkedImage], sources: Sequence[Dataset], algorithm: sr.AlgorithmIdentification
) -> sr.MeasurementReport:
    """Template TID 1500: who looked, and what was found."""
    marks = [
        (image, source, i) for image, source in zip(images, sources, strict=True) for i in range(len(image.scores))
    ]
    lesions: dict[str, hd.UID] = {}
    groups = [_region(*mark, f'detection {i}', lesions, algorithm) for i, mark in enumerate(marks, 1)]
    uid = hd.UID.from_uuid(str(uuid5(NAMESPACE_URL, f'{MANUFACTURER} {algorithm[0].value} {algorithm[1].value}')))
    device = sr.DeviceObserverIdentifyingAttributes(uid, MANUFACTURER, model_name=algorithm[0].value[:64])
    context = sr.ObservationContext(sr.ObserverContext(codes.DCM.Device, device))
    return sr.MeasurementReport(context, codes.SCT.Mammography, groups or [_nothing(sources, algorithm)])


def write_picture(path: Path, picture: npt.NDArray[np.uint8], of: Sequence[Path]) -> Path:
    """Write a picture of an exam as Secondary Capture.

    Args:
        path: The new file; its folder is made.
        picture: (h, w, 3) RGB.
        of: The DICOM files that it shows, of one study; it gets their patient and study.

    Raises:
        MammoError: As :func:`write_detection_report`.
    """
    with _told(of[0]):
        sources = _sources(of)
        captured = hd.sc.SCImage.from_ref_dataset(
            sources[0],
            np.ascontiguousarray(picture),
            'RGB',
            8,
            'PATIENT',
            hd.UID(),
            _SERIES['picture'],
            hd.UID(),
            1,
            MANUFACTURER,
            patient_orientation=('L', 'F'),
            transfer_syntax_uid=ExplicitVRLittleEndian,
            series_description=WARNING,
        )
        captured.PatientOrientation = []  # of several views, some of them mirrored
        if sources[0].get('IssuerOfPatientID'):
            captured.IssuerOfPatientID = sources[0].IssuerOfPatientID
        burned = {str(source.get('BurnedInAnnotation', '')) for source in sources}
        if 'YES' in burned or burned == {'NO'}:  # else nobody knows
            captured.BurnedInAnnotation = 'YES' if 'YES' in burned else 'NO'
        return _saved(captured, path)


def _region(
    image: MarkedImage,
    source: Dataset,
    number: int,
    label: str,
    lesions: dict[str, hd.UID],
    algorithm: sr.AlgorithmIdentification,
) -> sr.PlanarROIMeasurementsAndQualitativeEvaluations:
    """One detection. Those of one lesion share its tracking identifier."""
    x1, y1, x2, y2 = image.boxes[number].tolist()
    name = image.lesions[number] if image.lesions else ''
    uid = lesions.setdefault(name, hd.UID()) if name else hd.UID()
    corners = np.array([[x1, y1], [x2, y1], [x2, y2], [x1, y2], [x1, y1]])
    certainty = sr.Measurement(
        codes.DCM.CertaintyOfFinding, round(100 * float(image.scores[number]), 3), codes.UCUM.Percent
    )
    side = _SIDES.get(image.laterality)
    return sr.PlanarROIMeasurementsAndQualitativeEvaluations(
        sr.TrackingIdentifier(uid, f'lesion {name}' if name else label),
        sr.ImageRegion(sr.GraphicTypeValues.POLYLINE, corners, sr.SourceImageForRegion.from_source_image(source)),
        finding_type=_code_of(image.categories[number]),
        algorithm_id=algorithm,
        finding_sites=[sr.FindingSite(codes.SCT.Breast, side)],
        measurements=[certainty],
    )


def _nothing(
    sources: Sequence[Dataset], algorithm: sr.AlgorithmIdentification
) -> sr.MeasurementsAndQualitativeEvaluations:
    """That no image has a detection, which is no statement about the breast."""
    return sr.MeasurementsAndQualitativeEvaluations(
        sr.TrackingIdentifier(hd.UID(), 'exam'),
        algorithm_id=algorithm,
        source_images=[sr.SourceImageForMeasurementGroup.from_source_image(source) for source in sources],
        qualitative_evaluations=[sr.QualitativeEvaluation(_RESULT, _NO_DETECTION)],
    )


def _code_of(category: str) -> Code:
    """Of SNOMED, or of a scheme of our own, whose values are a digest, since they have 16 characters at most."""
    value = hashlib.sha256(category.encode()).hexdigest()[:12].upper()
    return _FINDINGS.get(category) or Code(value, '99MMMAMMO', category[:64])


def _sources(paths: Sequence[Path]) -> list[Dataset]:
    """The headers, all of one study.

    Raises:
        MammoError: If that cannot be had.
    """
    sources = [_source(path) for path in paths]
    studies = {str(source.StudyInstanceUID) for source in sources}
    if len(studies) != 1:
        raise MammoError(
            str(paths[0].parent) if paths else 'images',
            field='StudyInstanceUID',
            found=f'{len(studies)} studies in one exam',
            expected='one',
            remedy='correct the exam_id of annotations.csv that puts them together',
        )
    return sources


def _source(path: Path) -> Dataset:
    with path.open('rb') as file:
        is_dicom = looks_like_dicom(file.read(HEAD_LENGTH))
    if not is_dicom:
        raise _error(path, 'format', 'no DICOM', 'a DICOM file, whose patient and study the results belong to')
    source: Dataset = open_dicom(path, with_pixels=False)
    missing = [name for name in _UIDS if not source.get(name)]
    if missing:
        raise _error(path, ', '.join(missing), 'nothing', 'what identifies image, series and study')
    return _mended(source)


def _mended(source: Dataset) -> Dataset:
    """The header in Unicode, without what is no date, time or sex; what may be empty is.

    Sequences, which no result takes over, and what no dictionary knows go first: they may be nested without end.
    """
    for tag in [tag for tag in sorted(source.keys()) if _may_be_nested(source.get_item(tag))]:
        del source[tag]
    source.decode()
    for name in _MAY_BE_EMPTY:
        value = source.get(name)
        value = value[0] if isinstance(value, MultiValue) and value else value
        text = '' if value is None else str(value)
        setattr(source, name, text if text and _FORMS.get(name, _ANY).fullmatch(text) else None)
    source.SpecificCharacterSet = 'ISO_IR 192'
    return source


def _may_be_nested(element: DataElement | RawDataElement | None) -> bool:
    known = None if element is None else element.VR
    if element is not None and known in (None, 'UN') and dictionary_has_tag(element.tag):
        known = dictionary_VR(element.tag)
    return known in (None, 'UN', 'SQ')


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """Turn what highdicom and pydicom refuse into one message, and keep what they print to themselves.

    Both show values of the header, such as names.
    """
    try:
        with quiet():
            yield
    except MammoError:
        raise
    except _REFUSED as err:
        remedy = 'leave out --dicom for this exam; the other results are written all the same'
        raise MammoError(
            path.name,
            field='header',
            found=f'what cannot be taken over into a new file ({type(err).__name__})',
            expected='patient, study and images as the standard has them',
            remedy=remedy,
        ) from None


def _saved(dataset: Dataset, path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with written_whole(path, 'wb') as file:
        dataset.save_as(file, enforce_file_format=True)
    return path


def _error(path: Path, field: str, found: str, expected: str) -> MammoError:
    remedy = 'leave out --dicom for this exam; the other results are written all the same'
    return MammoError(path.name, field=field, found=found, expected=expected, remedy=remedy)
