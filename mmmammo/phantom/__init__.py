"""Synthetic screening exams: a 3-D breast, lesions, projection to views, DICOM writer."""

from mmmammo.phantom.config import CATEGORIES, PhantomConfig
from mmmammo.phantom.dataset import write_dataset
from mmmammo.phantom.dicom_writer import make_dataset, write_dicom
from mmmammo.phantom.exam import PhantomExam, PhantomView, make_exam
from mmmammo.phantom.vendors import VENDORS, Vendor

__all__ = [
    'CATEGORIES',
    'VENDORS',
    'PhantomConfig',
    'PhantomExam',
    'PhantomView',
    'Vendor',
    'make_dataset',
    'make_exam',
    'write_dataset',
    'write_dicom',
]
