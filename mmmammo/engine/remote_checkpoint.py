"""Checkpoints by address: downloaded once, held against the digest in their name, and from then on local files."""

from __future__ import annotations

import hashlib
import os
import re
import sys
from difflib import get_close_matches
from http.client import HTTPException
from pathlib import Path, PurePosixPath
from urllib.parse import urlparse

import torch
from mmengine.dist import barrier, get_dist_info
from mmengine.logging import print_log
from mmengine.runner.checkpoint import (
    _get_mmengine_home,
    get_deprecated_model_names,
    get_external_models,
    get_torchvision_models,
)

from mmmammo.structures import MammoError

_WEB = ('http://', 'https://')
_TORCHVISION = ('torchvision://',)
_OPENMMLAB = ('open-mmlab://', 'openmmlab://')
ADDRESSED = (*_WEB, *_TORCHVISION, *_OPENMMLAB)
"""How the addresses begin that are read."""

_DIGEST = re.compile(r'-([0-9a-f]{8,64})\.')


def local_checkpoint(address: str) -> Path:
    """The file behind an address, downloaded into the cache of ``torch.hub`` if it is not there.

    Of several processes the first downloads, the others wait for it; where they have another disk, they download too.

    Args:
        address: Begins as one of :data:`ADDRESSED`; that of a model zoo ends in the name of a model.

    Raises:
        MammoError: If there is no such model, the download fails, or the file has another digest than its name says.
    """
    url = _url(address)
    if not url.startswith(_WEB):
        return Path(_get_mmengine_home()) / url  # a user's own list of models may name files
    rank, _ = get_dist_info()
    try:
        path = _cached(url) if rank == 0 else None
    finally:
        barrier()  # also when it failed: the others would wait for it
    return path or _cached(url)


def _url(address: str) -> str:
    """Of the file; names of a model zoo are looked up as mmengine does."""
    if address.startswith(_WEB):
        return address
    scheme, _, name = address.partition('://')
    if address.startswith(_TORCHVISION):
        models = get_torchvision_models()
    else:
        models = get_external_models()
        name = get_deprecated_model_names().get(name, name)
    models = {model: url for model, url in models.items() if url}  # some are listed without one
    if name not in models:
        similar = get_close_matches(name, models) or sorted(models)[:3]
        remedy = f'give one of its models, such as {", ".join(similar)}'
        raise _error(address, 'model', repr(name), f'a model that {scheme} lists', remedy)
    return str(models[name])


def _cached(url: str) -> Path:
    """As torch names it there, so that what others have downloaded counts."""
    name = PurePosixPath(urlparse(url).path).name
    if name in ('', '..'):
        raise _error(url, 'address', 'no file name at its end', 'the address of a .pth file', 'correct it')
    path = Path(torch.hub.get_dir()) / 'checkpoints' / name
    said = _DIGEST.search(name)
    digest = said.group(1) if said else None
    if not path.is_file():
        _download(url, path, digest)
    elif digest and not _sha256(path).startswith(digest):
        remedy = f'delete {path}, which is then downloaded again'
        raise _error(url, 'SHA-256', _sha256(path), f'{digest}…, as its name says', remedy)
    return path


def _download(url: str, path: Path, digest: str | None) -> None:
    """The file appears whole or not at all."""
    print_log(f'Downloads {url} to {path}', logger='current')
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        torch.hub.download_url_to_file(url, os.fspath(path), digest, progress=sys.stderr.isatty())
    except (OSError, HTTPException, RuntimeError, ValueError) as err:  # RuntimeError: another digest
        raise _error(
            url,
            'download',
            ' '.join(str(err).split()) or type(err).__name__,
            'a file that can be downloaded' + (f', with the SHA-256 {digest}…' if digest else ''),
            f'check the address and the network, or download it elsewhere and leave it as {path}',
        ) from err


def _sha256(path: Path) -> str:
    with path.open('rb') as file:
        return hashlib.file_digest(file, 'sha256').hexdigest()


def unread_scheme(address: str) -> MammoError:
    """The error for an address that mmengine would read, and not safely."""
    expected = f'a path, or an address that begins with {", ".join(ADDRESSED)}'
    return _error(address, 'checkpoint', 'an address of another kind', expected, 'download the file and give its path')


def _error(address: str, field: str, found: str, expected: str, remedy: str) -> MammoError:
    return MammoError(address, field=field, found=found, expected=expected, remedy=remedy)
