"""The index of models, as OpenMMLab's tools read it: each config is in it once, and what it says of one is so."""

from pathlib import Path

import pytest
import yaml
from mmengine.config import Config

ROOT = Path(__file__).resolve().parents[1]
METAFILES = sorted((ROOT / 'configs').glob('*/metafile.yml'))
CONFIGS = {p.relative_to(ROOT).as_posix() for p in (ROOT / 'configs').rglob('*.py') if '_base_' not in p.parts}


def read(path):
    return yaml.safe_load(path.read_text())


def test_every_config_is_a_model_of_one_metafile():
    named = sorted(model['Config'] for path in METAFILES for model in read(path)['Models'])
    assert named == sorted(CONFIGS)


def test_the_index_imports_every_metafile():
    imported = read(ROOT / 'model-index.yml')['Import']
    assert sorted(imported) == [path.relative_to(ROOT).as_posix() for path in METAFILES]


@pytest.mark.parametrize('path', METAFILES, ids=lambda path: path.parent.name)
def test_collections_lead_to_a_page_and_have_models(path):
    collections = {collection['Name']: collection for collection in read(path)['Collections']}
    assert {model['In Collection'] for model in read(path)['Models']} == set(collections)
    for collection in collections.values():
        assert (ROOT / collection['README']).is_file()
        assert collection['Paper']['Title']


@pytest.mark.parametrize('path', METAFILES, ids=lambda path: path.parent.name)
def test_models_are_what_their_configs_say(path):
    for model in read(path)['Models']:
        cfg = Config.fromfile(ROOT / model['Config'])
        assert model['Name'] == Path(model['Config']).stem
        assert model['Metadata']['Epochs'] == cfg.train_cfg.max_epochs, model['Name']
        assert ('synthetic' in model['Metadata']['Training Data']) == ('phantom' in cfg.data_root), model['Name']
