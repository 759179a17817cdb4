import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from mmmammo.experiments import execute
from mmmammo.experiments.executor import taken
from mmmammo.experiments.plan import Row
from mmmammo.experiments.runs import Run

ROOT = Path(__file__).resolve().parents[2]


def renamed(run, config):
    return replace(run, row=replace(run.row, config=config))


def test_every_run_is_made_once(plan, root, make_runs, metrics_of):
    runs, heard = make_runs(plan), []
    outcome = execute(runs, root, jobs=2, commit='abc', report=lambda run, what, share: heard.append((what, share)))
    assert sorted(run.name for run in outcome.done) == ['graph, seed 0', 'plain, seed 0', 'plain, seed 1']
    assert all(run.is_complete for run in runs)
    assert metrics_of(runs[1])['froc/recall@1.00'] == 0.6
    assert runs[0].commits == ('abc',) and runs[0].record['seconds'].keys() == {'train', 'test'}
    assert {'training', 'testing', 'complete'} == {what for what, _ in heard}
    assert {0.5, 1.0} <= {share for _, share in heard}
    log = (runs[0].folder / 'log.txt').read_text()
    assert execute(runs, root).done == []
    assert (runs[0].folder / 'log.txt').read_text() == log


def test_the_time_of_a_run_is_known_before_a_step_ends(plan, root, make_runs):
    """A machine that is switched off says no good-bye."""
    run, known = make_runs(plan)[0], {}

    def report(run, what, share):
        known[what, share] = dict(run.record.get('seconds', {}))

    run.folder.mkdir(parents=True)
    run.remember(seconds={'train': 1000.0})
    execute([run], root, report=report)
    assert known['training', 0.0] == {'train': 1000.0} and known['training', 0.5]['train'] > 1000.0
    assert run.record['seconds']['train'] >= known['training', 0.5]['train']


def test_a_run_that_was_begun_at_another_commit_says_both(plan, root, make_runs):
    run = make_runs(plan)[0]
    run.folder.mkdir(parents=True)
    run.remember(commits=['old'])
    execute([run], root, commit='new')
    assert run.commits == ('old', 'new')


def test_options_reach_the_command(plan, make_runs):
    graph = make_runs(plan)[2]
    assert graph.train_command()[-2:] == ['--cfg-options', 'model.k=1']
    assert '--resume' not in graph.train_command()


def test_rows_of_folds_are_cross_validated(plan, root, make_runs):
    runs = make_runs(plan)[:1]
    of_folds, heard = [replace(runs[0], row=replace(runs[0].row, folds=4))], []
    outcome = execute(of_folds, root, report=lambda run, what, share: heard.append((what, share)))
    assert outcome.done == of_folds and of_folds[0].record['seconds'].keys() == {'crossval'}
    assert heard == [('cross-validating', share) for share in (0.0, 0.25, 0.5, 0.75, 1.0)] + [('complete', 1.0)]
    lost = [renamed(replace(of_folds[0], folder=root / 'lost'), 'elsewhere.py')]
    [(_, words)] = execute(lost, root).failed
    assert 'tools/crossval.py left no metrics.json' in words and not lost[0].is_complete


def test_means_wait_for_their_runs(plan, root, make_runs, metrics_of):
    runs = make_runs(plan)[:2]
    row = Row('mean', '', (0,), combine={'mean': ('plain', 'graph')})
    mean = Run(row, 0, 'b' * 64, 0, root / 'out' / 'mean', tuple(runs))
    outcome = execute([mean], root)
    assert outcome.waiting == [mean] and not outcome.done
    outcome.add(execute(runs, root))
    outcome.add(execute([mean], root))
    assert outcome.done == [*runs, mean] and metrics_of(mean)['froc/recall@1.00'] == 0.7


def test_a_failure_is_told_and_the_others_go_on(plan, root, make_runs):
    runs = make_runs(plan)
    runs[0] = renamed(runs[0], 'broken.py')
    outcome = execute(runs, root)
    [(failed, words)] = outcome.failed
    assert failed is runs[0] and 'no luck' in words and 'log.txt' in words
    assert len(outcome.done) == 2
    healed = [renamed(runs[0], 'good.py')]
    assert execute(healed, root).done == healed


def test_a_run_that_another_process_holds_is_left_alone(plan, root, make_runs):
    runs = make_runs(plan)[:1]
    runs[0].folder.mkdir(parents=True)
    with taken(runs[0].folder / '.lock') as lock:
        assert lock is not None
        outcome = execute(runs, root)
    assert outcome.elsewhere == runs and not runs[0].record
    assert execute(runs, root).done == runs


CHILD = """
import signal
import sys
from pathlib import Path
from mmmammo.experiments import execute
from mmmammo.experiments.plan import Row
from mmmammo.experiments.runs import Run
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs start without it
root = Path(sys.argv[1])
execute([Run(Row('plain', 'slow.py', (0,)), 0, 'a' * 64, 2, root / 'run')], root)
"""


@pytest.mark.parametrize('blow', [signal.SIGKILL, signal.SIGINT], ids=['killed', 'ctrl-c'])
def test_an_interrupted_training_is_gone_on_with(root, plan, blow):
    child = subprocess.Popen(
        [sys.executable, '-c', CHILD, root], cwd=ROOT, start_new_session=True, stderr=subprocess.DEVNULL
    )
    run = Run(replace(plan.rows[0], config='slow.py'), 0, 'a' * 64, 2, root / 'run')
    deadline = time.monotonic() + 60
    while not (run.folder / 'started').exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    os.killpg(child.pid, blow) if blow is signal.SIGKILL else child.send_signal(blow)
    child.wait(timeout=30)
    assert run.checkpoint.name == 'epoch_1.pth' and not run.is_complete
    assert '--resume' in run.train_command()
    assert execute([run], root).done == [run]
    assert run.checkpoint.name == 'epoch_2.pth'


def test_a_training_that_outlives_its_runner_keeps_its_run(root, plan):
    child = subprocess.Popen([sys.executable, '-c', CHILD, root], cwd=ROOT, start_new_session=True)
    run = Run(replace(plan.rows[0], config='slow.py'), 0, 'a' * 64, 2, root / 'run')
    deadline = time.monotonic() + 60
    while not (run.folder / 'started').exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    child.kill()
    child.wait(timeout=30)
    try:
        assert execute([run], root).elsewhere == [run]
    finally:
        os.killpg(child.pid, signal.SIGKILL)
