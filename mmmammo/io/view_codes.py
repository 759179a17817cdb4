"""Codes of DICOM CID 4014 (views) and CID 4015 (view modifiers), in today's and in retired schemes.

A SNOMED CT number and a retired SNOMED RT code never look alike, so a code is found by its value as soon as its scheme
is one of SNOMED's.
"""

from __future__ import annotations

from mmmammo.structures import View

SNOMED_SCHEMES = frozenset({'SCT', 'SRT', 'SNM3', '99SDM', 'SNM', '2.16.840.1.113883.6.96'})
"""Designators under which vendors write SNOMED codes; SNM3 and 99SDM carry the same values as SRT."""

VIEW_CODES = {
    '399162004': View.CC,
    'R-10242': View.CC,
    '399368009': View.MLO,
    'R-10226': View.MLO,
    '399260004': View.ML,
    'R-10224': View.ML,
    '399352003': View.LM,
    'R-10228': View.LM,
    '399099002': View.LMO,
    'R-10230': View.LMO,
    '399196006': View.FB,
    'R-10244': View.FB,
    '399192008': View.XCCL,
    'R-1024A': View.XCCL,
    '399101009': View.XCCM,
    'R-1024B': View.XCCM,
    '399188001': View.SIO,
    'R-102D0': View.SIO,
    '441555000': View.ISO,
    'R-40AAA': View.ISO,
    '127457009': View.SPECIMEN,
    'G-8310': View.SPECIMEN,
}

MODIFIER_CODES = {
    '399163009': 'magnification',
    'R-102D6': 'magnification',
    '399055006': 'spot compression',
    'R-102D7': 'spot compression',
    '399209000': 'implant displaced',
    'R-102D5': 'implant displaced',
    '399110001': 'tangential',
    'R-102C2': 'tangential',
    '399011000': 'axillary tail',
    'R-102D1': 'axillary tail',
    '399161006': 'cleavage',
    'R-102D2': 'cleavage',
    '442581004': 'nipple in profile',
    'R-40AB3': 'nipple in profile',
    '442580003': 'axillary tissue',
    'R-40AB2': 'axillary tissue',
    '442593008': 'infra-mammary fold',
    'R-40ABE': 'infra-mammary fold',
    '441752004': 'anterior compression',
    'P2-00161': 'anterior compression',
    '399197002': 'rolled lateral',
    'R-102D3': 'rolled lateral',
    '399226006': 'rolled medial',
    'R-102D4': 'rolled medial',
    '415670009': 'rolled superior',
    'R-102C9': 'rolled superior',
    '414493004': 'rolled inferior',
    'R-102CA': 'rolled inferior',
}

BREAST_CODES = frozenset({'76752008', 'T-04000'})
"""Breast, as an item of AnatomicRegionSequence."""

SIDE_CODES = {'7771000': 'L', 'G-A101': 'L', '24028007': 'R', 'G-A100': 'R'}
"""Left and right, as a modifier of an anatomic region."""
