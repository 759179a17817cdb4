"""One synthetic screening exam: a woman, her lesions, four images and the truth about them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mmmammo.phantom.breast import Woman, sample_woman
from mmmammo.phantom.config import PhantomConfig
from mmmammo.phantom.drawing import outline
from mmmammo.phantom.marker import burn_marker
from mmmammo.phantom.placement import SIDES, PlacedLesion, place_lesions
from mmmammo.phantom.projection import Projection, make_projection
from mmmammo.phantom.reading import read_exam
from mmmammo.phantom.render import Rendering, render
from mmmammo.phantom.rng import stream
from mmmammo.phantom.tissue import sample_glands, sample_strands
from mmmammo.phantom.vendors import VENDORS, Vendor
from mmmammo.structures import STANDARD_VIEWS, BreastLandmarks, Finding, Laterality, View


@dataclass(frozen=True, eq=False)
class PhantomView:
    """One image and the truth about it, in its own pixels as displayed.

    Args:
        laterality: A left breast points right, a right breast points left.
        view: ``CC`` or ``MLO``.
        image: (h, w) float32 in [0, 1], 0 in air.
        gland_region: (h, w) bool, where there is a good deal of gland.
        projection: Maps 3-D points of the breast to this image.
        findings: True findings only.
        decoys: What looks like a finding and is none; ``attributes['decoy']`` says why.
        landmarks: Contour, nipple and pectoral line.
    """

    laterality: Laterality
    view: View
    image: npt.NDArray[np.float32]
    gland_region: npt.NDArray[np.bool_]
    projection: Projection
    findings: tuple[Finding, ...]
    decoys: tuple[Finding, ...]
    landmarks: BreastLandmarks

    @property
    def name(self) -> str:
        """Such as ``L_MLO``."""
        return f'{self.laterality}_{self.view}'

    @property
    def angle_deg(self) -> float:
        """Of the projection; 0 in CC."""
        return float(np.rad2deg(self.projection.angle))


@dataclass(frozen=True, eq=False)
class PhantomExam:
    """A complete exam.

    Args:
        exam_id: ``phantom-`` and the index.
        seed: Of the set.
        index: Of the exam in the set.
        woman: Whose.
        vendor: Of the machine.
        lesions: Findings and decoys, in 3-D.
        views: In the order L CC, L MLO, R CC, R MLO, less the missing ones.
    """

    exam_id: str
    seed: int
    index: int
    woman: Woman
    vendor: Vendor
    lesions: tuple[PlacedLesion, ...]
    views: tuple[PhantomView, ...]

    @property
    def patient_id(self) -> str:
        """One exam a woman."""
        return f'woman-{self.index:05d}'

    def labels(self, laterality: Laterality) -> Mapping[str, object]:
        """Breast-level labels: cancer, biopsy (of any lesion), BI-RADS, density, age, machine, those of the readers."""
        found = [x.lesion.pathology for x in self.lesions if x.laterality is laterality and x.decoy is None]
        birads = '5' if 'malignant' in found else '2' if found else '1'
        return {
            'cancer': int('malignant' in found),
            'biopsy': int(bool(found)),
            'birads': birads,
            'density': self.woman.density,
            'age': self.woman.age,
            'machine': self.vendor.name,
            **read_exam(self.lesions, stream(self.seed, self.index, 'reading'))[laterality],
        }


def make_exam(config: PhantomConfig, seed: int, index: int = 0) -> PhantomExam:
    """Make one exam; equal arguments give equal bytes.

    Args:
        config: What to make.
        seed: Of the set.
        index: Which exam of the set; exams of different index are independent.
    """
    woman = sample_woman(config, stream(seed, index, 'woman'))
    names = config.vendors or tuple(VENDORS)
    vendor = VENDORS[str(stream(seed, index, 'vendor').choice(names))]
    projections = {
        (side, view): make_projection(woman.breast(side), view, config) for side in SIDES for view in STANDARD_VIEWS
    }
    lesions = place_lesions(config, projections, stream(seed, index, 'lesions'))
    glands = sample_glands(woman, stream(seed, index, 'gland'))
    views = []
    for side in SIDES:
        strands = sample_strands(woman.breast(side), stream(seed, index, f'strands {side}'))
        for view in _present_views(config, seed, index)[side]:
            projection = projections[side, view]
            shown = [x for x in lesions if x.laterality is side and view in x.views]
            rng = stream(seed, index, f'view {side} {view}')
            rendering = render(projection, glands[side], strands, [x.lesion for x in shown], vendor, rng)
            views.append(_describe(rendering, projection, shown, vendor))
    return PhantomExam(f'phantom-{index:05d}', seed, index, woman, vendor, lesions, tuple(views))


def _present_views(config: PhantomConfig, seed: int, index: int) -> dict[Laterality, list[View]]:
    rng = stream(seed, index, 'missing views')
    absent = rng.uniform(size=(2, 2)) < config.missing_views
    absent[tuple(rng.integers(2, size=2))] = False
    return {side: [v for j, v in enumerate(STANDARD_VIEWS) if not absent[i, j]] for i, side in enumerate(SIDES)}


def _describe(rendering: Rendering, projection: Projection, shown: list[PlacedLesion], vendor: Vendor) -> PhantomView:
    """Attach the truth to a rendered image, and the vendor's marker."""
    side, view, image = projection.breast.laterality, projection.view, rendering.image
    if vendor.marker:
        image = burn_marker(image, side, view, projection.spacing_mm)
    findings = [_finding(x, projection) for x in shown if x.decoy is None]
    decoys = [_finding(x, projection) for x in shown if x.decoy is not None]
    return PhantomView(
        side,
        view,
        image,
        rendering.gland_region,
        projection,
        tuple(findings),
        tuple(decoys),
        projection.landmarks(),
    )


def _finding(placed: PlacedLesion, projection: Projection) -> Finding:
    lesion = placed.lesion
    polygon = outline(lesion, projection)
    low, high = polygon.min(axis=0), polygon.max(axis=0)
    attributes = {**lesion.attributes, 'radius_mm': lesion.radius, 'contrast': lesion.contrast}
    if placed.decoy is not None:
        attributes['decoy'] = placed.decoy
    malignant = lesion.pathology == 'malignant'
    return Finding(
        bbox=(float(low[0]), float(low[1]), float(high[0]), float(high[1])),
        category=lesion.category,
        lesion_id=placed.lesion_id,
        pathology=lesion.pathology,
        birads='5' if malignant else '2',
        polygons=(polygon,),
        attributes=attributes,
    )
