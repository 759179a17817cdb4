"""Data preprocessors."""

from mmmammo.models.data_preprocessors.exam_data_preprocessor import ExamDataPreprocessor

__all__ = ['ExamDataPreprocessor']
